package relaylink

import (
	"time"

	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
)

// Status is how a relay is doing, for administrators.
type Status struct {
	Relay     string // GUID
	DeviceURL string
	SOAPURL   string
	// Registered says that a key is shared with the relay.
	Registered bool
	// Building says that the relay's user database is being built, or about to be.
	Building bool
	// Pending is the number of members of whom the relay has yet to be told.
	Pending int
	// Users is the number of users that the relay is known to have.
	Users int
	// Wanted are the settings that the relay was given, nil to leave it its own.
	Wanted *spmr.RelayDefault
	// Contact is when the relay last answered a message, zero since the start of
	// the program if it has not.
	Contact time.Time
	// Error is why it could not be, "" if it could.
	Error string
	// Failures counts the attempts that failed since, Next is the time of the next.
	Failures int
	Next     time.Time
}

// health is the part of Status that is not durable.
type health struct {
	contact  time.Time
	err      error
	failures int
	next     time.Time
	pending  int
}

// Status returns the state of every relay of the directory.
func (l *Links) Status() []Status {
	view := l.store.Snapshot()
	var all []Status
	for _, relay := range l.directory.Relays() {
		row := l.rowAt(view, relay.GUID)
		h := l.of(relay.GUID).currentHealth()
		s := Status{
			Relay: relay.GUID, DeviceURL: relay.DeviceURL, SOAPURL: relay.SOAPURL,
			Registered: len(row.SealedKey) > 0, Building: row.Phase != built,
			Users: l.usersOf(view, relay.GUID), Wanted: row.Wanted, Pending: h.pending, Contact: h.contact, Failures: h.failures, Next: h.next,
		}
		if h.err != nil {
			s.Error = h.err.Error()
		}
		all = append(all, s)
	}
	return all
}

func (l *Links) usersOf(view state.Reader, relay string) (n int) {
	for user := range l.t.users.Range(view, relay+"\x00", relay+"\x01") {
		if user.Added && !user.Purged {
			n++
		}
	}
	return n
}

func (k *link) currentHealth() health {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.health
}

// planned notes what a pass has to do.
func (k *link) planned(pending int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.health.pending = pending
}

// passed notes the end of a pass.
func (k *link) passed(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.health.err, k.health.next = err, time.Time{}
	if err != nil {
		k.health.failures++
		return
	}
	k.health.failures = 0
}

// pausing notes when the next attempt comes.
func (k *link) pausing(wait time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.health.next = k.now().Add(wait)
}

// contacted notes an answer of the relay.
func (k *link) contacted() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.health.contact = k.now()
}
