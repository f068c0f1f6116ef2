package directory

import (
	"errors"
	"testing"

	"furrow/gms/policy"
)

const elsewhere = "http://groove.fabrikam.com/gms.dll"

// identityObject returns the identity that the member's client is shown.
func (f *fixture) identityObject(t failer, member string) policy.Identity {
	t.Helper()
	objects, err := f.MemberObjects(member, nil)
	must(t, err)
	for _, o := range objects {
		if o.GUID == member {
			parsed, err := policy.Parse(o.Data)
			must(t, err)
			return parsed.Unverified().Body.(policy.Identity)
		}
	}
	t.Fatalf("no identity object of %s", member)
	return policy.Identity{}
}

func TestMigrateToServer(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	before := f.active(t, domain, "Anna", "account", "grooveIdentity://anna@")
	m, err := f.MigrateToServer(t.Context(), before.GUID, elsewhere)
	must(t, err)
	if m.MigrationServer != elsewhere || m.Status != Active || m.Stamp <= before.Stamp {
		t.Errorf("migrating member %+v", m)
	}
	if got := f.identityObject(t, m.GUID).MigrateTo; got != elsewhere {
		t.Errorf("identity object leads to %q", got)
	}
	if _, err := f.ReportMigration(t.Context(), domain.GUID, "account", "grooveIdentity://other@", "Fabrikam", 0); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("report of another identity: %v", err)
	}

	failed, err := f.ReportMigration(t.Context(), domain.GUID, m.AccountGUID, m.IdentityURL, "Fabrikam", 7)
	must(t, err)
	if failed.Status != Active || *failed.Migration != (Migration{DomainName: "Fabrikam", Failure: 7}) {
		t.Errorf("after a failure: %v, %+v", failed.Status, failed.Migration)
	}
	done, err := f.ReportMigration(t.Context(), domain.GUID, m.AccountGUID, m.IdentityURL, "Fabrikam GmbH", 0)
	must(t, err)
	if done.Status != Migrated || *done.Migration != (Migration{DomainName: "Fabrikam GmbH"}) {
		t.Errorf("after success: %v, %+v", done.Status, done.Migration)
	}
	f.reopen(t)
	sequence := f.store.Snapshot().Sequence()
	again, err := f.ReportMigration(t.Context(), domain.GUID, m.AccountGUID, m.IdentityURL, "Other", 1)
	must(t, err)
	if again.Status != Migrated || f.store.Snapshot().Sequence() != sequence {
		t.Errorf("a report after success changed the member: %+v", again)
	}
	if _, err := f.CancelMigration(t.Context(), m.GUID); !errors.Is(err, ErrNotMigrating) {
		t.Errorf("cancelling what is done: %v", err)
	}
	if identity := f.identityObject(t, m.GUID); !identity.Disabled || identity.MigrateTo != elsewhere {
		t.Errorf("identity of a migrated member: %+v", identity)
	}
}

func TestMigrateToDomain(t *testing.T) {
	f := newFixture(t)
	from, to := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	m := f.active(t, from, "Anna", "account", "grooveIdentity://anna@")
	_, err := f.UpdateMember(t.Context(), m.GUID, func(d *MemberDetails) {
		d.Title, d.RemoteUser, d.RelaySet = "Surveyor", "anna", from.RelaySet
	})
	must(t, err)
	if _, _, err := f.MigrateToDomain(t.Context(), m.GUID, from.GUID); !errors.Is(err, ErrInvalid) {
		t.Errorf("to its own domain: %v", err)
	}
	source, target, err := f.MigrateToDomain(t.Context(), m.GUID, to.GUID)
	must(t, err)
	if source.MigrationServer != testURL || source.Migration.Member != target.GUID || source.RemoteUser != "" {
		t.Errorf("source %+v", source)
	}
	stored, err := f.Member(target.GUID)
	must(t, err)
	if stored.Status != Pending || stored.Domain != to.GUID || stored.FullName != "Anna" || stored.Title != "Surveyor" ||
		stored.RemoteUser != "anna" || stored.RelaySet != "" || stored.Stamp == 0 {
		t.Errorf("target %+v", stored)
	}
	if _, err := f.ConfigurationCode(target.GUID); err != nil {
		t.Error(err)
	}
	if _, _, err := f.MigrateToDomain(t.Context(), m.GUID, to.GUID); !errors.Is(err, ErrInvalid) {
		t.Errorf("a second time: %v", err)
	}

	cancelled, err := f.CancelMigration(t.Context(), m.GUID)
	must(t, err)
	if cancelled.MigrationServer != "" || cancelled.Migration != nil || cancelled.RemoteUser != "anna" || cancelled.Status != Active {
		t.Errorf("cancelled %+v", cancelled)
	}
	if stored, err = f.Member(target.GUID); err != nil || stored.Status != Deleted || stored.RemoteUser != "" {
		t.Errorf("target after cancelling: %+v, %v", stored, err)
	}
	if got := f.identityObject(t, m.GUID).MigrateTo; got != "" {
		t.Errorf("identity object leads to %q", got)
	}

	// Once the person has joined there, there is no way back.
	_, target, err = f.MigrateToDomain(t.Context(), m.GUID, to.GUID)
	must(t, err)
	_, err = f.EnrollByCode(t.Context(), target.GUID, "account2", testContact("grooveIdentity://anna2@", 1))
	must(t, err)
	if _, err := f.CancelMigration(t.Context(), m.GUID); !errors.Is(err, ErrStatus) {
		t.Errorf("cancelling after the join: %v", err)
	}
}

func TestMigrationRefuses(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	active := f.active(t, domain, "Anna", "account", "grooveIdentity://anna@")
	for _, url := range []string{"", "fabrikam.com", "http://fabrikam.com/other"} {
		if _, err := f.MigrateToServer(t.Context(), active.GUID, url); !errors.Is(err, ErrInvalid) {
			t.Errorf("to %q: %v", url, err)
		}
	}
	if _, _, err := f.MigrateToDomain(t.Context(), active.GUID, "nowhere"); !errors.Is(err, ErrDomainNotFound) {
		t.Errorf("to no domain: %v", err)
	}
	if _, _, err := f.MigrateToDomain(t.Context(), "nobody", domain.GUID); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if _, err := f.ReportMigration(t.Context(), domain.GUID, active.AccountGUID, active.IdentityURL, "Fabrikam", 0); !errors.Is(err, ErrNotMigrating) {
		t.Errorf("report without a migration: %v", err)
	}
	if _, err := f.CancelMigration(t.Context(), active.GUID); !errors.Is(err, ErrNotMigrating) {
		t.Errorf("cancelling nothing: %v", err)
	}
	for _, status := range []Status{Disabled, Deleted, Migrated} {
		m := f.inStatus(t, domain, status, true)
		if _, err := f.MigrateToServer(t.Context(), m.GUID, elsewhere); !errors.Is(err, ErrStatus) {
			t.Errorf("of a member who is %v: %v", status, err)
		}
		if status == Migrated {
			continue
		}
		if _, err := f.ReportMigration(t.Context(), domain.GUID, m.AccountGUID, m.IdentityURL, "Fabrikam", 0); !errors.Is(err, ErrStatus) {
			t.Errorf("report of a member who is %v: %v", status, err)
		}
	}
}
