package directory

import (
	"context"
	"fmt"

	"furrow/appliance/state"
)

// MemberBatch changes members in one running transaction: many at a small
// price, and together with rows of others that must not be there without them.
// A change that is refused with one of this package's errors leaves the
// transaction as it was, and the batch may go on.
type MemberBatch struct {
	d  *Directory
	tx *state.Tx
}

// ChangeMembers runs fn in a transaction. It returns nil when the changes are
// durable; when fn returns an error nothing changes and that error comes back.
// Other writers wait for fn, so a batch has tens of members, unless thousands must
// be there together or not at all. A batch that does not fit into one record of
// the journal is refused with state.ErrTooLarge.
func (d *Directory) ChangeMembers(ctx context.Context, fn func(MemberBatch) error) error {
	return d.store.Update(ctx, func(tx *state.Tx) error { return fn(MemberBatch{d, tx}) })
}

// Tx is the running transaction.
func (b MemberBatch) Tx() *state.Tx { return b.tx }

// Create is Directory.CreateMember in the batch.
func (b MemberBatch) Create(domain string, details MemberDetails) (Member, error) {
	row, err := b.d.newMember(domain, details)
	if err == nil {
		err = b.d.addMember(b.tx, &row)
	}
	if err != nil {
		return Member{}, fmt.Errorf("creating member: %w", err)
	}
	return row.Member, nil
}

// Update is Directory.UpdateMember in the batch.
func (b MemberBatch) Update(guid string, edit func(*MemberDetails)) (Member, error) {
	return b.change(guid, b.d.editing(edit))
}

// Disable is Directory.DisableMember in the batch.
func (b MemberBatch) Disable(guid string) (Member, error) { return b.change(guid, disableMember) }

// Enable is Directory.EnableMember in the batch.
func (b MemberBatch) Enable(guid string) (Member, error) { return b.change(guid, enableMember) }

func (b MemberBatch) change(guid string, change memberChange) (Member, error) {
	row, _, err := b.d.alterMember(b.tx, guid, change)
	return row.Member, err
}

// Checked returns the details as a member would have them, or the
// ValidationError with which they would be refused. The template and relay set
// are not looked for.
func (m MemberDetails) Checked() (MemberDetails, error) {
	err := m.normalize()
	return m, err
}

// Folded gives names, such as login names and e-mail addresses, that differ
// only in letter case one form: that by which members are found.
func Folded(name string) string { return foldName(name) }
