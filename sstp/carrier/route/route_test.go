package route

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"furrow/sstp/carrier/internal/ntlmtest"
	"furrow/sstp/carrier/proxy"
)

// helperArgument has the test program be the one that squid asks about users.
const helperArgument = "ntlm-helper"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == helperArgument {
		v := ntlmtest.Verifier{Domain: "OFFICE", User: "ann", Password: "secret"}
		if err := v.Help(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func newRouter(t *testing.T, c Config) *Router {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func names(ways []way) []string {
	var list []string
	for _, w := range ways {
		list = append(list, w.name)
	}
	return list
}

func TestWays(t *testing.T) {
	proxies, err := proxy.Fixed("proxy.example:3128")
	if err != nil {
		t.Fatal(err)
	}
	direct := []string{"SSTP on port 2492", "SSTP on port 443", "LongLived on port 80", "KeepAlive on port 80", "Polling on port 80"}
	for name, test := range map[string]struct {
		config Config
		url    string
		want   []string
	}{
		"direct": {Config{}, relayURL, direct},
		"auto":   {Config{Via: Auto}, relayURL, direct},
		"with a proxy": {Config{Proxies: proxies}, relayURL, []string{
			"SSTP on port 2492", "SSTP on port 443", "SSTP to relay.example:443 through the proxy proxy.example:3128",
			"LongLived through the proxy proxy.example:3128", "LongLived on port 80",
			"KeepAlive through the proxy proxy.example:3128", "KeepAlive on port 80",
			"Polling through the proxy proxy.example:3128", "Polling on port 80",
		}},
		"sstp only":       {Config{Via: SSTP, Proxies: proxies}, relayURL, direct[:1]},
		"443 only":        {Config{Via: Tunnel}, relayURL, direct[1:2]},
		"longlived only":  {Config{Via: LongLived}, relayURL, direct[2:3]},
		"keepalive only":  {Config{Via: KeepAlive}, relayURL, direct[3:4]},
		"polling only":    {Config{Via: Polling}, relayURL, direct[4:]},
		"other ports":     {Config{Ports: Ports{SSTP: "1", Tunnel: "2", HTTP: "3"}}, relayURL, []string{"SSTP on port 1", "SSTP on port 2", "LongLived on port 3", "KeepAlive on port 3", "Polling on port 3"}},
		"port of the URL": {Config{Via: SSTP, Ports: Ports{SSTP: "1"}}, relayURL + ":4", []string{"SSTP on port 4"}},
		"address":         {Config{}, "grooveDNS://[2001:db8::1]", direct},
	} {
		t.Run(name, func(t *testing.T) {
			ways, err := newRouter(t, test.config).ways(test.url)
			if got := names(ways); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
	if _, err := newRouter(t, Config{}).DialRelay(t.Context(), "http://relay.example"); err == nil {
		t.Error("not a relay's URL")
	}
	if _, err := New(Config{Via: "socks"}); err == nil || !strings.Contains(err.Error(), "keepalive") {
		t.Errorf("an unknown way: %v", err)
	}
}

// TestOrder puts ways that have failed behind, until they are tried again.
func TestOrder(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := newRouter(t, Config{Now: func() time.Time { return now }})
	a, b, c := way{name: "a"}, way{name: "b"}, way{name: "c"}
	check := func(when string, want ...string) {
		t.Helper()
		if got := names(r.order(relayURL, []way{a, b, c})); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	check("at first", "a", "b", "c")
	r.failed(relayURL, a, io.EOF)
	check("after a failure", "b", "c", "a")
	r.worked(relayURL, b)
	if r.Used(relayURL) != "b" || r.Used("grooveDNS://other") != "" {
		t.Errorf("used %q", r.Used(relayURL))
	}
	r.failed("grooveDNS://other", b, io.EOF)
	check("after a failure at another relay", "b", "c", "a")
	r.failed(relayURL, b, io.EOF)
	r.failed(relayURL, c, io.EOF)
	check("when all have failed", "a", "b", "c")
	r.worked(relayURL, c)
	check("when one works again", "c", "a", "b")
	now = now.Add(avoidance)
	check("after some time", "a", "b", "c")
}

// TestDialRelay goes over sockets: one port is closed, one is a web server's.
func TestDialRelay(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, closedPort, _ := net.SplitHostPort(closed.Addr().String())
	closed.Close()
	webPort := serve(t, web)
	relayPort := serve(t, relay)
	for name, test := range map[string]struct {
		ports Ports
		used  string
	}{
		"first":        {Ports{SSTP: relayPort, Tunnel: webPort, HTTP: closedPort}, relayPort},
		"refused":      {Ports{SSTP: closedPort, Tunnel: relayPort, HTTP: closedPort}, relayPort},
		"web server":   {Ports{SSTP: webPort, Tunnel: relayPort, HTTP: closedPort}, relayPort},
		"none of them": {Ports{SSTP: closedPort, Tunnel: webPort, HTTP: closedPort}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRouter(t, Config{Ports: test.ports})
			conn, err := r.DialRelay(t.Context(), "grooveDNS://127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "\x01"); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, 100)
			n, err := conn.Read(answer)
			if test.used == "" {
				if err == nil || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "not that of a relay") {
					t.Errorf("%q, %v", answer[:n], err)
				}
				return
			}
			if err != nil || string(answer[:n]) != "\x02yes " || r.Used("grooveDNS://127.0.0.1") != "SSTP on port "+test.used {
				t.Errorf("%q, %v by %q", answer[:n], err, r.Used("grooveDNS://127.0.0.1"))
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := newRouter(t, Config{})
		if _, err := r.DialRelay(ctx, "grooveDNS://127.0.0.1"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// serve has a peer at a port.
func serve(t *testing.T, p peer) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				connect := make([]byte, 100)
				if n, err := conn.Read(connect); err == nil {
					p(conn, string(connect[:n]))
				}
			}()
		}
	}()
	t.Cleanup(func() { l.Close() })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}
