// Package client is the client side of the management services (MS-GRVSPCM 3.3): what a Groove client says to its
// management server, and Join, the whole way from an account configuration code to an active member
// (MS-GRVPROT 3.1, steps 5 to 17).
//
// A Server carries requests: it knows addresses and envelopes, no secrets. A Profile is one person on one device: the
// accounts, the identity, their keys and the managed objects held. A Home keeps a profile in a folder, its secrets
// sealed. A Client is a profile at a server.
//
// Everything a server sends is checked before it is believed: the MAC of each answer, the signature of each managed
// object with the domain's key, and the domain's signature on the member's own contact.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// configVersion is the first server version whose GMSConfig clients follow (MS-GRVSPCM appendix B <3>).
const configVersion = 14

// Server is a management server as its clients see it.
type Server struct {
	http *http.Client
	url  string // of the services that need no authentication
	auth string // URL of those that do

	user, password string // for auth; "" for none
}

// ServerFault is a fault that the server answered with.
type ServerFault struct {
	Service string
	Fault   *soap.Fault
}

// Error returns the service, the code and the server's words.
func (e *ServerFault) Error() string {
	return fmt.Sprintf("%s: the server answered with fault %d: %s", e.Service, e.Fault.Code, e.Fault.Text)
}

// hasCode reports whether err is a fault of the server with this code.
func hasCode(err error, code soap.Code) bool {
	var fault *ServerFault
	return errors.As(err, &fault) && fault.Fault.Code == code
}

// Connect finds the service at an address: that of a host, or the server URL http://host/gms.dll. It asks for the
// server's configuration (MS-GRVSPCM 3.3.5.3.1) and falls back to the paths of 2007 when there is none.
func Connect(ctx context.Context, client *http.Client, address string) (*Server, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("server address %q: %w", address, err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("server address %q: want http://host or http://host/gms.dll", address)
	}
	base = &url.URL{Scheme: base.Scheme, Host: base.Host}
	config, err := askConfig(ctx, client, base)
	if err != nil {
		return nil, err
	}
	return &Server{http: client, url: endpointURL(base, config.Normal), auth: endpointURL(base, config.Auth)}, nil
}

// endpointURL never leaves TLS: what the configuration says was asked for before there was any.
func endpointURL(base *url.URL, e spcm.Endpoint) string {
	u := *base
	if e.TLS {
		u.Scheme = "https"
	}
	return u.JoinPath(e.Path).String()
}

// askConfig returns where the server has its services.
func askConfig(ctx context.Context, client *http.Client, base *url.URL) (config spcm.Config, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(spcm.PathGMSConfig).String(), nil)
	if err != nil {
		return spcm.Config{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return spcm.Config{}, fmt.Errorf("asking the server for its configuration: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	config, err = spcm.DecodeConfig(resp.Header)
	if resp.StatusCode != http.StatusOK || err != nil || config.Version < configVersion {
		// A server of 2007 (MS-GRVSPCM 3.3.5.3.1).
		tls := base.Scheme == "https"
		return spcm.Config{
			Normal: spcm.Endpoint{TLS: tls, Path: "/gms.dll"},
			Auth:   spcm.Endpoint{TLS: tls, Path: "/AutoActivate/gms.dll"},
		}, nil
	}
	return config, nil
}

// post sends one request and returns what came back. A fault of the server is a *ServerFault.
func (s *Server) post(ctx context.Context, name string, fragment []byte) (_ *soap.Response, err error) {
	service, ok := spcm.LookupService(name)
	if !ok {
		return nil, fmt.Errorf("%s: there is no such service", name)
	}
	body := (&soap.Request{Service: name, Payload: fragment, Version: protocolVersion}).Encode(service.Request)
	req, err := s.newRequest(ctx, name, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode == http.StatusUnauthorized {
		return nil, fmt.Errorf("%s: %w", name, ErrCredentials)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, int64(service.ResponseLimit())+1))
	if err != nil {
		return nil, fmt.Errorf("%s: reading the answer: %w", name, err)
	}
	// Whether a fault comes with status 200 or 500 the specification does not say (reading C4).
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/xml") {
		return nil, fmt.Errorf("%s: the server answered %s with something that is not SOAP", name, resp.Status)
	}
	decoded, err := soap.DecodeResponse(answer, service.ResponseLimit(), name, service.Response)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: reading the answer: %w", name, err)
	case decoded.Fault != nil:
		return nil, &ServerFault{Service: name, Fault: decoded.Fault}
	case decoded.ReturnCode != 0:
		return nil, fmt.Errorf("%s: the server returned code %d", name, decoded.ReturnCode)
	}
	return decoded, nil
}
