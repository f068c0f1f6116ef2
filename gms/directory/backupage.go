package directory

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"furrow/appliance/state"
)

// BackupState is how old the backup of an active member's account is.
type BackupState struct {
	Member Member
	// Interval is how often the member's policy has the client back the account
	// up; zero: never.
	Interval time.Duration
	// Last is the last complete backup, nil if there is none.
	Last *Backup
	// Since is when that was stored, or the account registered if there is none.
	Since time.Time
}

// BackupStates returns the backups of the active members of a domain, or of all
// domains in use if it is empty, the longest ago first.
func (d *Directory) BackupStates(domain string) ([]BackupState, error) {
	view := d.store.Snapshot()
	var states []BackupState
	for _, m := range d.Members(MemberFilter{Domain: domain, Status: Active}) {
		s, err := d.backupState(view, m)
		if errors.Is(err, ErrDomainNotFound) || errors.Is(err, ErrTemplateNotFound) {
			continue // the domain was deleted
		}
		if err != nil {
			return nil, err
		}
		states = append(states, s)
	}
	slices.SortStableFunc(states, func(a, b BackupState) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Member.FullName, b.Member.FullName))
	})
	return states, nil
}

func (d *Directory) backupState(r state.Reader, m Member) (BackupState, error) {
	domain, err := d.liveDomainAt(r, m.Domain)
	if err != nil {
		return BackupState{}, err
	}
	template, err := d.membersTemplate(r, &domain.Domain, &m)
	if err != nil {
		return BackupState{}, err
	}
	s := BackupState{Member: m, Interval: template.Identity.Settings.BackupInterval, Since: m.Created}
	if account, ok := d.t.accounts.Get(r, joinKey(m.Domain, m.AccountGUID)); ok {
		s.Since = account.Created
	}
	switch last, err := d.lastBackup(r, m.Domain, m.AccountGUID); {
	case err == nil:
		s.Last, s.Since = &last, last.Changed
	case !errors.Is(err, ErrNoBackup):
		return BackupState{}, err
	}
	return s, nil
}
