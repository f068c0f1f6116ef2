package carrier

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	// maxRounds bounds the requests that it takes to satisfy a proxy: NTLM needs
	// three, and one more if the proxy hangs up first.
	maxRounds = 6

	// patience is how long a request that is not answered soon, or is not
	// complete, waits for a proxy to demand credentials.
	patience = time.Second

	// staleAfter is how long a connection may be idle before it is looked at
	// before it is used again, and staleProbe how long that takes.
	staleAfter = time.Second
	staleProbe = time.Millisecond
)

var errRounds = errors.New("carrier: the proxy demands credentials again and again")

// session is what a client has of HTTP for GET or for POST: one TCP connection at
// a time, made when it is needed.
type session struct {
	*client
	x       *exchange // nil if there is none
	release func() bool
	used    time.Time // when the last response came
	// unsettled says that the proxy may demand credentials on a new connection.
	unsettled bool
}

func (c *client) newSession() *session {
	return &session{client: c, unsettled: c.cfg.Proxy != nil}
}

// exchange sends a request and returns the body of the response, which is to be a
// success.
func (s *session) exchange(r *request, timeout time.Duration) ([]byte, error) {
	p, err := s.send(r)
	if err != nil {
		return nil, err
	}
	return s.finish(r, p, timeout)
}

// finish waits for the response to a request, if that is not p, and returns its
// body.
func (s *session) finish(r *request, p *reply, timeout time.Duration) ([]byte, error) {
	p, err := s.await(r, p, timeout)
	if err != nil {
		return nil, err
	}
	body, err := p.body(s.x.r)
	if err != nil {
		return nil, fmt.Errorf("reading a response: %w", err)
	}
	s.used = time.Now()
	if !p.keep {
		s.hangUp()
	}
	return body, nil
}

// send sends a request and does what a proxy demands at once. It returns nil if
// the response is still to come.
func (s *session) send(r *request) (*reply, error) {
	if s.cfg.Proxy != nil {
		if err := s.negotiate(); err != nil {
			return nil, err
		}
		defer s.negotiated()
	}
	wait := time.Duration(0)
	if s.x == nil && s.unsettled || r.incomplete() && s.cfg.Proxy != nil {
		wait = patience
	}
	return s.attempt(r, wait)
}

// await waits for the response to a request, if that is not p, and does what a
// proxy demands after all. Whatever is no success is an error.
func (s *session) await(r *request, p *reply, timeout time.Duration) (*reply, error) {
	for range maxRounds {
		var err error
		if p == nil {
			p, err = s.receive(timeout)
		}
		switch {
		case err != nil:
			return nil, err
		case p == nil:
			return nil, fmt.Errorf("waiting for a response: %w", os.ErrDeadlineExceeded)
		case p.code != http.StatusProxyAuthRequired || s.cfg.Proxy == nil:
			return p, p.check()
		}
		if p, err = s.challenged(r, p); err != nil {
			return nil, err
		}
	}
	return nil, errRounds
}

// challenged sends a request again that has met with a late demand.
func (s *session) challenged(r *request, p *reply) (*reply, error) {
	if err := s.negotiate(); err != nil {
		return nil, err
	}
	defer s.negotiated()
	if err := s.challenge(p); err != nil {
		return nil, err
	}
	return s.attempt(r, patience)
}

// attempt sends a request until it meets with a response that demands nothing, or
// with none for some time. It does so on one connection, if the proxy lets it,
// for NTLM authenticates that. A request with a 407 has not reached the relay. It
// is called between negotiate and negotiated if there is a proxy.
func (s *session) attempt(r *request, wait time.Duration) (*reply, error) {
	demanded := false
	for range maxRounds {
		fresh, err := s.connect()
		if err != nil {
			return nil, err
		}
		sent, err := s.transmit(r)
		if err != nil {
			return nil, err
		}
		limit := wait
		if sent != r {
			limit = receiveTime // its only purpose is the answer
		}
		p, err := s.receive(limit)
		if err != nil {
			return nil, err
		}
		if p == nil || p.code != http.StatusProxyAuthRequired || s.cfg.Proxy == nil {
			if sent != r {
				return nil, fmt.Errorf("%w: a proxy that does not go on with NTLM", errUnfit)
			}
			if fresh || demanded {
				s.unsettled = demanded
			}
			return p, nil
		}
		demanded = true
		wait = max(wait, patience)
		if err := s.challenge(p); err != nil {
			return nil, err
		}
	}
	return nil, errRounds
}

// transmit writes a request with the credentials of the proxy. It returns what it
// has written, which has no body if it cannot succeed.
func (s *session) transmit(r *request) (*request, error) {
	authorization := ""
	if s.cfg.Proxy != nil {
		var err error
		if authorization, err = s.cfg.Proxy.Authorize(r.method, r.uri); err != nil {
			return nil, fmt.Errorf("credentials for the proxy: %w", err)
		}
	}
	if r.incomplete() && isOpening(authorization) {
		empty := *r
		empty.length = 0
		r = &empty
	}
	if err := s.x.write(r.appendTo(nil, s.client, authorization)); err != nil {
		return nil, fmt.Errorf("sending a request: %w", err)
	}
	return r, nil
}

// isOpening reports whether credentials are the first message of NTLM, which is
// always answered with 407.
func isOpening(authorization string) bool {
	_, token, _ := strings.Cut(authorization, " ")
	return strings.HasPrefix(token, "TlRMTVNTUAAB") // "NTLMSSP", 1
}

// challenge takes what a proxy demands.
func (s *session) challenge(p *reply) error {
	if _, err := p.body(s.x.r); err != nil || !p.keep {
		s.hangUp()
	}
	if err := s.cfg.Proxy.Challenged(p.challenges()); err != nil {
		return fmt.Errorf("the proxy's demand for credentials: %w", err)
	}
	return nil
}

// receive reads the head of a response, or returns nil if it does not begin in
// time. It returns io.EOF if the connection ends before.
func (s *session) receive(wait time.Duration) (*reply, error) {
	if wait == 0 {
		return nil, nil
	}
	s.x.allow(wait)
	if _, err := s.x.r.Peek(1); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, nil
		}
		return nil, err
	}
	s.x.allow(receiveTime)
	return readReply(s.x.r)
}

// connect makes sure that there is a connection, and reports whether it is new.
func (s *session) connect() (fresh bool, err error) {
	if s.x != nil && time.Since(s.used) > staleAfter && s.stale() {
		s.hangUp()
	}
	if s.x != nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(s.life, receiveTime)
	defer cancel()
	conn, err := s.cfg.Dial(ctx)
	if err != nil {
		return false, fmt.Errorf("connecting: %w", err)
	}
	s.x = &exchange{conn, bufio.NewReader(conn)}
	s.release = context.AfterFunc(s.life, s.x.close)
	s.used = time.Now()
	return true, nil
}

// stale reports whether the other end has closed the connection meanwhile.
func (s *session) stale() bool {
	s.x.allow(staleProbe)
	_, err := s.x.r.Peek(1)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

func (s *session) hangUp() {
	if s.x != nil {
		s.release()
		s.x.close()
		s.x = nil
	}
}
