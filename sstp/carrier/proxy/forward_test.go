package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const target = "http://relay.example/2.0/relay.example/guid,ConnType=KeepAlive"

// visit makes a request on a connection as the encapsulations do.
func visit(t *testing.T, f *Forward, c net.Conn) error {
	t.Helper()
	in := bufio.NewReader(c)
	for {
		value, err := f.Authorize("GET", target)
		if err != nil {
			return err
		}
		if value != "" {
			value = "Proxy-Authorization: " + value + "\r\n"
		}
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: relay.example\r\n%s\r\n", target, value); err != nil {
			return err
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil {
			return err
		}
		if answer.StatusCode != http.StatusProxyAuthRequired {
			return nil
		}
		if err := f.Challenged(answer.Header.Values("Proxy-Authenticate")); err != nil {
			return err
		}
	}
}

func TestForward(t *testing.T) {
	const probe, get = "HEAD http://relay.example/", "GET " + target
	for name, test := range map[string]struct {
		fake *fake
		want []string
	}{
		"open":   {&fake{}, []string{probe, get, get}},
		"basic":  {&fake{offers: []string{basic}}, []string{probe, probe + " Basic", get + " Basic", get + " Basic"}},
		"digest": {&fake{offers: []string{digestMD5}}, []string{probe, probe + " Digest", get + " Digest", get + " Digest"}},
		"nonce used up": {&fake{offers: []string{digestMD5}, nonces: []string{"old", "new"}},
			[]string{probe, probe + " Digest", get + " Digest", get + " Digest", get + " Digest"}},
		"ntlm": {&fake{offers: []string{basic, ntlm}},
			[]string{probe, probe + " NTLM", probe + " NTLM", get, probe + " NTLM", probe + " NTLM", get}},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := test.fake.start(t)
			f := proxy.proxy(t, ann).Forward("relay.example")
			for range 2 {
				c, err := f.Dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := visit(t, f, c); err != nil {
					t.Error(err)
				}
			}
			if got := proxy.requests(); !slices.Equal(got, test.want) {
				t.Errorf("heard\n%q, want\n%q", got, test.want)
			}
		})
	}
}

// TestForwardChallenges are those that a proxy makes up later.
func TestForwardChallenges(t *testing.T) {
	proxy := (&fake{}).start(t)
	for name, test := range map[string]struct {
		challenges []string
		twice      error // what a second one of the same says
		once       string
	}{
		"basic":   {[]string{basic}, ErrRejected, ""},
		"digest":  {[]string{digestMD5}, ErrRejected, ""},
		"ntlm":    {[]string{ntlm}, nil, "has begun without"},
		"unknown": {[]string{unknown}, nil, ErrScheme.Error()},
		"none":    {nil, nil, ErrScheme.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			f := proxy.proxy(t, ann).Forward("relay.example")
			if value, err := f.Authorize("GET", target); value != "" || err != nil {
				t.Fatalf("before the challenge: %q, %v", value, err)
			}
			err := f.Challenged(test.challenges)
			if test.once != "" {
				if err == nil || !strings.Contains(err.Error(), test.once) {
					t.Errorf("%v, want %q", err, test.once)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if value, err := f.Authorize("GET", target); value == "" || err != nil {
				t.Fatalf("after the challenge: %q, %v", value, err)
			}
			if err := f.Challenged(test.challenges); !errors.Is(err, test.twice) {
				t.Errorf("the second challenge: %v", err)
			}
		})
	}
}
