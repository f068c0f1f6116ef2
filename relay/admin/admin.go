// Package admin is the SOAP server by which management servers manage the relay:
// the server role of [MS-GRVSPMR], over package registry.
//
// A request goes through one function to each layer, and whatever goes wrong on
// the way comes back as an error that holds the fault to answer:
//
//	ServeHTTP           HTTP method, header, body                http.go
//	  answer            envelope, panics                         exchange.go
//	    register        Registration (3.2.4.1.3)                 registration.go
//	    apply           the other methods (3.2.4.2)              methods.go
//	      registry      one durable transaction
//
// A request that comes twice, because its answer was lost or because somebody
// has recorded it, is carried out once: the registry keeps a note of each beside
// the change it made.
//
// What is wrong with a Registration is told to nobody: each failure to prove who
// sent it is the same fault 305, and the log has the reason. A manager that is
// not known is told to register (304), like one that has no key.
//
// Faults are answered with HTTP status 200 (reading C4).
//
// [MS-GRVSPMR]: https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-grvspmr
package admin

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"furrow/appliance/keys"
	"furrow/relay/registry"
)

// Purger discards messages that the relay keeps for users.
type Purger interface {
	// Purge discards what is kept there and returns when that is durable. It may
	// come again for the same holdings.
	Purge(ctx context.Context, holdings []registry.Holding) error
}

// Config is what a Server works with.
type Config struct {
	Registry *registry.Registry
	Purger   Purger
	// Keys are those of the relay's SOAP certificate.
	Keys *keys.KeySet
	// Now gives the time for the durations in the log.
	Now func() time.Time
	Log *slog.Logger
}

// Server answers management servers over HTTP. It is an [http.Handler], safe for
// concurrent use, and has nothing to close.
type Server struct {
	registry *registry.Registry
	purger   Purger
	keys     *keys.KeySet
	now      func() time.Time
	log      *slog.Logger

	disabled atomic.Bool
	working  chan struct{} // one value for each request that is being parsed
}

// maxWorking bounds the requests that are worked on at one time. Parsing one of
// the largest size takes up to [soap.AllocationFactor] MiB; managers send a few
// requests a minute.
const maxWorking = 4

// New returns a server, which is enabled.
func New(c Config) *Server {
	return &Server{
		registry: c.Registry,
		purger:   c.Purger,
		keys:     c.Keys,
		now:      c.Now,
		log:      c.Log,
		working:  make(chan struct{}, maxWorking),
	}
}

// SetEnabled switches processing: while it is off every request is answered with
// fault 313.
func (s *Server) SetEnabled(enabled bool) { s.disabled.Store(!enabled) }
