package directory

import (
	"testing"
	"time"
)

func TestBackupStates(t *testing.T) {
	f := newBackedUp(t)
	registered := f.now
	f.active(t, f.domain, "Bert", "bertsaccount", "grooveIdentity://bert@")
	f.fixture.member(t, f.domain, "Pending")
	f.now = f.now.Add(48 * time.Hour)
	f.store(t, "a", 1, 2, 2)

	states, err := f.BackupStates("")
	must(t, err)
	if len(states) != 2 {
		t.Fatalf("%d states: %+v", len(states), states)
	}
	bert, anna := states[0], states[1]
	if bert.Member.FullName != "Bert" || bert.Last != nil || !bert.Since.Equal(registered) || bert.Interval != 24*time.Hour {
		t.Errorf("without a backup: %+v", bert)
	}
	if anna.Member.FullName != "Anna" || anna.Last == nil || !anna.Since.Equal(f.now) {
		t.Errorf("with a backup: %+v", anna)
	}
	f.policy(t, f.domain, func(s *IdentitySettings) { s.Identity.BackupInterval = 0 })
	if states, err = f.BackupStates(f.domain.GUID); err != nil || states[0].Interval != 0 {
		t.Errorf("with backups switched off: %+v, %v", states, err)
	}
	other := f.fixture.domain(t, "Other")
	if states, err = f.BackupStates(other.GUID); err != nil || len(states) != 0 {
		t.Errorf("of another domain: %+v, %v", states, err)
	}
}
