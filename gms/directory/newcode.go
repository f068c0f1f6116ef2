package directory

import (
	"context"
	"fmt"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// NewConfigurationCode gives a pending member another configuration code; the one it
// had is worth nothing from then on.
//
// A member who has enrolled is refused with a StatusError, unless reset asks to begin
// anew, for one who has lost the device: then the member becomes pending, and is not
// bound to the account and identity any more, whose client is refused when it asks.
// A disabled one stays disabled. Deleted and migrated members are refused.
func (d *Directory) NewConfigurationCode(ctx context.Context, guid string, reset bool) (Member, error) {
	if _, err := d.Member(guid); err != nil {
		return Member{}, fmt.Errorf("cannot %s member: %w", renewAction, err)
	}
	renew, err := d.renewing(guid, reset)
	if err != nil {
		return Member{}, err
	}
	return d.changeMember(ctx, guid, renewAction, renew)
}

const renewAction = "give a new code to"

// renewing is the change of NewConfigurationCode.
func (d *Directory) renewing(guid string, reset bool) (memberChange, error) {
	code := keys.NewConfigurationCode()
	sealed, err := d.vault.Seal(configurationCodePurpose(guid), []byte(code))
	if err != nil {
		return nil, err
	}
	return func(_ *state.Tx, m *memberRow) error {
		if !m.Status.live() || m.enrolled() && !reset {
			return &StatusError{guid, m.Status, renewAction}
		}
		m.unbind()
		m.SealedCode, m.KeyID, m.CodeMailed = sealed, keys.CodeKey(code).ID().String(), nil
		return nil
	}, nil
}
