package directory

import (
	"context"
	"errors"
	"fmt"

	"furrow/appliance/state"
)

// ErrNotMigrating is returned for a member who is not to be migrated.
var ErrNotMigrating = errors.New("member is not being migrated")

// Migration is how a member moves to another domain or server (MS-GRVSPCM
// 3.2.1). It has begun when the member's MigrationServer is set.
type Migration struct {
	// Member is the GUID of the pending member that was made for it in another
	// domain of this server; empty for another server.
	Member string `json:"member,omitempty"`
	// DomainName is what the client has called the domain it has moved to, and
	// Failure its status if it could not, other than 0 (2.2.3.23.1).
	DomainName string `json:"domainName,omitempty"`
	Failure    int32  `json:"failure,omitempty"`
}

// MigrateToServer has a pending or active member move to another server, which
// must know the person already: the identity object names the server's URL
// (MS-GRVSPCM 3.2.5.1.4), and its client reports the outcome.
func (d *Directory) MigrateToServer(ctx context.Context, guid, serverURL string) (Member, error) {
	const action = "migrate"
	if err := checkServerURL(serverURL); err != nil {
		return Member{}, fmt.Errorf("cannot %s member %q: %w", action, guid, err)
	}
	return d.changeMember(ctx, guid, action, func(_ *state.Tx, m *memberRow) error {
		return m.migrate(serverURL, Migration{})
	})
}

// MigrateToDomain has a pending or active member move to another domain of this
// server. A pending member with the same details is made there; the login name
// goes over to it, so that automatic configuration finds the new one
// (MS-GRVSPCM 3.2.5.2.1.2). Template and relay set belong to the old domain and
// do not. Both members are returned.
func (d *Directory) MigrateToDomain(ctx context.Context, guid, domain string) (from, to Member, err error) {
	const action = "migrate"
	source, err := d.Member(guid)
	if err != nil {
		return Member{}, Member{}, fmt.Errorf("cannot %s: %w", action, err)
	}
	target, err := d.newMember(domain, source.MemberDetails)
	if err != nil {
		return Member{}, Member{}, fmt.Errorf("cannot %s member %q: %w", action, guid, err)
	}
	from, err = d.changeMember(ctx, guid, action, func(tx *state.Tx, m *memberRow) error {
		server, err := d.serverAt(tx)
		if err != nil {
			return err
		}
		if _, err := d.liveDomainAt(tx, domain); err != nil {
			return err
		}
		if domain == m.Domain {
			return &ValidationError{"domain", "is the one that the member is in"}
		}
		target.MemberDetails = m.MemberDetails
		target.IdentityTemplate, target.RelaySet = "", ""
		if err := m.migrate(server.URL, Migration{Member: target.GUID}); err != nil {
			return err
		}
		m.RemoteUser = ""
		if err := d.t.members.Put(tx, *m); err != nil { // gives the login name up before the other takes it
			return err
		}
		target.Stamp = d.stamp(tx)
		return d.t.members.Put(tx, target)
	})
	return from, target.Member, err
}

// migrate begins a migration.
func (m *memberRow) migrate(serverURL string, migration Migration) error {
	switch {
	case m.Status != Pending && m.Status != Active:
		return &StatusError{m.GUID, m.Status, "migrate"}
	case m.Migration != nil && m.Migration.Member != "":
		return &ValidationError{"member", "is being migrated to another domain already"}
	}
	m.MigrationServer, m.Migration = serverURL, &migration
	return nil
}

// CancelMigration ends a migration that has not succeeded yet. The member that
// was made for it is deleted, unless its person has joined there already: then
// the error is a StatusError.
func (d *Directory) CancelMigration(ctx context.Context, guid string) (Member, error) {
	const action = "cancel the migration of"
	return d.changeMember(ctx, guid, action, func(tx *state.Tx, m *memberRow) error {
		if m.Migration == nil || m.Status == Migrated {
			return ErrNotMigrating
		}
		target, ok := d.t.members.Get(tx, m.Migration.Member)
		if ok && target.Status != Deleted {
			if target.Status == Active || target.Status == Migrated {
				return &StatusError{target.GUID, target.Status, action}
			}
			before := target
			m.RemoteUser, target.RemoteUser = target.RemoteUser, ""
			target.end()
			if err := d.putMember(tx, before, &target); err != nil {
				return err
			}
		}
		m.MigrationServer, m.Migration = "", nil
		return nil
	})
}

// ReportMigration records what the client of a migrating member says of its
// outcome (MS-GRVSPCM 3.2.5.2.4): with status 0 the member is migrated for
// good. A report that was recorded before changes nothing. It fails with
// ErrNotMigrating, or a StatusError for a member who is disabled or deleted.
func (d *Directory) ReportMigration(
	ctx context.Context, domain, account, identityURL, domainName string, status int32,
) (Member, error) {
	const action = "record the migration of"
	if err := checkText("migratedDomainName", domainName, maxText); err != nil {
		return Member{}, fmt.Errorf("cannot %s a member: %w", action, err)
	}
	found, err := d.MemberByIdentity(domain, account, identityURL)
	if err != nil {
		return Member{}, fmt.Errorf("cannot %s a member: %w", action, err)
	}
	return d.changeMember(ctx, found.GUID, action, func(_ *state.Tx, m *memberRow) error {
		switch {
		case !m.boundTo(account, identityURL): // another install came between
			return ErrMemberNotFound
		case m.Status == Migrated: // it cannot come back by a report
			return nil
		case m.Status != Pending && m.Status != Active:
			return &StatusError{m.GUID, m.Status, action}
		case m.Migration == nil:
			return ErrNotMigrating
		}
		migration := *m.Migration
		migration.DomainName, migration.Failure = domainName, status
		m.Migration = &migration
		if status == 0 {
			m.Status = Migrated
		}
		return nil
	})
}
