package appliance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"furrow/sstp/carrier/port"
	"furrow/web/metrics"
)

const (
	// headerTimeout is how long a peer may take to send the head of a request; the slowest modem needs a second.
	headerTimeout = 15 * time.Second
	// maxHeader bounds the head of a request, in bytes: clients send a few hundred, and with a Kerberos ticket of
	// somebody in hundreds of groups up to 64,000.
	maxHeader = 72 << 10
	// idleTimeout ends a kept connection on which nothing is asked.
	idleTimeout = 2 * time.Minute
)

// services are the HTTP servers that run, each on its listener.
type services struct {
	log      *slog.Logger
	requests *metrics.Requests
	failed   chan error // capacity 1: the first server that ended by itself
	work     sync.WaitGroup

	mu      sync.Mutex
	running []httpService // guarded by mu
}

type httpService struct {
	name   string
	server *http.Server
}

func newServices(log *slog.Logger) *services {
	return &services{log: log, requests: metrics.NewRequests(), failed: make(chan error, 1)}
}

// start serves handler on listener, which it closes at the end.
func (s *services) start(name string, listener net.Listener, handler http.Handler) {
	s.run(name, handler, func(server *http.Server) error { return server.Serve(listener) })
}

// startTLS is start for TLS connections.
func (s *services) startTLS(name string, listener net.Listener, handler http.Handler, c *tls.Config) {
	s.run(name, handler, func(server *http.Server) error {
		server.TLSConfig = c
		return server.ServeTLS(listener, "", "")
	})
}

func (s *services) run(name string, handler http.Handler, serve func(*http.Server) error) {
	server := &http.Server{
		Handler:           s.requests.Count(name, handler),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // peers' mistakes
	}
	port.Configure(server)
	s.mu.Lock()
	s.running = append(s.running, httpService{name, server})
	s.mu.Unlock()
	s.work.Go(func() {
		if err := serve(server); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("%s: %w", name, err))
		}
	})
}

// fail reports that something ended by itself; the first report counts.
func (s *services) fail(err error) {
	select {
	case s.failed <- err:
	default:
		s.log.Error("service ended", "error", err)
	}
}

// stop lets running requests finish, ends those that are still there when ctx ends, and waits for all servers.
func (s *services) stop(ctx context.Context) error {
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	var errs []error
	for _, h := range running {
		err := h.server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = h.server.Close()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: stopping: %w", h.name, err))
		}
	}
	s.work.Wait()
	return errors.Join(errs...)
}
