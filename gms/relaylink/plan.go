package relaylink

import (
	"furrow/appliance/state"
	"furrow/gms/directory"
	"furrow/gms/soap/spmr"
)

// plan is the difference between what a relay should know and what it has
// acknowledged, in the order in which it is sent.
type plan struct {
	defaults *spmr.RelayDefault
	add      []string // members
	lock     []string
	unlock   []string
	purge    []string
}

func (p *plan) empty() bool {
	return p.defaults == nil && p.size() == 0
}

// size is the number of members that a message is due for.
func (p *plan) size() int { return len(p.add) + len(p.lock) + len(p.unlock) + len(p.purge) }

// planAt compares. Members in skip are left out.
func (l *Links) planAt(r state.Reader, relay string, skip map[string]error) *plan {
	p := &plan{}
	row := l.rowAt(r, relay)
	if row.Wanted != nil && (row.Defaults == nil || *row.Defaults != *row.Wanted) {
		p.defaults = row.Wanted
	}
	for user := range l.directory.RelayUsers(r, relay) {
		if skip[user.Member] != nil {
			continue
		}
		known, ok := l.t.users.Get(r, userKey(relay, user.Member))
		deleted := user.Status == directory.Deleted
		lockout := deleted || user.Status == directory.Disabled
		switch {
		case deleted && (!ok || known.Purged):
			// The relay cannot have heard of it, or has done all it can.
		case !known.Added:
			if user.Assigned || ok {
				p.add = append(p.add, user.Member)
			}
		case lockout && !(known.LockoutKnown && known.Lockout):
			p.lock = append(p.lock, user.Member)
		case !lockout && !(known.LockoutKnown && !known.Lockout):
			p.unlock = append(p.unlock, user.Member)
		case deleted && row.Phase == built:
			// Not in a build, during which the relay may not serve anything.
			p.purge = append(p.purge, user.Member)
		}
	}
	return p
}
