package directory

import (
	"context"
	"fmt"
	"reflect"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// CreateMember adds a pending member with a new configuration code to a
// domain. Its identity object, whose GUID is the member's, exists from then on
// (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) CreateMember(ctx context.Context, domain string, details MemberDetails) (Member, error) {
	row, err := d.newMember(domain, details)
	if err != nil {
		return Member{}, fmt.Errorf("creating member: %w", err)
	}
	err = d.store.Update(ctx, func(tx *state.Tx) error { return d.addMember(tx, &row) })
	if err != nil {
		return Member{}, fmt.Errorf("creating member: %w", err)
	}
	d.log.Info("member created", "domain", domain, "member", row.GUID)
	return row.Member, nil
}

// addMember stores a member that newMember made.
func (d *Directory) addMember(tx *state.Tx, row *memberRow) error {
	if _, err := d.liveDomainAt(tx, row.Domain); err != nil {
		return err
	}
	if err := d.checkReferences(tx, row.Domain, row.MemberDetails); err != nil {
		return err
	}
	if err := d.checkLogin(tx, *row); err != nil {
		return err
	}
	row.Stamp = d.stamp(tx)
	return d.t.members.Put(tx, *row)
}

func (d *Directory) newMember(domain string, details MemberDetails) (memberRow, error) {
	if err := details.normalize(); err != nil {
		return memberRow{}, err
	}
	code := keys.NewConfigurationCode()
	row := memberRow{
		Member: Member{
			GUID: newGUID(), Domain: domain, MemberDetails: details, Status: Pending, Created: d.now().UTC(),
		},
		PreAuthToken: newGUID(),
		KeyID:        keys.CodeKey(code).ID().String(),
	}
	var err error
	row.SealedCode, err = d.vault.Seal(configurationCodePurpose(row.GUID), []byte(code))
	return row, err
}

// UpdateMember lets edit change a member's details. The identity object shows
// them and is regenerated (MS-GRVSPCM 3.2.5.1.4).
func (d *Directory) UpdateMember(ctx context.Context, guid string, edit func(*MemberDetails)) (Member, error) {
	return d.changeMember(ctx, guid, "update", d.editing(edit))
}

// memberChange changes a member in a running transaction, or refuses to.
type memberChange func(*state.Tx, *memberRow) error

// editing is the change of UpdateMember.
func (d *Directory) editing(edit func(*MemberDetails)) memberChange {
	return func(tx *state.Tx, m *memberRow) error {
		if !m.Status.live() {
			return &StatusError{m.GUID, m.Status, "update"}
		}
		edit(&m.MemberDetails)
		if err := m.normalize(); err != nil {
			return err
		}
		return d.checkReferences(tx, m.Domain, m.MemberDetails)
	}
}

// DisableMember suspends a pending or active member.
func (d *Directory) DisableMember(ctx context.Context, guid string) (Member, error) {
	return d.changeMember(ctx, guid, "disable", disableMember)
}

// disableMember is the change of DisableMember.
func disableMember(_ *state.Tx, m *memberRow) error {
	if !m.Status.live() {
		return &StatusError{m.GUID, m.Status, "disable"}
	}
	m.Status = Disabled
	return nil
}

// EnableMember ends the suspension of a disabled member: it is active again if
// it has enrolled, else pending.
func (d *Directory) EnableMember(ctx context.Context, guid string) (Member, error) {
	return d.changeMember(ctx, guid, "enable", enableMember)
}

// enableMember is the change of EnableMember.
func enableMember(_ *state.Tx, m *memberRow) error {
	switch {
	case !m.Status.live():
		return &StatusError{m.GUID, m.Status, "enable"}
	case m.Status == Disabled && m.enrolled():
		m.Status = Active
	case m.Status == Disabled:
		m.Status = Pending
	}
	return nil
}

// DeleteMember ends a membership for good: neither the member nor its
// configuration code comes back. The row stays, because its client has yet to
// be told (MS-GRVSPCM 3.2.5.3.3).
func (d *Directory) DeleteMember(ctx context.Context, guid string) (Member, error) {
	return d.changeMember(ctx, guid, "delete", func(_ *state.Tx, m *memberRow) error {
		m.end()
		return nil
	})
}

// end makes a deleted member of m. What it enrolled with, most of the row, is of
// no use to anybody then, and it holds on to no group, template and relay set.
func (m *memberRow) end() {
	m.Status, m.Contact = Deleted, nil
	m.Group, m.IdentityTemplate, m.RelaySet = "", "", ""
}

// changeMember applies change to a member in a transaction of its own.
func (d *Directory) changeMember(ctx context.Context, guid, action string, change memberChange) (Member, error) {
	var row memberRow
	var changed bool
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		row, changed, err = d.alterMember(tx, guid, change)
		return err
	})
	if err != nil {
		return Member{}, fmt.Errorf("cannot %s member %q: %w", action, guid, err)
	}
	if changed {
		d.log.Info("member changed", "action", action, "domain", row.Domain, "member", guid, "status", row.Status.String())
	}
	return row.Member, nil
}

// alterMember applies change to a member and says whether that made a
// difference.
func (d *Directory) alterMember(tx *state.Tx, guid string, change memberChange) (row memberRow, changed bool, err error) {
	before, err := d.memberAt(tx, guid)
	if err != nil {
		return memberRow{}, false, err
	}
	row = before
	if err := change(tx, &row); err != nil || reflect.DeepEqual(before, row) {
		return row, false, err
	}
	return row, true, d.putMember(tx, before, &row)
}

// putMember stores a changed member. The identity object is regenerated for each
// change that it shows, which includes another relay set, however the member comes
// to it. Not among them is the binding to an account and identity: a new IssuedTime
// for a binding would make the client install the object, and so bind itself, again
// and again.
func (d *Directory) putMember(tx *state.Tx, before memberRow, after *memberRow) error {
	if err := d.checkLogin(tx, *after); err != nil {
		return err
	}
	domain, err := d.domainAt(tx, after.Domain)
	if err != nil {
		return err
	}
	oldSet, err := d.relaySetOf(tx, &domain.Domain, &before.Member)
	if err != nil {
		return err
	}
	set, err := d.relaySetOf(tx, &domain.Domain, &after.Member)
	if err != nil {
		return err
	}
	oldTemplate, err := d.templateOf(tx, &domain.Domain, &before.Member)
	if err != nil {
		return err
	}
	template, err := d.templateOf(tx, &domain.Domain, &after.Member)
	if err != nil {
		return err
	}
	if oldTemplate != template {
		after.IdentityTemplateStamp = d.changed(tx, oldTemplate, template)
	}
	switch {
	case !reflect.DeepEqual(shown(before), shown(*after)):
		after.Stamp = d.stamp(tx)
	case oldSet != set:
		after.Stamp = d.changed(tx, oldSet, set)
	}
	if !after.enrolled() { // what it published was of an identity that it has no more
		d.t.publications.Delete(tx, after.GUID)
	}
	return d.t.members.Put(tx, *after)
}

// shown returns a member without what its identity object does not show.
func shown(m memberRow) Member {
	m.AccountGUID, m.IdentityURL, m.RemoteUser = "", "", ""
	m.Group, m.RelaySet, m.IdentityTemplate = "", "", ""
	m.CodeMailed = nil
	m.Stamp, m.IdentityTemplateStamp = 0, 0
	return m.Member
}
