package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"furrow/sstp"
	"furrow/sstp/auth"
)

// deadPeer finds out within a minute that a peer has gone without a word, so
// that its device does not run out of connections.
func deadPeer() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}
}

const (
	// acceptPause is how long to wait after a failed accept: it fails for want
	// of descriptors, which others give back.
	acceptPause = 50 * time.Millisecond
)

// Serve accepts connections until Shutdown, which closes l and lets it return
// nil. It may be called for several listeners at once.
func (s *Server) Serve(l net.Listener) error {
	if !s.addListener(l) {
		return l.Close()
	}
	for {
		transport, err := l.Accept()
		switch {
		case err == nil:
			s.Adopt(transport)
		case s.isStopping():
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accepting on %s: %w", l.Addr(), err)
		default:
			s.log.Warn("relay: accepting", "listener", l.Addr(), "err", err)
			time.Sleep(acceptPause)
		}
	}
}

func (s *Server) addListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// Adopt serves a connection whose transport stands, such as one that came in a
// carrier. It returns at once; the transport is the relay's from then on. If it has
// a method Proven, that is called when a device has authenticated; other relays
// never do.
func (s *Server) Adopt(transport io.ReadWriteCloser) {
	s.mu.Lock()
	full := s.stopping || len(s.conns) >= s.config.MaxConnections
	if full {
		s.mu.Unlock()
		s.counters.turnedAway.Add(1)
		if err := transport.Close(); err != nil {
			s.log.Debug("relay: turning a connection away", "err", err)
		}
		return
	}
	if t, ok := transport.(interface {
		SetKeepAliveConfig(net.KeepAliveConfig) error
	}); ok {
		if err := t.SetKeepAliveConfig(deadPeer()); err != nil {
			s.log.Debug("relay: setting keep-alive", "err", err)
		}
	}
	proven := func() {}
	if t, ok := transport.(interface{ Proven() }); ok {
		proven = t.Proven
	}
	conn := sstp.Accept(transport, s.sstp, func(conn *sstp.Conn, m *sstp.Connect) sstp.Admission {
		return s.admit(conn, m, proven)
	})
	s.conns[conn] = struct{}{}
	s.mu.Unlock()
	s.work.Go(func() {
		<-conn.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, conn)
	})
}

// admit decides about a Connect ([MS-GRVSSTP] 3.1.5.1). Lockout is the gate's to
// find.
func (s *Server) admit(conn *sstp.Conn, m *sstp.Connect, proven func()) sstp.Admission {
	retry := uint32(s.config.RetryTime / time.Second)
	if s.registry.Quiescent() || s.isStopping() {
		return sstp.Admission{Response: sstp.ResponseTryLater, RetryTime: retry}
	}
	c := newConnection(s, conn, auth.NewGate(s.registry, s.config.Key), admittedAs(m.SourceDeviceURLs), proven)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices[c.admittedAs]++
	return sstp.Admission{
		Response:  sstp.ResponseOk,
		RetryTime: retry,
		TooMany:   s.devices[c.admittedAs] > s.config.DeviceConnections,
		Gate:      c.gate,
		Handler:   c,
	}
}

// admittedAs is the URL by which the connections of a peer are counted: that of
// the device, as the gate finds it, or of the relay.
func admittedAs(sources []string) string {
	if i := slices.IndexFunc(sources, func(url string) bool { return sstp.CheckDeviceURL(url) == nil }); i >= 0 {
		return sources[i]
	}
	if len(sources) > 0 {
		return sources[0]
	}
	return ""
}

// release takes back what admit has counted.
func (s *Server) release(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, c)
	if s.devices[c.admittedAs]--; s.devices[c.admittedAs] == 0 {
		delete(s.devices, c.admittedAs)
	}
}

// served notes that a peer is served from now on.
func (s *Server) served(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers[c] = struct{}{}
}

// everybody lists the peers that are served.
func (s *Server) everybody() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*connection, 0, len(s.peers))
	for c := range s.peers {
		list = append(list, c)
	}
	return list
}

// Shutdown closes the listeners and tells every peer to come again after
// returnTime ([MS-GRVSSTP] 3.1.5.4). It returns when all connections have ended
// and what they were storing is stored or given up, which takes some seconds at
// most, or when ctx ends. It may be called again to go on waiting.
func (s *Server) Shutdown(ctx context.Context, returnTime time.Duration) error {
	s.mu.Lock()
	s.stopping = true
	var errs []error
	for l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("closing a listener: %w", err))
		}
	}
	clear(s.listeners)
	for conn := range s.conns {
		conn.Close(sstp.ReasonResting, returnTime)
	}
	s.mu.Unlock()
	s.cancel()
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("ending the relay's connections: %w", context.Cause(ctx)))
	}
	return errors.Join(errs...)
}
