package directory

import (
	"fmt"
	"time"

	"furrow/appliance/state"
)

// CodeMail is a mail with a member's configuration code.
type CodeMail struct {
	At time.Time `json:"at"` // when it was given to the outbox
	To string    `json:"to"` // address
}

// ConfigurationCode is Directory.ConfigurationCode as the batch has left it.
func (b MemberBatch) ConfigurationCode(guid string) (string, error) {
	row, err := b.d.memberAt(b.tx, guid)
	if err != nil {
		return "", err
	}
	return b.d.openCode(row)
}

// NewConfigurationCode is Directory.NewConfigurationCode in the batch.
func (b MemberBatch) NewConfigurationCode(guid string, reset bool) (Member, error) {
	renew, err := b.d.renewing(guid, reset)
	if err != nil {
		return Member{}, err
	}
	return b.change(guid, renew)
}

// CodeMailed records that the configuration code of a pending member is in a mail.
// For others, who have no use for it, it fails with a StatusError.
func (b MemberBatch) CodeMailed(guid, to string) (Member, error) {
	return b.change(guid, func(_ *state.Tx, m *memberRow) error {
		if m.Status != Pending {
			return &StatusError{guid, m.Status, "mail the code of"}
		}
		m.CodeMailed = &CodeMail{At: b.d.now().UTC(), To: to}
		return nil
	})
}

// openCode returns the configuration code in a row.
func (d *Directory) openCode(row memberRow) (string, error) {
	code, err := d.vault.Open(configurationCodePurpose(row.GUID), row.SealedCode)
	if err != nil {
		return "", fmt.Errorf("opening configuration code of member %s: %w", row.GUID, err)
	}
	return string(code), nil
}
