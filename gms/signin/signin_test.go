package signin

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/gms/service"
)

// people are a source of passwords that knows some, or is away.
type people struct {
	passwords map[string]string
	err       error
	asked     int
}

func (p *people) Ready() bool { return len(p.passwords) > 0 || p.err != nil }

func (p *people) Check(_ context.Context, login, password string) error {
	p.asked++
	want, known := p.passwords[login]
	switch {
	case p.err != nil:
		return p.err
	case !known:
		return ErrUnknown
	case want != password:
		return errWrong
	}
	return nil
}

// tickets take the token "ann" and begin another exchange for the token "begin".
type tickets struct{}

func (tickets) Verify(token []byte, from netip.Addr) (Principal, []byte, error) {
	switch string(token) {
	case "ann":
		return Principal{"ann", "CONTOSO.COM"}, []byte("done"), nil
	case "begin":
		return Principal{}, []byte("go on"), errWrong
	case "away":
		return Principal{}, nil, errors.New("no keytab")
	case "control":
		return Principal{"a\nb", "CONTOSO.COM"}, nil, nil
	}
	return Principal{}, nil, errWrong
}

func (tickets) header(token string) string { return negotiate([]byte(token)) }

// TestRemoteUser asks in all the ways, and looks at who it is and what is asked for.
func TestRemoteUser(t *testing.T) {
	file := &people{passwords: map[string]string{"ann": "right", "both": "first"}}
	server := &people{passwords: map[string]string{"bob": "right", "both": "second"}}
	away := &people{err: errors.New("away")}
	nobody := &people{}
	rules := Names{{Realm: "CONTOSO", Login: "{user}"}}
	passwords := Config{Passwords: []Passwords{file, server}, Names: rules}
	both := Config{Passwords: passwords.Passwords, Tickets: tickets{}, Names: rules}
	kerberos := Config{Tickets: tickets{}, Passwords: []Passwords{nobody}}
	plain := passwords
	plain.PlainHTTP = true
	const asksBasic, asksNegotiate = challengeBasic, "Negotiate"
	for name, test := range map[string]struct {
		config     Config
		clear      bool // without TLS
		header     string
		login      string
		challenges []string
		err        error // or fails
		fails      bool
	}{
		"nothing set up":           {config: Config{Passwords: []Passwords{nobody}}, header: basic("ann:right"), err: service.ErrUnsecured},
		"password":                 {config: passwords, header: basic("ann:right"), login: "ann"},
		"second source":            {config: passwords, header: basic("bob:right"), login: "bob"},
		"domain":                   {config: passwords, header: basic(`contoso\ann:right`), login: "ann"},
		"another domain":           {config: passwords, header: basic(`other\ann:right`), challenges: []string{asksBasic}},
		"wrong password":           {config: passwords, header: basic("ann:wrong"), challenges: []string{asksBasic}},
		"first source that knows":  {config: passwords, header: basic("both:second"), challenges: []string{asksBasic}},
		"unknown":                  {config: passwords, header: basic("eve:right"), challenges: []string{asksBasic}},
		"empty password":           {config: passwords, header: basic("ann:"), challenges: []string{asksBasic}},
		"empty login":              {config: passwords, header: basic(":right"), challenges: []string{asksBasic}},
		"control character":        {config: passwords, header: basic("a\nb:right"), challenges: []string{asksBasic}},
		"no credentials":           {config: passwords, challenges: []string{asksBasic}},
		"no base64":                {config: passwords, header: "Basic %%%", challenges: []string{asksBasic}},
		"ticket without a keytab":  {config: passwords, header: tickets{}.header("ann"), challenges: []string{asksBasic}},
		"source away":              {config: Config{Passwords: []Passwords{away, file}}, header: basic("ann:right"), fails: true},
		"clear: password":          {config: passwords, clear: true, header: basic("ann:right"), err: service.ErrNeedsTLS},
		"clear: no credentials":    {config: passwords, clear: true, err: service.ErrNeedsTLS},
		"clear: allowed":           {config: plain, clear: true, header: basic("ann:right"), login: "ann"},
		"clear: allowed, asked":    {config: plain, clear: true, challenges: []string{asksBasic}},
		"clear: both, asked":       {config: both, clear: true, challenges: []string{asksNegotiate}},
		"clear: both, password":    {config: both, clear: true, header: basic("ann:right"), err: service.ErrNeedsTLS},
		"clear: ticket":            {config: both, clear: true, header: tickets{}.header("ann"), login: "ann", challenges: []string{tickets{}.header("done")}},
		"both: asked":              {config: both, challenges: []string{asksNegotiate, asksBasic}},
		"both: ticket":             {config: both, header: tickets{}.header("ann"), login: "ann", challenges: []string{tickets{}.header("done")}},
		"both: wrong ticket":       {config: both, header: tickets{}.header("x"), challenges: []string{asksNegotiate, asksBasic}},
		"both: another mechanism":  {config: both, header: tickets{}.header("begin"), challenges: []string{tickets{}.header("go on"), asksBasic}},
		"both: no keytab":          {config: both, header: tickets{}.header("away"), fails: true},
		"both: strange name":       {config: both, header: tickets{}.header("control"), challenges: []string{asksNegotiate, asksBasic}},
		"both: password":           {config: both, header: basic("ann:right"), login: "ann"},
		"tickets only: asked":      {config: kerberos, challenges: []string{asksNegotiate}},
		"tickets only: a password": {config: kerberos, header: basic("ann:right"), challenges: []string{asksNegotiate}},
	} {
		t.Run(name, func(t *testing.T) {
			test.config.Now, test.config.Log = newClock().now, slog.New(slog.DiscardHandler)
			r := httptest.NewRequest(http.MethodPost, "/AutoActivate/gms.dll", nil)
			if !test.clear {
				r.TLS = &tls.ConnectionState{}
			}
			if test.header != "" {
				r.Header.Set("Authorization", test.header)
			}
			answer := http.Header{}
			login, ok, err := New(test.config).RemoteUser(answer, r)
			if login != test.login || ok != (test.login != "") {
				t.Errorf("login %q, %v; want %q", login, ok, test.login)
			}
			if (err != nil) != (test.fails || test.err != nil) || (test.err != nil && !errors.Is(err, test.err)) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if got := answer.Values(headerChallenge); !slices.Equal(got, test.challenges) {
				t.Errorf("challenges %q, want %q", got, test.challenges)
			}
		})
	}
	if nobody.asked > 0 {
		t.Error("a source that knows nobody was asked")
	}
}

