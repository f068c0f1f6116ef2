package service

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"furrow/gms/soap"
)

// prefixSize is how many bytes are read before the service, and with it the
// limit of the body, is known. In front of its name stand two processing
// instructions and the start tags of envelope and body, in the examples 400
// bytes (MS-GRVSPCM 4.1.1).
const prefixSize = 4 << 10

// pace is the time that a peer gets for a body, in either direction.
type pace struct {
	grace time.Duration // whatever the size
	rate  int           // bytes a second, above that
}

// defaultPace bears a dropped packet or two, and a modem.
var defaultPace = pace{grace: 15 * time.Second, rate: 4 << 10}

func (p pace) allowance(size int) time.Duration {
	return p.grace + time.Duration(size)*time.Second/time.Duration(p.rate)
}

// bodyError says that a body could not be read, and the HTTP status for it. It
// wraps the fault to send beside it.
type bodyError struct {
	status int
	fault  *soap.Fault
}

func (e *bodyError) Error() string { return fmt.Sprintf("HTTP status %d: %v", e.status, e.fault) }

func (e *bodyError) Unwrap() error { return e.fault }

func newBodyError(status int, reason string) error {
	return &bodyError{status, soap.NewFault(soap.CodeMalformed, errors.New(reason))}
}

// readBody reads the body of a request. It first reads as much as names the
// service, and then no more than the limit of that service, in the time that
// the limit allows. The buffer grows with what has arrived, not with what the
// peer has announced.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, newBodyError(http.StatusUnsupportedMediaType, "body with a content encoding")
	}
	rc := http.NewResponseController(w)
	b := &bodyReader{
		from: r.Body,
		within: func(size int) {
			_ = rc.SetReadDeadline(time.Now().Add(s.pace.allowance(size))) // not every transport has them
		},
	}
	complete, err := b.readTo(prefixSize)
	if err != nil {
		return nil, err
	}
	limit, err := s.limit(b.data)
	if err != nil {
		return nil, err
	}
	if r.ContentLength > int64(limit) {
		return nil, errTooLarge(limit)
	}
	if !complete {
		if complete, err = b.readTo(limit + 1); err != nil {
			return nil, err
		}
	}
	if !complete || len(b.data) > limit {
		return nil, errTooLarge(limit)
	}
	// A deadline that passed while the request is processed would look like a
	// client that has gone.
	_ = rc.SetReadDeadline(time.Time{})
	return b.data, nil
}

func errTooLarge(limit int) error {
	return newBodyError(http.StatusRequestEntityTooLarge, fmt.Sprintf("body of more than %d bytes", limit))
}

// limit returns the limit of the service that is named in the first bytes of a
// request, or fault 105.
func (s *Server) limit(prefix []byte) (int, error) {
	name, err := soap.ServiceName(prefix)
	if err != nil {
		return 0, err
	}
	svc, ok := s.services[name]
	if !ok {
		return 0, soap.NewFault(soap.CodeMalformed, errors.New("unknown service"))
	}
	return svc.Limit, nil
}

// bodyReader collects a body.
type bodyReader struct {
	from   io.Reader
	within func(size int) // sets the deadline for reading size bytes
	data   []byte
}

// readTo reads until there are size bytes, or all there are, which it reports.
func (b *bodyReader) readTo(size int) (complete bool, err error) {
	b.within(size)
	for len(b.data) < size {
		if len(b.data) == cap(b.data) {
			b.data = slices.Grow(b.data, min(max(len(b.data), prefixSize), size-len(b.data)))
		}
		n, err := b.from.Read(b.data[len(b.data):min(cap(b.data), size)])
		b.data = b.data[:len(b.data)+n]
		switch {
		case err == io.EOF:
			return true, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false, newBodyError(http.StatusRequestTimeout, "body arrives too slowly")
		case err != nil:
			return false, newBodyError(http.StatusBadRequest, "body ends early or is malformed")
		}
	}
	return false, nil
}
