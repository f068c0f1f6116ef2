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
	add      []string // users
	lock     []string
	unlock   []string
	purge    []string
	forget   []string // gone from the directory, and from the relay: nothing is sent
}

func (p *plan) empty() bool {
	return p.defaults == nil && p.size() == 0 && len(p.forget) == 0
}

// size is the number of users that a message is due for.
func (p *plan) size() int { return len(p.add) + len(p.lock) + len(p.unlock) + len(p.purge) }

// planAt compares. Users in skip are left out. Users who are not in the directory
// any more, because their domain was purged, are treated as deleted ones and then
// forgotten.
func (l *Links) planAt(r state.Reader, relay string, skip map[string]error) *plan {
	p := &plan{}
	row := l.rowAt(r, relay)
	if row.Wanted != nil && (row.Defaults == nil || *row.Defaults != *row.Wanted) {
		p.defaults = row.Wanted
	}
	for user := range l.directory.RelayUsers(r, relay) {
		if skip[user.ID] == nil {
			known, ok := l.t.users.Get(r, userKey(relay, user.ID))
			p.user(user, known, ok, row.Phase)
		}
	}
	for known := range l.t.users.Range(r, relay+"\x00", relay+"\x01") {
		switch {
		case skip[known.User] != nil || l.isMember(r, known.User):
		case known.Purged:
			p.forget = append(p.forget, known.User)
		default:
			p.user(directory.RelayUser{ID: known.User, Status: directory.Deleted}, known, true, row.Phase)
		}
	}
	return p
}

func (l *Links) isMember(r state.Reader, user string) bool {
	_, ok := l.directory.MemberOfRelayUser(r, user)
	return ok
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
			p.add = append(p.add, user.ID)
		}
	case lockout && !(known.LockoutKnown && known.Lockout):
		p.lock = append(p.lock, user.ID)
	case !lockout && !(known.LockoutKnown && !known.Lockout):
		p.unlock = append(p.unlock, user.ID)
	case deleted && at == built:
		// Not in a build, during which the relay may not serve anything.
		p.purge = append(p.purge, user.ID)
	}
}
