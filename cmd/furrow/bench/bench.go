// Package bench puts servers under load and measures them. It makes the work,
// which is the same for every server, and the figures; how a server is spoken to
// is that server's: [Box] is a scratch Furrow, and the nested module peers has
// others to compare it with.
//
// # Scenarios
//
// [FanOut] and [OneToOne] store messages for people who are not there and then
// have them drained, [Idle] holds connections on which nothing happens, and
// [Presence] has one person's changes seen by many. Each Run needs a server of
// its own that has just been started, and ends with it filled.
//
// # Figures
//
// Every figure is measured: what arrives is compared with what was sent, a
// message that is damaged, missing or there twice is an error, and so is a server
// that ends. Memory and processor time are those of the server's process as the
// kernel tells them (process.go). The clients run on the same machine and take
// their part of it; what counts are ratios of one run.
//
// # Simulated clients
//
// A simulated client of Furrow is a member of its own, made over the admin socket
// and announced to the relay by the management server, with a device, an account
// and an identity of its own that it registers by SSTP Security and proves at each
// connection. Two things are not as with real ones: it does not join the
// management server first, and all clients have the same RSA key pair, because
// making thousands takes minutes. The relay does not look at that.
package bench

import "context"

// Server is a server under load.
type Server interface {
	// Usage returns what the server has taken so far.
	Usage() (Usage, error)
	// Explain returns err, which is a failure of a scenario, or what has caused it.
	Explain(err error) error
}

// Route is who sends to whom. People are numbered from 0.
type Route struct {
	From int
	To   []int
}

// people counts those of the routes.
func people(routes []Route) int {
	most := -1
	for _, r := range routes {
		most = max(most, r.From)
		for _, to := range r.To {
			most = max(most, to)
		}
	}
	return most + 1
}

// Post is a server that keeps messages for people who are not there.
type Post interface {
	Server
	// Enrol makes the people of the routes known; nobody is connected when it
	// returns. It is called once.
	Enrol(ctx context.Context, routes []Route) error
	// Sender connects who sends on a route.
	Sender(ctx context.Context, route int) (Sender, error)
	// Drain connects a person and hands over what waits, acknowledging each
	// message when took returns nil. It disconnects and returns nil when ctx ends.
	// took may be called for several messages at a time, and keeps nothing of body.
	Drain(ctx context.Context, person int, took func(body []byte) error) error
}

// Sender is a connected person who sends. Send may be called for several messages
// at a time.
type Sender interface {
	// Send returns when the server has taken the message over for all of the
	// route.
	Send(ctx context.Context, body []byte) error
	Close() error
}

// Progress is told how far a scenario has come.
type Progress func(what string, done, total int)
