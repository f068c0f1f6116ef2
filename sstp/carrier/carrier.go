// Package carrier carries the octet stream of SSTP in HTTP, for clients whose
// firewall lets nothing else through ([MS-GRVHENC]). It has both ends: a [Server]
// takes the requests that a listener finds to be of an encapsulation and hands
// the streams in them to a relay; [Dial] makes such a stream. Nothing here knows
// what the stream says.
//
// There are three encapsulations. LongLived is one GET whose response never ends
// and one POST whose body never ends. KeepAlive is many of both, a GET being held
// until there is something to answer. Polling is a series of POSTs, each on a TCP
// connection of its own. All of it looks like HTTP/1.0 from far away only, so
// heads are read here ([ReadHead]) and not by net/http.
//
// What belongs together is told by a GUID that the client makes: a virtual
// connection, which may outlive its TCP connections. The GUID is all the
// protocol has against strangers. Who knows it can take the place of a KeepAlive
// GET, or post; who does not will not guess 24 octets. It is not tied to an
// address, for proxies use several. It is never logged as a whole. A request for
// a virtual connection that does not fit its state is refused without harm to
// that connection, except where a sequence number or checksum shows that octets
// are missing.
//
// Octets come whole and in order, or the stream ends: a response or request of
// which it is not known whether it has arrived is never repeated, for nothing in
// the protocol would tell the copy. SSTP sends again what was not acknowledged.
//
// LongLived streams have no goroutine and no buffer of their own. The others
// hold at most 64 KB in either direction, and none while idle.
// Polling is half-duplex: while one end does not read, the other's octets wait,
// too.
//
// What rests on the project's wire profile, not on published text, is in
// profile.go.
package carrier

import "time"

// Mode is one of the encapsulations.
type Mode int

// The encapsulations, in the order of preference. KeepAlive and Polling also work
// through proxies that store whole bodies.
const (
	LongLived Mode = iota
	KeepAlive
	Polling
)

// String returns the name as ConnType has it.
func (m Mode) String() string {
	switch m {
	case LongLived:
		return "LongLived"
	case KeepAlive:
		return "KeepAlive"
	case Polling:
		return "Polling"
	}
	return "unknown"
}

// NoopInterval is how long either end of an SSTP connection in a carrier lets
// pass without sending before it sends a Noop ([MS-GRVHENC] 3.1.2.3): the timer is
// SSTP's, and has this value instead of its own. LongLived depends on it, for
// nothing else flows there.
const NoopInterval = 45 * time.Second