// TestGuessing has a password guessed until it is not looked at any more, and finds no password in the log.
func TestGuessing(t *testing.T) {
	c, log := newClock(), &bytes.Buffer{}
	source := &people{passwords: map[string]string{"ann": "right-secret"}}
	a := New(Config{Passwords: []Passwords{source}, PlainHTTP: true, Now: c.now, Log: slog.New(slog.NewTextHandler(log, nil))})
	ask := func(password string) (bool, http.Header) {
		r := httptest.NewRequest(http.MethodPost, "/AutoActivate/gms.dll", nil)
		r.SetBasicAuth("ann", password)
		answer := http.Header{}
		_, ok, err := a.RemoteUser(answer, r)
		if err != nil {
			t.Fatal(err)
		}
		return ok, answer
	}
	for i := range 3 * perPair.burst {
		ask(fmt.Sprint("wrong-secret", i))
	}
	if source.asked != perPair.burst {
		t.Errorf("%d passwords were looked at, want %d", source.asked, perPair.burst)
	}
	if ok, answer := ask("right-secret"); ok || answer.Get("Retry-After") == "" {
		t.Errorf("accepted %v, header %v", ok, answer)
	}
	c.Time = c.Add(perPair.interval)
	if ok, _ := ask("right-secret"); !ok {
		t.Error("the right password is not accepted after the interval")
	}
	if strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "signed in") {
		t.Errorf("log: %s", log)
	}
}

func TestRefusedIsCounted(t *testing.T) {
	a := New(Config{
		Passwords: []Passwords{&people{passwords: map[string]string{"ann": "right"}}}, PlainHTTP: true, Now: time.Now,
		Log: slog.New(slog.DiscardHandler),
	})
	for i, password := range []string{"right", "wrong", "wrong", "right"} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.SetBasicAuth("ann", password)
		if _, _, err := a.RemoteUser(http.Header{}, r); err != nil {
			t.Fatal(err)
		}
		if want := uint64(min(i, 2)); a.Refused() != want {
			t.Errorf("after %d sign-ins %d are counted as refused, want %d", i+1, a.Refused(), want)
		}
	}
}
