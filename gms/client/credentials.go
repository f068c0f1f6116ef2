package client

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"furrow/gms/soap/spcm"
)

// ErrCredentials is returned when the server wants to know who asks, and does not take the user name and password.
var ErrCredentials = errors.New("the server does not accept the user name and password")

// WithCredentials returns the server for a person who is known to it by user name and password, which Basic
// authentication carries as they are: over TLS nobody else can read them.
func (s *Server) WithCredentials(user, password string) *Server {
	known := *s
	known.user, known.password = user, password
	return &known
}

// newRequest returns the HTTP request to a service. Two of them ask for credentials and are sent where those are asked
// for (MS-GRVSPCM 3.3.5.2.1.2, 3.3.5.2.1.3); no other gets them.
func (s *Server) newRequest(ctx context.Context, service string, body []byte) (*http.Request, error) {
	authenticated := service == spcm.ServiceAutoAccountCodeConfiguration || service == spcm.ServiceAutoActivation
	url := s.url
	if authenticated {
		url = s.auth
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if authenticated && s.user != "" {
		req.SetBasicAuth(s.user, s.password)
	}
	return req, nil
}
