package relay

import (
	"slices"
	"sync"
	"time"

	"furrow/relay/queue"
	"furrow/sstp"
)

// fanout is an inbound session to many addresses. It is the [sstp.Receiver] of
// that session.
type fanout struct {
	intake
	connection *connection
	session    *sstp.InboundSession
	// entries are the FanoutAddressingList, which is never added to or deleted
	// from ([MS-GRVSSTP] 3.3.1).
	entries []sstp.FanoutDeviceEntry

	mu      sync.Mutex
	gone    []bool // the entries whose loss the originator has been told, or is to be
	left    int    // entries not gone
	ended   bool
	closing *time.Timer // the deferred close of note <16>
}

// maxRelays bounds the other relays of one session: each is looked up and
// dialled, whoever made up its name.
const maxRelays = 64

// fault is why entries of a fanout session drop out ([MS-GRVSSTP] 3.3.4.1.2).
type fault struct {
	status  sstp.StatusID
	entries []int
}

// FanoutOpen implements [sstp.Handler]; the checks of [MS-GRVSSTP] 3.3.5.6 have
// been made. A relay may address users of this one only: there is one hop.
func (c *connection) FanoutOpen(session *sstp.InboundSession, m *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	f := &fanout{
		connection: c,
		session:    session,
		entries:    m.Entries,
		gone:       make([]bool, len(m.Entries)),
		left:       len(m.Entries),
	}
	f.intake = intake{server: c.server, resource: m.ResourceURL, settle: f.settle, targets: f.targets}
	for i := range f.entries {
		e := &f.entries[i]
		if slices.Contains(c.server.config.DeviceURLs, e.RelayURL) {
			e.RelayURL = ""
		}
		e.FailoverDeviceURLs = "" // of version 1.6, where everyone leaves it empty
		if e.RelayURL != "" && c.isRelay() {
			return nil, sstp.OpenFanoutNotSupported
		}
	}
	if n := len(f.relays()); n > maxRelays {
		c.server.log.Warn("relay: fanout session refused", "peer", c.admittedAs, "relays", n)
		return nil, sstp.OpenFanoutNotSupported
	}
	c.enter(f)
	c.server.counters.fanouts.Add(1)
	c.server.work.Go(f.begin)
	return f, sstp.OpenOk
}

// begin tells the originator who drops out at once, and has the other relays
// looked for.
func (f *fanout) begin() {
	f.recheck()
	for _, relay := range f.relays() {
		f.server.subscribe(relay, f)
	}
}

// relays are those that entries name, each once.
func (f *fanout) relays() []string {
	var list []string
	seen := make(map[string]bool)
	for i := range f.entries {
		if url := f.entries[i].RelayURL; url != "" && !seen[url] {
			seen[url] = true
			list = append(list, url)
		}
	}
	return list
}

// targets returns one target for each entry of this relay that is left, and one
// for each other relay.
func (f *fanout) targets() []target {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []target
	elsewhere := make(map[string]int) // index in list
	for i, e := range f.entries {
		if f.gone[i] {
			continue
		}
		if e.RelayURL == "" {
			a := queue.Address{Resource: f.resource, Identity: e.IdentityURL, Device: e.DeviceURL}
			list = append(list, target{queue.Recipient{Address: a}, []int{i}})
			continue
		}
		at, known := elsewhere[e.RelayURL]
		if !known {
			at = len(list)
			elsewhere[e.RelayURL] = at
			list = append(list, target{Recipient: queue.Recipient{Address: queue.Address{Relay: e.RelayURL}}})
		}
		list[at].entries = append(list[at].entries, i)
	}
	for _, at := range elsewhere {
		list[at].Route = f.route(list[at].entries)
	}
	return list
}

// route is what another relay is to be told of the entries. They came in one
// command, so they fit in one.
func (f *fanout) route(entries []int) []byte {
	part := make([]sstp.FanoutDeviceEntry, len(entries))
	for n, i := range entries {
		part[n] = f.entries[i]
	}
	octets, err := route(f.resource, part)
	if err != nil {
		f.server.log.Error("relay: forwarding", "err", err)
	}
	return octets
}

// settle tells the originator which targets may not have the message, and has it
// forwarded.
func (f *fanout) settle(to []target, verdicts []queue.Verdict) {
	if verdicts == nil {
		f.close(sstp.ReasonInternalError)
		return
	}
	var full, locked []int
	for n, v := range verdicts {
		switch v {
		case queue.NoRoom, queue.TooLarge:
			full = append(full, to[n].entries...)
		case queue.Unknown, queue.LockedOut:
			// There is no status for who is not known, and none needed: neither
			// may store messages here.
			locked = append(locked, to[n].entries...)
		}
		if to[n].Relay != "" {
			f.server.forward(to[n].Relay)
		}
	}
	f.drop(fault{sstp.StatusQuotaWouldBeExceeded, full}, fault{sstp.StatusLockedOut, locked})
}

// recheck implements recipients.
func (f *fanout) recheck() {
	var full, locked []int
	for _, t := range f.targets() {
		v, err := f.server.queues.Standing(t.Address)
		switch {
		case err != nil:
			f.server.log.Error("relay: checking a fanout session", "err", err)
			return
		case v == queue.NoRoom:
			full = append(full, t.entries...)
		case v == queue.Unknown || v == queue.LockedOut:
			locked = append(locked, t.entries...)
		}
	}
	f.drop(fault{sstp.StatusQuotaWouldBeExceeded, full}, fault{sstp.StatusLockedOut, locked})
}

// relayFailed drops the entries of a relay that cannot be reached.
func (f *fanout) relayFailed(relayURL string, status sstp.StatusID) {
	f.drop(fault{status, f.find(func(e *sstp.FanoutDeviceEntry) bool { return e.RelayURL == relayURL })})
}

// refusedBy drops the entries that another relay has refused.
func (f *fanout) refusedBy(relayURL string, status sstp.StatusID, refused []sstp.FanoutDeviceEntry) {
	f.drop(fault{status, f.find(func(e *sstp.FanoutDeviceEntry) bool {
		return e.RelayURL == relayURL && slices.ContainsFunc(refused, func(r sstp.FanoutDeviceEntry) bool {
			return r.IdentityURL == e.IdentityURL && r.DeviceURL == e.DeviceURL
		})
	})})
}

func (f *fanout) find(match func(*sstp.FanoutDeviceEntry) bool) []int {
	var list []int
	for i := range f.entries {
		if match(&f.entries[i]) {
			list = append(list, i)
		}
	}
	return list
}

// Message implements [sstp.Receiver].
func (f *fanout) Message(m *sstp.Incoming) { f.take(m) }

// Closed implements [sstp.Receiver].
func (f *fanout) Closed(error) { f.end() }

func (f *fanout) close(reason sstp.Reason) {
	f.refuse()
	f.session.Close(reason)
	f.end()
}

func (f *fanout) isEnded() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

// end lets go of everything that knows of the session.
func (f *fanout) end() {
	f.mu.Lock()
	f.ended = true
	if f.closing != nil {
		f.closing.Stop()
	}
	f.mu.Unlock()
	f.connection.forget(f)
	for _, relay := range f.relays() {
		f.server.unsubscribe(relay, f)
	}
}
