package service

import (
	"errors"
	"net/http"

	"furrow/gms/soap"
)

// RemoteUser authenticates the sender of an HTTP request that came to
// /AutoActivate/gms.dll (MS-GRVSPCM 3.2.3) and returns the login name, which
// the services compare with those of the members. For a request without valid
// credentials ok is false; then the answer has status 401, and the function has
// added the challenges to its header. The function may add to it in any case,
// as some schemes do to end an exchange. An error says that nobody could tell.
//
// It is only asked for a request to one of the services that need to know, and
// may be called concurrently.
type RemoteUser func(answer http.Header, r *http.Request) (login string, ok bool, err error)

var (
	// errUnauthenticated is answered with status 401.
	errUnauthenticated = errors.New("no valid credentials")
	// errUnsecured is what the specification calls an empty AUTH_TYPE.
	errUnsecured = errors.New("the request came where nobody is authenticated")
)

// authenticate returns the login name of a request's sender. It fails with
// errUnsecured where it asks for no credentials.
func (s *Server) authenticate(answer http.Header, r *http.Request) (login string, err error) {
	if s.remoteUser == nil || !isPath(r, pathAutomatic) {
		return "", errUnsecured
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
