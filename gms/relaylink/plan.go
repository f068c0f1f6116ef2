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
	forget   []string // gone from the directory, and from the relay: nothing is sent
}

func (p *plan) empty() bool {
	return p.defaults == nil && p.size() == 0 && len(p.forget) == 0
}

// size is the number of members that a message is due for.
func (p *plan) size() int { return len(p.add) + len(p.lock) + len(p.unlock) + len(p.purge) }

// planAt compares. Members in skip are left out. Users who are not in the directory
// any more, because their domain was purged, are treated as deleted ones and then
// forgotten.
func (l *Links) planAt(r state.Reader, relay string, skip map[string]error) *plan {
	p := &plan{}
	row := l.rowAt(r, relay)
	if row.Wanted != nil && (row.Defaults == nil || *row.Defaults != *row.Wanted) {
		p.defaults = row.Wanted
	}
	for user := range l.directory.RelayUsers(r, relay) {
		if skip[user.Member] == nil {
			known, ok := l.t.users.Get(r, userKey(relay, user.Member))
			p.user(user, known, ok, row.Phase)
		}
	}
	for known := range l.t.users.Range(r, relay+"\x00", relay+"\x01") {
		switch {
		case skip[known.Member] != nil || l.directory.HasMember(r, known.Member):
		case known.Purged:
			p.forget = append(p.forget, known.Member)
		default:
			p.user(directory.RelayUser{Member: known.Member, Status: directory.Deleted}, known, true, row.Phase)
		}
	}
	return p
}

// user adds what a user is due for. ok says that the relay may have heard of it,
// known is what it has acknowledged then.
func (p *plan) user(user directory.RelayUser, known userRow, ok bool, at phase) {
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
	case deleted && at == built:
		// Not in a build, during which the relay may not serve anything.
		p.purge = append(p.purge, user.Member)
	}
}
