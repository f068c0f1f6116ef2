// Package signin finds out who sends a request to the authenticated path of the management server
// (MS-GRVSPCM 3.2.5.2.1.2, 3.2.5.2.1.3), where the specification leaves it to the web server to "support an
// authentication scheme" (3.2.3) and to say REMOTE_USER (3.2.1). It fills the hook [service.RemoteUser].
//
// A request may carry a Kerberos ticket (Negotiate, RFC 4559) or a login name and a password (Basic, RFC 7617):
//
//	RemoteUser            which schemes are open, challenges     signin.go
//	  authorization       the header, hostile until checked      header.go
//	  Names               one spelling of a name for all         names.go
//	  Tickets             Kerberos                               package kerberos
//	  guesses             how often may be tried                 guesses.go
//	  Passwords           one after the other                    packages logins and ldapbind
//
// Passwords are taken over TLS only, unless the administrator allows otherwise: without it they are refused, and never
// asked for. A name is brought into its one spelling before a password is looked for, so that what was checked and what
// is believed are the same name. The first source that knows a name decides; a source that cannot tell ends the search,
// since the next might accept somebody whom it has locked out.
package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"furrow/gms/service"
)

var (
	// ErrUnknown is returned by a source for a login name that it does not have.
	ErrUnknown = errors.New("login name not known")
	// ErrRefused is wrapped by what [Passwords] and [Tickets] say of wrong credentials.
	ErrRefused = errors.New("credentials refused")
)

// Passwords is a source of login names with passwords. It is used concurrently.
type Passwords interface {
	// Ready reports whether the source may know anybody.
	Ready() bool
	// Check returns nil for the right password, an error that wraps ErrUnknown or ErrRefused, or another one when it
	// cannot tell. The password is not empty. It takes the same time for names it knows and does not know, as far as
	// that is in its hands.
	Check(ctx context.Context, login, password string) error
}

// Principal is somebody as a ticket names them.
type Principal struct {
	User, Realm string
}

// Tickets checks Kerberos tickets. It is used concurrently.
type Tickets interface {
	// Verify checks a token of Negotiate from a client at an address, which is not valid if it is not known. reply is
	// the token to answer with, nil for none; also along with an error, which wraps ErrRefused or says why nobody can
	// tell.
	Verify(token []byte, from netip.Addr) (p Principal, reply []byte, err error)
}

// Config is what an Authenticator works with.
type Config struct {
	Tickets   Tickets     // nil for none
	Passwords []Passwords // asked in this order
	Names     Names
	// PlainHTTP takes passwords over connections that anybody on the way can read.
	PlainHTTP bool
	Now       func() time.Time
	Log       *slog.Logger
}

// Authenticator authenticates HTTP requests. It is safe for concurrent use and has nothing to close.
type Authenticator struct {
	Config
	guesses  *guesses
	refusals atomic.Uint64
}

// New returns an Authenticator.
func New(c Config) *Authenticator {
	return &Authenticator{Config: c, guesses: newGuesses(c.Now)}
}

// RemoteUser is a [service.RemoteUser]. Its error wraps [service.ErrUnsecured] where nothing is set up to check
// credentials with, and is [service.ErrNeedsTLS] where only passwords are and the connection is not protected.
func (a *Authenticator) RemoteUser(answer http.Header, r *http.Request) (login string, ok bool, err error) {
	passwords := a.passwordsReady()
	if a.Tickets == nil && !passwords {
		return "", false, service.ErrUnsecured
	}
	protected := r.TLS != nil || a.PlainHTTP
	c, err := parseAuthorization(r.Header["Authorization"])
	if err != nil {
		a.refused(r, "", "", err)
	}
	var reply []byte
	switch {
	case c.scheme == schemeNegotiate && a.Tickets != nil:
		login, reply, err = a.byTicket(r, c.token)
	case c.scheme == schemeBasic && passwords && !protected:
		a.Log.Warn("a password was sent without TLS and not looked at", "login", c.login, "remote", r.RemoteAddr)
		return "", false, service.ErrNeedsTLS
	case c.scheme == schemeBasic && passwords:
		login, err = a.byPassword(answer, r, c)
	case a.Tickets == nil && !protected:
		return "", false, service.ErrNeedsTLS
	default:
		err = ErrRefused
	}
	switch {
	case errors.Is(err, ErrRefused):
		a.challenge(answer, reply, passwords && protected)
		return "", false, nil
	case err != nil:
		return "", false, err
	case reply != nil:
		answer.Add(headerChallenge, negotiate(reply))
	}
	return login, true, nil
}

func (a *Authenticator) passwordsReady() bool {
	for _, source := range a.Passwords {
		if source.Ready() {
			return true
		}
	}
	return false
}

// challenge says which credentials are taken, the better ones first: many clients use the first they know.
func (a *Authenticator) challenge(answer http.Header, reply []byte, basic bool) {
	if a.Tickets != nil {
		answer.Add(headerChallenge, negotiate(reply))
	}
	if basic {
		answer.Add(headerChallenge, challengeBasic)
	}
}

// byTicket returns whom a token of Negotiate belongs to. Tickets cannot be guessed, so they are not counted.
func (a *Authenticator) byTicket(r *http.Request, token []byte) (login string, reply []byte, err error) {
	p, reply, err := a.Tickets.Verify(token, addressOf(r))
	if err != nil {
		a.refused(r, "negotiate", "", err)
		return "", reply, err
	}
	login = a.Names.login(name{user: p.User, realm: p.Realm, written: p.User})
	if err := checkName(login); err != nil {
		a.refused(r, "negotiate", login, err)
		return "", nil, err
	}
	a.Log.Info("signed in", "login", login, "by", "negotiate", "remote", r.RemoteAddr)
	return login, reply, nil
}

// byPassword returns whom a login name and password belong to.
func (a *Authenticator) byPassword(answer http.Header, r *http.Request, c credentials) (login string, err error) {
	login = a.Names.login(parseName(c.login))
	if err = checkName(login); err == nil && c.password == "" {
		// Some directories take a bind without password for one of nobody, and accept it (RFC 4513 5.1.2).
		err = fmt.Errorf("%w: no password", ErrRefused)
	}
	if err != nil {
		a.refused(r, "password", login, err)
		return "", err
	}
	attempt, wait := a.guesses.begin(login, addressOf(r))
	if wait > 0 {
		answer.Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		err := fmt.Errorf("%w: tried too often, not looked at for %v", ErrRefused, wait.Round(time.Second))
		a.refused(r, "password", login, err)
		return "", err
	}
	err = a.check(r.Context(), login, c.password)
	attempt.end(err)
	if err != nil {
		a.refused(r, "password", login, err)
		return "", err
	}
	a.Log.Info("signed in", "login", login, "by", "password", "remote", r.RemoteAddr)
	return login, nil
}

// check asks the sources. Its error wraps ErrRefused if the password is wrong or nobody knows the name.
func (a *Authenticator) check(ctx context.Context, login, password string) error {
	for _, source := range a.Passwords {
		err := source.Check(ctx, login, password)
		if !errors.Is(err, ErrUnknown) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrRefused, ErrUnknown)
}

// Refused counts the sign-ins that were refused since the start.
func (a *Authenticator) Refused() uint64 { return a.refusals.Load() }

// refused tells the administrator what the client is not told.
func (a *Authenticator) refused(r *http.Request, by, login string, err error) {
	a.refusals.Add(1)
	a.Log.Warn("sign-in refused", "login", login, "by", by, "remote", r.RemoteAddr, "error", err)
}

// addressOf is where a request came from; not valid if that is not known.
func addressOf(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap()
}
