package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// maxAnswer bounds an answer of a proxy, with the page for people in it.
	maxAnswer = 256 << 10

	// maxRounds is enough for the longest conversation: a challenge, an old nonce or
	// the second message of NTLM, and the answer that counts.
	maxRounds = 4
)

// StatusError is an answer of a proxy other than what was wanted.
type StatusError struct {
	Proxy   string // host:port
	Request string // "CONNECT relay.example:443"
	Code    int
	Status  string // "403 Forbidden"
}

// Error names the proxy and the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("proxy %s: %s: %s", e.Proxy, e.Request, e.Status)
}

// session is a connection to a proxy, before it is anybody else's.
type session struct {
	net.Conn
	bound *io.LimitedReader // of Conn, for one answer
	in    *bufio.Reader     // of bound
}

func (p *Proxy) open(ctx context.Context) (*session, error) {
	conn, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	bound := &io.LimitedReader{R: conn}
	return &session{Conn: conn, bound: bound, in: bufio.NewReader(bound)}, nil
}

// converse sends a request without a body until the proxy does not ask who it is
// from, and returns the answer with the connection. Whether that stands for another
// request is what reusable says.
func (p *Proxy) converse(ctx context.Context, method, target, host string) (s *session, answer *http.Response, reusable bool, err error) {
	defer func() {
		if err != nil && s != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	l := &login{proxy: p}
	for range maxRounds {
		if s == nil {
			if s, err = p.open(ctx); err != nil {
				return nil, nil, false, err
			}
		}
		value, err := l.authorize(method, target)
		if err != nil {
			return s, nil, false, err
		}
		answer, reusable, err = s.ask(ctx, method, target, host, value)
		switch {
		case err != nil:
			return s, nil, false, fmt.Errorf("proxy %s: %s %s: %w", p, method, target, err)
		case answer.StatusCode != http.StatusProxyAuthRequired:
			p.heard()
			return s, answer, reusable, nil
		}
		if err := l.challenged(answer.Header.Values("Proxy-Authenticate")); err != nil {
			return s, nil, false, err
		}
		if reusable {
			continue
		}
		if l.bound() {
			return s, nil, false, fmt.Errorf("proxy %s: it closes the connection in the middle of NTLM", p)
		}
		if err := s.Close(); err != nil {
			return nil, nil, false, fmt.Errorf("proxy %s: %w", p, err)
		}
		s = nil
	}
	return s, nil, false, fmt.Errorf("proxy %s: %w", p, ErrRejected)
}

// heard takes note that a proxy has answered without asking.
func (p *Proxy) heard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.scheme == unknownScheme {
		p.scheme = openScheme
	}
}

// ask sends a request and reads the answer: the head and, of one that asks who that
// was, the body, of which nothing is kept.
func (s *session) ask(ctx context.Context, method, target, host, authorization string) (_ *http.Response, reusable bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = s.SetDeadline(time.Unix(1, 0)) }) // which makes what is below fail
	defer func() {
		if !stop() {
			err = context.Cause(ctx)
		}
	}()
	var request strings.Builder
	fmt.Fprintf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Furrow/1\r\nProxy-Connection: Keep-Alive\r\n", method, target, host)
	if authorization != "" {
		fmt.Fprintf(&request, "Proxy-Authorization: %s\r\n", authorization)
	}
	request.WriteString("\r\n")
	if _, err := io.WriteString(s, request.String()); err != nil {
		return nil, false, err
	}
	s.bound.N = maxAnswer
	answer, err := http.ReadResponse(s.in, &http.Request{Method: method})
	if err != nil {
		if s.bound.N <= 0 {
			err = fmt.Errorf("an answer of more than %d octets", maxAnswer)
		}
		return nil, false, err
	}
	if answer.StatusCode != http.StatusProxyAuthRequired {
		return answer, staysOpen(answer), nil // what follows is the tunnel, or nothing after HEAD
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer, err == nil && s.bound.N > 0 && staysOpen(answer), answer.Body.Close()
}

func isSuccess(answer *http.Response) bool { return answer.StatusCode/100 == 2 }

// staysOpen reports whether a proxy keeps the connection after an answer. Some say
// so in a header that is not of HTTP ([MS-GRVHENC] 2.2.1.2.9).
func staysOpen(answer *http.Response) bool {
	switch strings.ToLower(answer.Header.Get("Proxy-Connection")) {
	case "keep-alive":
		return true
	case "close":
		return false
	}
	return !answer.Close
}

// conn gives the connection away, with what was read of it too early.
func (s *session) conn() net.Conn {
	octets, _ := s.in.Peek(s.in.Buffered()) // cannot fail: they are there
	if len(octets) == 0 {
		return s.Conn
	}
	return &readAhead{Conn: s.Conn, octets: slices.Clone(octets)}
}

// readAhead is a connection of which some octets have been read.
type readAhead struct {
	net.Conn
	octets []byte
}

// Read reads the octets first.
func (r *readAhead) Read(p []byte) (int, error) {
	if len(r.octets) > 0 {
		n := copy(p, r.octets)
		r.octets = r.octets[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}
