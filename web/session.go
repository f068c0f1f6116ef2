package web

import (
	"net"
	"net/http"
	"time"

	"furrow/web/access"
)

// sessionCookie keeps the session. It is Lax, not Strict: a link in a mail of the box must find a person signed in, and
// what a link can do changes nothing.
const sessionCookie = "__Host-session"

// session is the token of the visit's session, empty for none.
func (v *visit) session() string {
	cookie, err := v.r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// administrator is who makes a request, nil if nobody has signed in.
func (s *site) administrator(r *http.Request) *access.Administrator {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	who, _, err := s.Access.Session(r.Context(), cookie.Value)
	if err != nil {
		return nil
	}
	return &who
}

// visitor is the other end of a request.
func visitor(r *http.Request) access.Visitor {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return access.Visitor{Address: host, Agent: r.UserAgent()}
}

// setCookie keeps a value in the browser, for good or with age zero until it is closed; empty takes it away.
func (v *visit) setCookie(name, value string, age time.Duration) {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(age / time.Second),
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}
