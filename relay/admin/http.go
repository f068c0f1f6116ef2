package admin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"furrow/gms/soap"
	"furrow/gms/soap/spmr"
)

// Path is that of the relay's SOAP URL (MS-GRVSPMR 3.2.3.1.1).
const Path = "/SOAP"

const (
	contentTypeXML = "text/xml; charset=utf-8"

	// bodyTime is what a peer gets for a body in either direction: the largest at
	// the speed of a slow line.
	bodyTime = time.Minute
)

// ServeHTTP answers a request to [Path].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(strings.TrimSuffix(r.URL.Path, "/"), Path) {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	x := &exchange{started: s.now()}
	status := http.StatusOK
	body, err := s.readBody(w, r)
	var response []byte
	if err == nil {
		response, err = s.answer(r.Context(), x, body)
	}
	if bad := (*bodyError)(nil); errors.As(err, &bad) {
		status = bad.status
		w.Header().Set("Connection", "close") // what is left of the body is not waited for
	}
	if err != nil {
		response = spmr.FaultFrom(err).Encode()
	}
	s.record(r.Context(), x, err)
	s.write(w, status, response)
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
	return &bodyError{status, spmr.NewFault(spmr.CodeInvalidInput, errors.New(reason))}
}

// readBody checks what can be checked of a request before its envelope, and reads
// the body. The buffer grows with what has arrived, not with what the peer has
// announced.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if s.disabled.Load() {
		return nil, spmr.NewFault(spmr.CodeDisabled, nil)
	}
	// Its value is not named in the text (reading C1).
	if r.Header.Get("Content-Type") == "" {
		return nil, spmr.NewFault(spmr.CodeContentType, nil)
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTime)) // not every transport has them
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, spmr.MaxRequestSize))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, newBodyError(http.StatusRequestEntityTooLarge, fmt.Sprintf("body of more than %d bytes", spmr.MaxRequestSize))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, newBodyError(http.StatusRequestTimeout, "body arrives too slowly")
	case err != nil:
		return nil, newBodyError(http.StatusBadRequest, "body ends early or is malformed")
	case len(body) == 0:
		return nil, spmr.NewFault(spmr.CodeNoInput, errors.New("no body"))
	}
	// A deadline that passed while the request is processed would look like a
	// manager that has gone.
	_ = rc.SetReadDeadline(time.Time{})
	return body, nil
}

// write sends a response. An error means that the manager has gone; there is
// nobody to tell.
func (s *Server) write(w http.ResponseWriter, status int, response []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTime)) // not every transport has them
	h := w.Header()
	h.Set("Content-Type", contentTypeXML)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(response)
}
