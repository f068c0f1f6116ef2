package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	ann   = url.UserPassword(user, password)
	wrong = url.UserPassword(user, "wrong")
)

const (
	ntlm      = "NTLM"
	digestMD5 = `Digest realm="a, b", nonce="NONCE", qop="auth-int, auth", algorithm=MD5`
	digestSHA = `Digest realm="a", nonce="NONCE", qop="auth", algorithm=SHA-256`
	basic     = `Basic realm="a \" b", charset="UTF-8"`
	unknown   = `Negotiate`
)

const connect = "CONNECT relay.example:443"

func TestConnect(t *testing.T) {
	for name, test := range map[string]struct {
		fake  *fake
		who   *url.Userinfo
		heard []string // without the request
		conns int
		err   error
		text  string
	}{
		"open":              {&fake{}, nil, []string{""}, 1, nil, ""},
		"open, with a user": {&fake{}, ann, []string{""}, 1, nil, ""}, // who is not told
		"basic":             {&fake{offers: []string{basic}}, ann, []string{"", "Basic"}, 1, nil, ""},
		"basic, hanging up": {&fake{offers: []string{basic}, hangsUp: true}, ann, []string{"", "Basic"}, 2, nil, ""},
		"digest MD5":        {&fake{offers: []string{digestMD5}}, ann, []string{"", "Digest"}, 1, nil, ""},
		"digest SHA-256":    {&fake{offers: []string{digestMD5, digestSHA}}, ann, []string{"", "Digest"}, 1, nil, ""},
		"old nonce":         {&fake{offers: []string{digestSHA}, nonces: []string{"old", "older", "new"}}, ann, []string{"", "Digest"}, 1, nil, ""},
		"ntlm":              {&fake{offers: []string{ntlm}}, ann, []string{"", "NTLM", "NTLM"}, 1, nil, ""},
		"strongest":         {&fake{offers: []string{basic, unknown, ntlm, digestSHA}}, ann, []string{"", "NTLM", "NTLM"}, 1, nil, ""},
		"stronger":          {&fake{offers: []string{basic, digestMD5}}, ann, []string{"", "Digest"}, 1, nil, ""},
		"in one line":       {&fake{offers: []string{basic + ", " + unknown + "," + digestMD5}}, ann, []string{"", "Digest"}, 1, nil, ""},
		"no user":           {&fake{offers: []string{ntlm, basic}}, nil, []string{""}, 1, ErrUserWanted, "407"},
		"wrong basic":       {&fake{offers: []string{basic}}, wrong, []string{"", "Basic"}, 1, ErrRejected, "407"},
		"wrong digest":      {&fake{offers: []string{digestSHA}}, wrong, []string{"", "Digest"}, 1, ErrRejected, "407"},
		"wrong ntlm":        {&fake{offers: []string{ntlm, digestSHA, basic}}, wrong, []string{"", "NTLM", "NTLM"}, 1, ErrRejected, "407"},
		"unknown":           {&fake{offers: []string{unknown}}, ann, []string{""}, 1, ErrScheme, "Negotiate"},
		"ntlm, hanging up":  {&fake{offers: []string{ntlm}, hangsUp: true}, ann, []string{"", "NTLM"}, 2, nil, "in the middle of NTLM"},
		"forbidden":         {&fake{status: "403 Forbidden"}, nil, []string{""}, 1, nil, "CONNECT relay.example:443: 403 Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			f := test.fake.start(t)
			p := f.proxy(t, test.who)
			c, err := p.Connect(t.Context(), "relay.example:443")
			if test.err != nil || test.text != "" {
				if err == nil || test.err != nil && !errors.Is(err, test.err) ||
					!strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), p.String()) ||
					strings.Contains(err.Error(), "wörd") {
					t.Errorf("%v, want %v with %q", err, test.err, test.text)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				echoes(t, c)
			}
			var want []string
			for _, scheme := range test.heard {
				want = append(want, strings.TrimSpace(connect+" "+scheme))
			}
			if got := f.requests(); !slices.Equal(got, want) || f.conns != test.conns {
				t.Errorf("heard %q on %d connections, want %q on %d", got, f.conns, want, test.conns)
			}
		})
	}
}

// echoes checks a tunnel, from the first octets on, which the fake sends.
func echoes(t *testing.T, c net.Conn) {
	t.Helper()
	defer c.Close()
	if _, err := io.WriteString(c, "world"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 11)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello world" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestLearned has the second tunnel know what the proxy wants.
func TestLearned(t *testing.T) {
	for name, test := range map[string]struct {
		fake *fake
		want []string // of the second
	}{
		"basic":     {&fake{offers: []string{basic}}, []string{"Basic"}},
		"digest":    {&fake{offers: []string{digestSHA}}, []string{"Digest"}},
		"old nonce": {&fake{offers: []string{digestSHA}, nonces: []string{"first", "second"}}, []string{"Digest", "Digest"}},
		"ntlm":      {&fake{offers: []string{ntlm}}, []string{"NTLM", "NTLM"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := test.fake.start(t)
			p := f.proxy(t, ann)
			for range 2 {
				c, err := p.Connect(t.Context(), "relay.example:443")
				if err != nil {
					t.Fatal(err)
				}
				echoes(t, c)
			}
			var want []string
			for _, scheme := range test.want {
				want = append(want, connect+" "+scheme)
			}
			if got := f.requests(); !slices.Equal(got[len(got)-len(want):], want) {
				t.Errorf("heard %q, want %q at the end", got, want)
			}
		})
	}
}

func TestStatusError(t *testing.T) {
	f := (&fake{status: "502 Bad Gateway"}).start(t)
	_, err := f.proxy(t, nil).Connect(t.Context(), "relay.example:443")
	var status *StatusError
	if !errors.As(err, &status) || status.Code != 502 {
		t.Errorf("%v", err)
	}
}

// TestBadProxies has proxies that are none.
func TestBadProxies(t *testing.T) {
	for name, test := range map[string]struct{ answer, want string }{
		"nothing":      {"", "EOF"},
		"not HTTP":     {"SSH-2.0-OpenSSH\r\n", "malformed"},
		"endless head": {"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", maxAnswer), "more than 262144 octets"},
		"endless body": {"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n" + strings.Repeat("a", 2*maxAnswer), "does not take the user"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() {
				defer close(served)
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = c.Read(make([]byte, 1000))
					_, _ = io.WriteString(c, test.answer)
					c.Close()
				}
			}()
			defer func() {
				l.Close()
				<-served
			}()
			p, err := parse("ann:secret@" + l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Connect(t.Context(), "relay.example:443")
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), p.String()) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestCancelled gives up on a proxy that does not answer.
func TestCancelled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	p, err := parse(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Connect(ctx, "relay.example:443"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestConnectTarget(t *testing.T) {
	f := (&fake{}).start(t)
	for _, bad := range []string{"", "a:1\r\nX: y", "a b:1", "a/b"} {
		if _, err := f.proxy(t, nil).Connect(t.Context(), bad); err == nil {
			t.Errorf("%q", bad)
		}
	}
	if got := f.requests(); len(got) > 0 {
		t.Errorf("heard %q", got)
	}
}
