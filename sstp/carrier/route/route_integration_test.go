//go:build integration

package route

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"furrow/sstp/carrier"
	"furrow/sstp/carrier/port"
	"furrow/sstp/carrier/proxy"
)

// transferSize is how much goes over each carrier, in both directions.
const transferSize = 50 << 20

// firewalled takes connections of the proxy only: others are accepted and closed,
// as some firewalls do.
type firewalled struct{ net.Listener }

func (f firewalled) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if host, _, _ := net.SplitHostPort(c.RemoteAddr().String()); host == outgoing {
			return c, nil
		}
		c.Close()
	}
}

// mirror is a relay for tests: it answers a Connect, takes transferSize octets,
// answers with their digest, and sends as many.
func mirror(c io.ReadWriteCloser) {
	go func() {
		defer c.Close()
		connect := make([]byte, 8)
		if _, err := io.ReadFull(c, connect); err != nil {
			return
		}
		if _, err := c.Write([]byte{0x02}); err != nil {
			return
		}
		digest := sha256.New()
		if _, err := io.CopyN(digest, c, transferSize); err != nil {
			return
		}
		if _, err := c.Write(digest.Sum(nil)); err != nil {
			return
		}
		if _, err := io.CopyN(c, randomOctets(), transferSize); err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, c) // until the client has got it all, and goes
	}()
}

// randomOctets are the same each time.
func randomOctets() io.Reader { return rand.NewChaCha8([32]byte{1}) }

// relayBehind serves a mirror at a port that only the proxy gets to, and returns
// where.
func relayBehind(t *testing.T) Ports {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	encapsulation := carrier.NewServer(carrier.ServerConfig{Adopt: mirror, Other: port.Resume})
	p := port.New(firewalled{l}, port.Config{SSTP: mirror, Encapsulation: encapsulation, HTTP: true})
	web := &http.Server{Handler: http.NotFoundHandler()}
	port.Configure(web)
	failed := make(chan error, 2)
	go func() { failed <- p.Serve() }()
	go func() { failed <- web.Serve(p.HTTP()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		// Clients are gone, some without a word.
		if err := encapsulation.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(p.Shutdown(ctx), web.Close()); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-failed; err != nil && !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
		}
	})
	_, number, _ := net.SplitHostPort(l.Addr().String())
	return Ports{SSTP: number, Tunnel: number, HTTP: number}
}

const relayHere = "grooveDNS://127.0.0.1"

// router is one with a proxy, given as for --proxy.
func router(t *testing.T, via Via, ports Ports, raw string) *Router {
	t.Helper()
	proxies, err := proxy.Fixed(raw)
	if err != nil {
		t.Fatal(err)
	}
	return newRouter(t, Config{Via: via, Ports: ports, Proxies: proxies})
}

// connect gets to the relay, and past its answer.
func connect(t *testing.T, r *Router) io.ReadWriteCloser {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := r.DialRelay(ctx, relayHere)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write([]byte("\x01connect")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(c, answer); err != nil || answer[0] != 0x02 {
		t.Fatalf("%x, %v", answer, err)
	}
	t.Logf("by %s", r.Used(relayHere))
	return c
}

// transfer sends and receives.
func transfer(t *testing.T, c io.ReadWriteCloser) {
	t.Helper()
	begun := time.Now()
	want, got := sha256.New(), sha256.New()
	if _, err := io.CopyN(io.MultiWriter(c, want), randomOctets(), transferSize); err != nil {
		t.Fatalf("sending: %v", err)
	}
	digest := make([]byte, sha256.Size)
	if _, err := io.ReadFull(c, digest); err != nil || !bytes.Equal(digest, want.Sum(nil)) {
		t.Fatalf("what was sent has not arrived whole: %x, %v", digest, err)
	}
	up := time.Since(begun)
	if n, err := io.CopyN(got, c, transferSize); err != nil || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Fatalf("receiving: %d octets, %v", n, err)
	}
	t.Logf("%d MB up in %v, down in %v", transferSize>>20, up.Round(time.Millisecond), (time.Since(begun) - up).Round(time.Millisecond))
}

