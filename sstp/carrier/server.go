package carrier

import (
	"bufio"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
)

const (
	defaultProduct        = "Furrow/1"
	defaultMaxConnections = 10_000
	defaultMaxWaiting     = 1024
)

// ServerConfig is what a Server needs to know. It is not changed afterwards.
type ServerConfig struct {
	// Adopt takes a stream as the relay's own, and returns at once. It is to
	// close the stream in the end.
	Adopt func(io.ReadWriteCloser)

	// Names reports whether a name that a client calls the relay by is the
	// relay's; case does not matter in it. Nil takes any ([MS-GRVHENC] 3.2.5.1.1,
	// note <19>).
	Names func(host string) bool

	// Other takes a connection on which, after requests of an encapsulation,
	// another one has come: proxies use connections for several clients. Nil
	// answers such a request with 400. Shutdown does not wait for it.
	Other func(conn net.Conn, r *bufio.Reader, h Head)

	// Product is the Server header, product/version; "" is "Furrow/1".
	Product string

	// MaxConnections bounds the virtual connections; 0 is 10,000. Beyond it new
	// ones are refused.
	MaxConnections int

	// MaxWaiting bounds those that are not complete yet; 0 is 1,024. Beyond it
	// the one that has waited longest makes room, for the two halves of an
	// honest client meet at once.
	MaxWaiting int

	// Log receives what is worth knowing about single connections; nil means
	// nobody does.
	Log *slog.Logger
}

// Stats are numbers about a Server.
type Stats struct {
	LongLived, KeepAlive, Polling int    // virtual connections that stand
	Waiting                       int    // virtual connections not complete yet
	Opened                        uint64 // virtual connections that ever stood
	Refused                       uint64 // requests refused
	Forsaken                      uint64 // virtual connections dropped before they were complete
}

// Server is the relay's end of the encapsulations. It is safe for concurrent use.
type Server struct {
	cfg ServerConfig
	log *slog.Logger

	// serving counts calls of Serve.
	serving sync.WaitGroup

	mu       sync.Mutex
	stopping bool // nothing new is begun
	stopped  bool // nothing at all is served
	// vanished is closed when the last virtual connection of a server that stops
	// has ended.
	vanished  chan struct{}
	exchanges map[*exchange]struct{} // that Serve is busy with
	table     map[string]*virtual    // VirtualConnectionGUIDList
	waiting   list.List              // the *virtual not complete yet, the oldest first
	stats     Stats
}

// NewServer returns a Server.
func NewServer(cfg ServerConfig) *Server {
	if cfg.Product == "" {
		cfg.Product = defaultProduct
	}
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = defaultMaxConnections
	}
	if cfg.MaxWaiting == 0 {
		cfg.MaxWaiting = defaultMaxWaiting
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		cfg:       cfg,
		log:       cfg.Log,
		vanished:  make(chan struct{}),
		exchanges: make(map[*exchange]struct{}),
		table:     make(map[string]*virtual),
	}
}

// Claims reports whether a request belongs to an encapsulation: "POST /" is
// Polling, and the others have a ConnType in their URI.
func (s *Server) Claims(h Head) bool {
	return isPolling(h) || (h.Method == http.MethodGet || h.Method == http.MethodPost) && strings.Contains(h.Target, connTypeMark)
}

// isPolling reports whether a request is of Polling ([MS-GRVHENC] 2.2.4.1.1).
func isPolling(h Head) bool {
	return h.Method == http.MethodPost && path(h.Target) == "/"
}

// verdict says what becomes of an exchange after a request.
type verdict int

const (
	hangUp    verdict = iota // it is closed
	goOn                     // the next request may come
	handedOn                 // it belongs to a virtual connection now
	dismissed                // a refusal has been written
)

// Serve answers the request whose head has been read from conn by way of r, and
// those that follow on conn. It takes conn over, whose deadlines it sets itself,
// and returns when done with it or when a virtual connection has taken it. r reads
// from conn itself.
func (s *Server) Serve(conn net.Conn, r *bufio.Reader, h Head) {
	x := &exchange{conn, r}
	if other := s.serve(x, h); other != nil {
		s.cfg.Other(conn, r, *other)
	}
}

