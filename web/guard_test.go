package web

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"furrow/web/access"
)

func TestToTLS(t *testing.T) {
	for name, test := range map[string]struct{ secure, host, path, want string }{
		"usual ports":  {":443", "box:80", "/", "https://box/"},
		"another port": {"[::]:8443", "192.0.2.1:8080", "/members", "https://192.0.2.1:8443/members"},
		"IPv6":         {":8443", "[2001:db8::1]:8080", "/", "https://[2001:db8::1]:8443/"},
		"IPv6, usual":  {":443", "[2001:db8::1]", "/", "https://[2001:db8::1]/"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{Config: Config{Secure: test.secure}}
			w := httptest.NewRecorder()
			inner := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served without TLS") })
			s.guard(inner).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://"+test.host+test.path, nil))
			if got := w.Header().Get("Location"); got != test.want || w.Code != http.StatusSeeOther {
				t.Errorf("%d to %s, want %s", w.Code, got, test.want)
			}
		})
	}
}

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/members?q=a%20b": "/members?q=a%20b", "": "/", "//evil.example": "/", `/\evil.example`: "/", "https://evil.example": "/",
		"/\t/evil.example": "/", "members": "/", "/a\r\nSet-Cookie: x": "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

// TestWhoSeesWhat walks every page for every role and for nobody.
func TestWhoSeesWhat(t *testing.T) {
	b := newBox(t)
	b.setUp()
	tokens := map[access.Role]string{"": ""}
	for _, role := range access.Roles() {
		name := "the" + string(role)
		if _, err := b.Access.Add(context.Background(), access.NewAdministrator{Name: name, Role: role, Password: password}); err != nil {
			t.Fatal(err)
		}
		in, err := b.Access.SignIn(context.Background(), name, password, access.Visitor{Address: "192.0.2.1"})
		if err != nil {
			t.Fatal(err)
		}
		tokens[role] = in.Token
	}
	for role, token := range tokens {
		for _, p := range pages() {
			if p.role == nobody || strings.HasPrefix(p.path, "/live/") { // those have no end
				continue
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				if method == http.MethodPost && p.post == nil || p.path == "/sign-out" {
					continue
				}
				b.cookies = map[string]string{sessionCookie: token}
				path := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(p.path, "1")
				w := b.do(method, path, nil)
				if role == nobody {
					if to := w.Header().Get("Location"); !strings.HasPrefix(to, "/sign-in?next=") {
						t.Errorf("%s %s leads nobody to %q", method, p.path, to)
					}
				} else if refused := w.Code == http.StatusForbidden; refused == role.May(p.need(method)) {
					t.Errorf("%s %s as %s: %d", method, p.path, role, w.Code)
				}
			}
		}
	}
}

func TestHeadersAndCookies(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.cookies = map[string]string{}
	w := b.do(http.MethodPost, "/sign-in", url.Values{"name": {"ann"}, "password": {password}, "next": {"//evil.example"}})
	if w.Header().Get("Location") != "/" {
		t.Errorf("to %s", w.Header().Get("Location"))
	}
	cookie := w.Header().Get("Set-Cookie")
	for _, want := range []string{"__Host-session=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %s without %s", cookie, want)
		}
	}
	w = b.do(http.MethodGet, "/", nil)
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "Strict-Transport-Security": "max-age=", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
	} {
		if got := w.Header().Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if page := w.Body.String(); strings.Contains(page, " style=") || strings.Contains(page, "<style") || strings.Contains(page, " onclick") {
		t.Error("the page has what its policy forbids")
	}
	b.now = b.now.Add(access.IdleLifetime + time.Minute)
	if w := b.do(http.MethodGet, "/members", nil); w.Header().Get("Location") != "/sign-in?next=%2Fmembers" {
		t.Errorf("a session that is over leads to %q", w.Header().Get("Location"))
	}
}

func TestCrossOrigin(t *testing.T) {
	b := newBox(t)
	b.setUp()
	r := httptest.NewRequest(http.MethodPost, "https://box/domains/new", strings.NewReader("domainName=x&organization=x"))
	r.TLS = &tls.ConnectionState{}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: b.cookies[sessionCookie]})
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("a form of another site: %d", w.Code)
	}
}

func TestBadForms(t *testing.T) {
	b := newBox(t)
	b.setUp()
	form := url.Values{"domainName": {strings.Repeat("x", maxForm)}, "organization": {"x"}}
	if w := b.do(http.MethodPost, "/domains/new", form); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a form that is too large: %d", w.Code)
	}
	if w := b.do(http.MethodGet, "/members?q=a;b", nil); w.Code != http.StatusBadRequest {
		t.Errorf("an address that is none: %d", w.Code)
	}
}