// TestIntegrationSquid has all carriers get through a squid that asks nobody. It
// passes bodies on as they come, so even LongLived gets through.
func TestIntegrationSquid(t *testing.T) {
	address := squid(t, nil)
	ports := relayBehind(t)
	for via, want := range map[Via]string{
		Tunnel:    "SSTP to 127.0.0.1:" + ports.Tunnel,
		LongLived: "LongLived",
		KeepAlive: "KeepAlive",
		Polling:   "Polling",
		Auto:      "SSTP to 127.0.0.1:" + ports.Tunnel,
	} {
		t.Run(string(via), func(t *testing.T) {
			r := router(t, via, ports, address)
			c := connect(t, r)
			if used := r.Used(relayHere); used != want+" through the proxy "+address {
				t.Errorf("used %q, want %q", used, want)
			}
			transfer(t, c)
		})
	}
}

// TestIntegrationFallsBack has a squid forbid one way after the other.
func TestIntegrationFallsBack(t *testing.T) {
	ports := relayBehind(t)
	for want, lines := range map[string][]string{
		"LongLived": {"acl tunnel method CONNECT", "http_access deny tunnel"},
		"KeepAlive": {"acl tunnel method CONNECT", "acl longlived urlpath_regex LongLived", "http_access deny tunnel", "http_access deny longlived"},
		"Polling":   {"acl tunnel method CONNECT", "acl encapsulation urlpath_regex ConnType", "http_access deny tunnel", "http_access deny encapsulation"},
	} {
		t.Run(want, func(t *testing.T) {
			address := squid(t, nil, lines...)
			r := router(t, Auto, ports, address)
			connect(t, r)
			if used := r.Used(relayHere); used != want+" through the proxy "+address {
				t.Errorf("used %q, want %s", used, want)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		r := router(t, Auto, ports, squid(t, nil, "http_access deny all"))
		err := refusal(t, r)
		if err == nil || !strings.Contains(err.Error(), "403 Forbidden") {
			t.Errorf("%v", err)
		}
	})
}

// TestIntegrationAuthentication has squids that ask who it is. For NTLM squid asks
// this program, because Debian's helpers need a Windows domain, or pretend.
func TestIntegrationAuthentication(t *testing.T) {
	ports := relayBehind(t)
	helper, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"helper": string(helper), "basic": htpasswd(t, "ann", "secret"), "digest": "ann:secret\nbob:other\n"}
	for name, test := range map[string]struct {
		lines        []string
		right, wrong string
	}{
		"basic":  {auth("basic", helperDir+"basic_ncsa_auth DIR/basic", "realm test"), "ann:secret@", "ann:other@"},
		"digest": {auth("digest", helperDir+"digest_file_auth DIR/digest", "realm test", "nonce_max_count 5"), "ann:secret@", "ann:other@"},
		"ntlm":   {auth("ntlm", "DIR/helper "+helperArgument, "keep_alive on"), "OFFICE%5Cann:secret@", "OFFICE%5Cann:other@"},
	} {
		t.Run(name, func(t *testing.T) {
			address := squid(t, files, test.lines...)
			for _, via := range []Via{Tunnel, LongLived, KeepAlive, Polling} {
				c := connect(t, router(t, via, ports, "http://"+test.right+address))
				// Many requests, where there are any: nonces are used up.
				if _, err := io.CopyN(c, randomOctets(), 1<<20); err != nil {
					t.Errorf("%s: %v", via, err)
				}
				if err := c.Close(); err != nil {
					t.Errorf("%s: %v", via, err)
				}
			}
			for who, want := range map[string]error{"": proxy.ErrUserWanted, test.wrong: proxy.ErrRejected} {
				for _, via := range []Via{Tunnel, Polling} {
					if err := refusal(t, router(t, via, ports, "http://"+who+address)); !errors.Is(err, want) || !strings.Contains(err.Error(), address) {
						t.Errorf("as %q by %s: %v, want %v", who, via, err, want)
					}
				}
			}
		})
	}
}

// refusal is how a router finds no way. A direct one stands here, and is closed at
// once.
func refusal(t *testing.T, r *Router) error {
	t.Helper()
	c, err := r.DialRelay(t.Context(), relayHere)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte("\x01connect")); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1))
	return err
}

// TestIntegrationImpatientSquid has a squid that closes connections on which nothing
// is asked for two seconds. The client is idle for longer, and goes on.
func TestIntegrationImpatientSquid(t *testing.T) {
	address := squid(t, nil, "client_idle_pconn_timeout 2 seconds", "server_idle_pconn_timeout 2 seconds", "request_timeout 2 seconds")
	ports := relayBehind(t)
	for _, via := range []Via{Tunnel, LongLived, KeepAlive, Polling} {
		t.Run(string(via), func(t *testing.T) {
			c := connect(t, router(t, via, ports, address))
			time.Sleep(4 * time.Second) // longer than squid's patience
			transfer(t, c)
		})
	}
}
