package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"furrow/appliance/host"
	"furrow/web/api"
)

const (
	// headerTimeout is how long a peer may take to send the head of a request; the slowest modem needs a second.
	headerTimeout = 15 * time.Second
	// maxHeader bounds the head of a request, in bytes; clients send a few hundred.
	maxHeader = 16 << 10
	// idleTimeout ends a kept connection on which nothing is asked.
	idleTimeout = 2 * time.Minute
	// drainTimeout is how long running requests may take to finish after a stop was asked for; service managers wait
	// 90 seconds before they kill.
	drainTimeout = 20 * time.Second
)

// Run serves until ctx ends, then finishes the running requests and closes everything. It returns an error when the
// box had to stop by itself.
func (a *Appliance) Run(ctx context.Context) error {
	servers := []httpService{
		{"gms", a.gms, a.newServer(a.service)},
		{"admin", a.admin, a.newServer(api.NewHandler(api.Config{
			Directory: a.directory, Store: a.store, Recovery: a.report.Recovery, Version: a.opts.Version, Log: a.opts.Log,
		}))},
	}
	ended := make(chan error, len(servers))
	for _, s := range servers {
		go func() { ended <- s.serve() }()
	}
	a.tell("ready", host.Ready("serving "+a.serverURL))

	var cause error
	running := len(servers)
	select {
	case <-ctx.Done():
	case <-a.store.Failed():
		cause = fmt.Errorf("stopping because the disk can no longer be trusted: %w", a.store.Err())
	case cause = <-ended:
		running--
	}
	a.tell("stopping", host.Stopping())

	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	errs := []error{cause}
	for _, s := range servers {
		errs = append(errs, s.shutdown(drain))
	}
	for range running {
		errs = append(errs, <-ended)
	}
	return errors.Join(append(errs, a.Close())...)
}

func (a *Appliance) newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(a.opts.Log.Handler(), slog.LevelDebug), // peers' mistakes
	}
}

// tell logs that the service manager could not be told; the box serves all the same.
func (a *Appliance) tell(what string, err error) {
	if err != nil {
		a.opts.Log.Warn("service manager not told", "state", what, "error", err)
	}
}

// httpService is one HTTP server on one listener.
type httpService struct {
	name     string
	listener net.Listener
	server   *http.Server
}

func (s httpService) serve() error {
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// shutdown lets running requests finish, and ends those that are still there when ctx ends.
func (s httpService) shutdown(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	if err != nil {
		return fmt.Errorf("%s: stopping: %w", s.name, err)
	}
	return nil
}
