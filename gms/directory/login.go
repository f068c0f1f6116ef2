package directory

import (
	"fmt"

	"furrow/appliance/state"
)

// MemberByLogin returns the pending, active or disabled member with this login
// name, REMOTE_USER, in any letter case (MS-GRVSPCM 3.2.5.1.3), or
// ErrMemberNotFound. No two of them have the same in the whole directory:
// AutoAccountCodeConfiguration names no domain.
func (d *Directory) MemberByLogin(login string) (Member, error) {
	row, ok := d.t.membersByLogin.First(d.store.Snapshot(), foldName(login))
	if !ok || login == "" {
		return Member{}, fmt.Errorf("%w: login %.*q", ErrMemberNotFound, maxText, login)
	}
	return row.Member, nil
}

// loginKeys is the index key of a member's login name. Members that are gone
// for good leave theirs to others.
func loginKeys(r memberRow) []string {
	if r.RemoteUser == "" || !r.Status.live() {
		return nil
	}
	return []string{foldName(r.RemoteUser)}
}

// checkLogin refuses a login name that another member has.
func (d *Directory) checkLogin(tx *state.Tx, row memberRow) error {
	for _, key := range loginKeys(row) {
		if other, ok := d.t.membersByLogin.First(tx, key); ok && other.GUID != row.GUID {
			return fmt.Errorf("%w: %q", ErrLoginTaken, row.RemoteUser)
		}
	}
	return nil
}
