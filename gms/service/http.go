package service

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// Paths of the services (MS-GRVSPCM 3.2.3). Clients of 2007 have them built in;
// those of 2010 read them from GMSConfig.
const (
	pathServices   = "/gms.dll"
	pathAutomatic  = "/AutoActivate/gms.dll"
	contentTypeXML = "text/xml; charset=utf-8"
)

// ServeHTTP routes a request by its path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Pattern = "" // as http.ServeMux has it, for who counts requests by route
	switch {
	case isPath(r, pathServices), isPath(r, pathAutomatic):
		r.Pattern = pathServices
		if allow(w, r, http.MethodPost) {
			s.post(w, r)
		}
	case isPath(r, spcm.PathGMSConfig):
		r.Pattern = spcm.PathGMSConfig
		if allow(w, r, http.MethodGet, http.MethodHead) {
			s.gmsConfig(w)
		}
	default:
		http.NotFound(w, r)
	}
}

// isPath reports whether a request is for a path. The paths were made for IIS,
// where their letter case does not count, and may end in a slash, as GMSConfig
// shows them "enclosed between /" (MS-GRVSPCM 2.2.3.49).
func isPath(r *http.Request, path string) bool {
	return strings.EqualFold(strings.TrimSuffix(r.URL.Path, "/"), path)
}

// allow refuses methods other than the given ones.
func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	for _, m := range methods {
		if r.Method == m {
			return true
		}
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	return false
}

// post answers a request to a service. A body that cannot be read is refused by
// HTTP too, with a fault beside it for clients that look for one.
func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		started:    s.now(),
		remoteUser: func() (string, error) { return s.authenticate(w.Header(), r) },
	}
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
	if errors.Is(err, errUnauthenticated) {
		status = http.StatusUnauthorized
	}
	if err != nil {
		response = soap.FaultFrom(err).Encode()
	}
	s.record(r.Context(), x, err)
	s.write(w, status, response)
}

// write sends a response, within the time that its size allows. An error means
// that the client has gone; there is nobody to tell.
func (s *Server) write(w http.ResponseWriter, status int, response []byte) {
	deadline := time.Now().Add(s.pace.allowance(len(response)))
	_ = http.NewResponseController(w).SetWriteDeadline(deadline) // not every transport has them
	h := w.Header()
	h.Set("Content-Type", contentTypeXML)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(response)
}
