package proxy

import (
	"slices"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("REQUEST_METHOD", "") // HTTP_PROXY is not trusted in a CGI
	t.Setenv("http_proxy", "")
	t.Setenv("https_proxy", "")
	t.Setenv("no_proxy", "")
	t.Setenv("HTTP_PROXY", "http://ann:secret@forward.example:3128")
	t.Setenv("HTTPS_PROXY", "tunnel.example:8080")
	t.Setenv("NO_PROXY", "inside.example,192.0.2.0/24")
	s := Environment()
	for url, want := range map[string]string{
		"http relay.example":         "forward.example:3128",
		"http relay.example:8080":    "forward.example:3128",
		"https relay.example:443":    "tunnel.example:8080",
		"http inside.example":        "",
		"https relay.inside.example": "",
		"https 192.0.2.7:443":        "",
		"http 198.51.100.1":          "forward.example:3128",
	} {
		scheme, host, _ := strings.Cut(url, " ")
		p, err := s.For(scheme, host)
		got := ""
		if p != nil {
			got = p.String()
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", url, got, err, want)
		}
	}
	one, _ := s.For("http", "a.example")
	two, _ := s.For("http", "b.example")
	if one != two || one.user != "ann" || one.password != "secret" {
		t.Errorf("what one request learns about a proxy is lost on the next: %v, %v", one, two)
	}

	t.Setenv("HTTPS_PROXY", "socks5://tunnel.example")
	if _, err := Environment().For("https", "relay.example"); err == nil || !strings.Contains(err.Error(), "socks5") {
		t.Errorf("a bad scheme: %v", err)
	}
}

func TestNoSettings(t *testing.T) {
	if p, err := (*Settings)(nil).For("http", "relay.example"); p != nil || err != nil {
		t.Errorf("%v, %v", p, err)
	}
}

func TestFixed(t *testing.T) {
	for raw, want := range map[string]string{
		"proxy.example":                 "proxy.example:80",
		"proxy.example:3128":            "proxy.example:3128",
		"http://proxy.example/":         "proxy.example:80",
		"https://proxy.example":         "proxy.example:443",
		"http://a:b@[2001:db8::1]:3128": "[2001:db8::1]:3128",
		"":                              "",
		"http://":                       "",
		"http://a:secret%@b":            "",
		"socks5://proxy.example":        "",
		"http://a%0d:b@proxy.example":   "",
	} {
		got := ""
		s, err := Fixed(raw)
		if err == nil {
			p, err := s.For("https", "127.0.0.1") // which the environment would leave out
			if err != nil {
				t.Errorf("%q: %v", raw, err)
				continue
			}
			got = p.String()
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q tells the password: %v", raw, err)
		}
		if got != want {
			t.Errorf("%q: %q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestSplitChallenges(t *testing.T) {
	for value, want := range map[string][]string{
		"":                                     nil,
		"NTLM":                                 {"NTLM"},
		"NTLM abc==":                           {"NTLM abc=="},
		`Basic realm="a"`:                      {`Basic realm="a"`},
		`Basic realm="a, Digest b"`:            {`Basic realm="a, Digest b"`},
		`Basic realm="a\", b", NTLM`:           {`Basic realm="a\", b"`, "NTLM"},
		`Digest a=b, c="d",e = f, Basic g="h"`: {`Digest a=b, c="d", e = f`, `Basic g="h"`},
		" , NTLM ,, Negotiate,":                {"NTLM", "Negotiate"},
		"a=b, c=d":                             {"a=b, c=d"},
	} {
		if got := splitChallenges(value); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func FuzzStrongest(f *testing.F) {
	for _, seed := range []string{basic, digestMD5, digestSHA + ", " + unknown, ntlm + " abc=", `"`, "Digest nonce"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		best, names := strongest([]string{value})
		if best.scheme != unknownScheme && len(names) == 0 {
			t.Errorf("%q: %v of no challenge", value, best)
		}
		if (best.digest != nil) != (best.scheme == digestScheme) {
			t.Errorf("%q: %+v", value, best)
		}
		l := login{proxy: &Proxy{address: "p:1", named: true, user: "u", password: "p"}}
		if l.challenged([]string{value}) == nil {
			if answer, err := l.authorize("GET", "http://a/"); err == nil && strings.ContainsAny(answer, "\r\n") && !strings.ContainsAny(value, "\r\n") {
				t.Errorf("%q: answered %q", value, answer)
			}
		}
	})
}
