package service

import (
	"errors"
	"fmt"
	"net/http"

	"furrow/gms/soap"
)

// RemoteUser authenticates the sender of an HTTP request that came to
// /AutoActivate/gms.dll (MS-GRVSPCM 3.2.3) and returns the login name, which
// the services compare with those of the members. For a request without valid
// credentials ok is false; then the answer has status 401, and the function has
// added the challenges to its header. The function may add to it in any case,
// as some schemes do to end an exchange. An error says that nobody could tell, or
// wraps [ErrUnsecured].
//
// It is only asked for a request to one of the services that need to know, and
// may be called concurrently.
type RemoteUser func(answer http.Header, r *http.Request) (login string, ok bool, err error)

var (
	// errUnauthenticated is answered with status 401.
	errUnauthenticated = errors.New("no valid credentials")
	// ErrUnsecured is what the specification calls an empty AUTH_TYPE: the
	// request came where nobody is authenticated.
	ErrUnsecured = errors.New("the request came where nobody is authenticated")
	// ErrNeedsTLS is ErrUnsecured for a request that could have been
	// authenticated if it had come over TLS. The client is told.
	ErrNeedsTLS = fmt.Errorf("%w: passwords are taken over https only", ErrUnsecured)
)

// unsecured is the fault for a request that came where nobody is authenticated,
// with the code that the service has for it.
func unsecured(code soap.Code, err error) error {
	fault := soap.NewFault(code, err)
	if errors.Is(err, ErrNeedsTLS) {
		fault.Text = "Passwords are taken over https only"
	}
	return fault
}

// authenticate returns the login name of a request's sender. It fails with
// ErrUnsecured where it asks for no credentials.
func (s *Server) authenticate(answer http.Header, r *http.Request) (login string, err error) {
	if s.remoteUser == nil || !isPath(r, pathAutomatic) {
		return "", ErrUnsecured
	}
	login, ok, err := s.remoteUser(answer, r)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", soap.NewFault(soap.CodeAuthenticationMethod, errUnauthenticated)
	case login == "":
		return "", soap.NewFault(soap.CodeRemoteUserEmpty, nil)
	}
	return login, nil
}
