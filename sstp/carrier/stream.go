package carrier

import (
	"net"
	"sync"
)

// bufferSize bounds what a stream holds in either direction, in octets: one body
// on its way and the next being made ready.
const bufferSize = 2 * maxBody

// stream is a stream whose octets are carried in pieces. The layer above reads
// and writes it; the carrier delivers to it and takes from it.
type stream struct {
	mu sync.Mutex
	// changed is broadcast when somebody who waits may go on.
	changed sync.Cond
	in, out []byte
	closed  bool  // by the layer above
	err     error // why it has ended; nil while it stands
	// wake is called, with mu held, when octets are there to be taken, and when
	// the stream has been closed or has ended.
	wake func()
}

func (s *stream) init(wake func()) {
	s.changed.L = &s.mu
	s.wake = wake
}

// Read reads what has been delivered, and returns why the stream has ended after
// the last of it.
func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.in) == 0 && s.err == nil && !s.closed {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case len(s.in) == 0:
		return 0, s.err
	}
	n := copy(p, s.in)
	if s.in = s.in[n:]; len(s.in) == 0 {
		s.in = nil // an idle stream is to be small
	}
	s.changed.Broadcast()
	return n, nil
}

// Write returns when p has been taken or waits to be.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	written := 0
	for {
		switch {
		case s.closed:
			return written, net.ErrClosed
		case s.err != nil:
			return written, s.err
		case written == len(p):
			return written, nil
		}
		n := min(len(p)-written, bufferSize-len(s.out))
		if n == 0 {
			s.changed.Wait()
			continue
		}
		s.out = append(s.out, p[written:written+n]...)
		written += n
		s.wake()
	}
}

// shut notes that the layer above has closed the stream, and reports whether that
// is new. What it has written is still to be taken.
func (s *stream) shut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.closed, s.in = true, nil
	s.changed.Broadcast()
	s.wake()
	return true
}

// finish ends the stream. It reports whether it had not ended before.
func (s *stream) finish(why error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.err, s.out = why, nil
	s.changed.Broadcast()
	s.wake()
	return true
}

// deliver gives octets to the layer above, which must have room for all. If that
// has closed the stream, it does not miss them.
func (s *stream) deliver(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.in) > 0 && len(s.in)+len(p) > bufferSize && s.err == nil && !s.closed {
		s.changed.Wait()
	}
	if s.err != nil {
		return s.err
	}
	if len(p) > 0 && !s.closed {
		s.in = append(s.in, p...)
		s.changed.Broadcast()
	}
	return nil
}

// take appends at most n octets that wait to dst.
func (s *stream) take(dst []byte, n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeLocked(dst, n)
}

func (s *stream) takeLocked(dst []byte, n int) []byte {
	n = min(n, len(s.out))
	if n <= 0 {
		return dst
	}
	dst = append(dst, s.out[:n]...)
	if s.out = s.out[n:]; len(s.out) == 0 {
		s.out = nil
	}
	s.changed.Broadcast()
	return dst
}

// outlook says what the carrier may expect: octets to take, that the layer above
// has closed the stream, that it has ended.
func (s *stream) outlook() (waiting int, closed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.out), s.closed, s.err
}