// serve answers the requests on an exchange. It returns the head of one that is
// none of ours, if there is somebody to take it.
func (s *Server) serve(x *exchange, h Head) (other *Head) {
	if !s.enter(x) {
		x.close()
		return nil
	}
	defer s.leave(x)
	for s.Claims(h) {
		switch s.answer(x, h) {
		case hangUp:
			x.close()
			return nil
		case dismissed:
			x.dismiss()
			return nil
		case handedOn:
			return nil
		}
		var err error
		if h, err = x.next(); err != nil {
			if errors.Is(err, ErrHead) {
				s.log.Debug("carrier: next request", "peer", x.conn.RemoteAddr(), "err", err)
			}
			x.close()
			return nil
		}
	}
	if s.cfg.Other != nil {
		x.allowAll()
		return &h
	}
	s.refuse(x, http.StatusBadRequest, errTarget)
	x.dismiss()
	return nil
}

// enter notes that Serve is busy with an exchange, unless the server has stopped.
func (s *Server) enter(x *exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.serving.Add(1)
	s.exchanges[x] = struct{}{}
	return true
}

func (s *Server) leave(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.exchanges, x)
	s.serving.Done()
}

// answer answers one request.
func (s *Server) answer(x *exchange, h Head) verdict {
	x.allow(receiveTime)
	if isPolling(h) {
		return s.answerPoll(x, h)
	}
	t, err := parseTarget(h.Target)
	if err == nil {
		err = s.checkName(t.server)
	}
	switch {
	case errors.Is(err, errVersion):
		return s.refuse(x, http.StatusBadRequest, err) // 3.2.5.1.1.2, 3.4.5.1.1.2
	case err != nil && t.mode == LongLived:
		return s.drop(x, err) // 3.2.5.1.1
	case err != nil:
		return s.refuse(x, http.StatusBadRequest, err)
	case t.mode == LongLived:
		return s.answerLongLived(x, h.Method == http.MethodGet, t)
	default:
		return s.answerKeepAlive(x, h, t)
	}
}

var errName = errors.New("carrier: not the name of this relay")

func (s *Server) checkName(name string) error {
	if s.cfg.Names != nil && !s.cfg.Names(name) {
		return fmt.Errorf("%w: %q", errName, name)
	}
	return nil
}

// refuse answers with an error.
func (s *Server) refuse(x *exchange, code int, why error) verdict {
	s.refused(x, why)
	if x.write(appendResponse(nil, s.cfg.Product, code, false, 0)) != nil {
		return hangUp
	}
	return dismissed
}

// drop closes an exchange without an answer.
func (s *Server) drop(x *exchange, why error) verdict {
	s.refused(x, why)
	return hangUp
}

func (s *Server) refused(x *exchange, why error) {
	s.log.Info("carrier: request refused", "peer", x.conn.RemoteAddr(), "err", why)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Refused++
}

// Shutdown ends all virtual connections and waits until nothing of the server is
// left, or ctx ends. What the relay has left in streams that it has closed is
// still delivered, if it is asked for in time.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopping {
		s.stopping = true
		s.announce()
	}
	var ends []func(error)
	for _, v := range s.table {
		ends = append(ends, v.resign)
	}
	s.mu.Unlock()
	for _, end := range ends {
		end(errStopping)
	}
	var err error
	select {
	case <-s.vanished:
	case <-ctx.Done():
		err = fmt.Errorf("ending virtual connections: %w", context.Cause(ctx))
		s.endAll()
	}
	s.mu.Lock()
	s.stopped = true
	for x := range s.exchanges {
		x.close()
	}
	s.mu.Unlock()
	s.serving.Wait()
	return err
}

// endAll ends what is still lingering.
func (s *Server) endAll() {
	s.mu.Lock()
	var ends []func(error)
	for _, v := range s.table {
		ends = append(ends, v.end)
	}
	s.mu.Unlock()
	for _, end := range ends {
		end(errStopping)
	}
}

// announce closes vanished when there is nothing left to wait for. It is called
// with mu held, of a server that stops.
func (s *Server) announce() {
	if len(s.table) > 0 {
		return
	}
	select {
	case <-s.vanished:
	default:
		close(s.vanished)
	}
}

// Stats returns the numbers of now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Waiting = s.waiting.Len()
	return stats
}
