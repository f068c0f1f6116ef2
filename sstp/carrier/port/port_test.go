package port

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pires/go-proxyproto"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// harness is a port with everything behind it.
type harness struct {
	*Port
	t      *testing.T
	secure *tls.Config // that of a client
}

// newHarness serves a port. SSTP is echoed; HTTP and HTTPS say what they are and
// whom they see.
func newHarness(t *testing.T, l net.Listener, c Config) *harness {
	t.Helper()
	h := &harness{Port: New(l, c), t: t}
	say := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintf(w, "%s %s tls=%t from %s: %s", r.Method, r.RequestURI, r.TLS != nil, host, body)
	})
	quiet := log.New(io.Discard, "", 0) // of peers' mistakes
	plain := &http.Server{Handler: say, ErrorLog: quiet}
	Configure(plain)
	secure := httptest.NewUnstartedServer(say)
	secure.Config.ErrorLog = quiet
	Configure(secure.Config)
	secure.Listener.Close()
	secure.Listener = h.TLS()
	secure.StartTLS()
	h.secure = secure.Client().Transport.(*http.Transport).TLSClientConfig
	failed := make(chan error, 2)
	go func() { failed <- plain.Serve(h.HTTP()) }()
	go func() { failed <- h.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := errors.Join(h.Shutdown(ctx), plain.Close()); err != nil {
			t.Errorf("shutting down: %v", err)
		}
		secure.Close()
		for range 2 {
			if err := <-failed; err != nil && !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("serving: %v", err)
			}
		}
	})
	return h
}

func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// echo is SSTP for tests.
func echo(c io.ReadWriteCloser) {
	go func() {
		defer c.Close()
		_, _ = io.Copy(c, c)
	}()
}

// talk sends octets and returns what comes until the connection ends.
func talk(t *testing.T, addr net.Addr, octets string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return converse(t, c, octets)
}

func converse(t *testing.T, c net.Conn, octets string) string {
	t.Helper()
	if _, err := io.WriteString(c, octets); err != nil {
		t.Fatal(err)
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok && octets != "" && octets[0] == sstpConnect {
		if err := half.CloseWrite(); err != nil && !errors.Is(err, syscall.ENOTCONN) {
			t.Fatal(err)
		}
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("after %q: %v", got, err)
	}
	return string(got)
}

const get = "GET /a?b HTTP/1.1\r\nHost: box.example:443\r\nConnection: close\r\n\r\n"

func TestFirstOctet(t *testing.T) {
	everything := Config{SSTP: echo, HTTP: true, TLS: true}
	web := Config{SSTP: echo, TLS: true} // as on 443
	for name, test := range map[string]struct {
		config Config
		send   string
		want   string // begins the answer; empty for none
		inside string // the answer
	}{
		"sstp":               {everything, "\x01connect", "\x01connect", ""},
		"http":               {everything, get, "HTTP/1.1 200 OK", "GET /a?b tls=false from 127.0.0.1: "},
		"http with body":     {everything, "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 200 OK", "tls=false from 127.0.0.1: hello"},
		"lower case":         {everything, "get / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK", "get /"},
		"duplicate headers":  {everything, "GET / HTTP/1.0\r\nCache-Control: a\r\nCache-Control: b\r\n\r\n", "HTTP/1.0 200 OK", ""},
		"something else":     {everything, "\x05\x01\x00", "", ""},
		"not a head":         {everything, "HELO there\r\n\r\n", "", ""},
		"sstp not offered":   {Config{HTTP: true}, "\x01connect", "", ""},
		"tls not offered":    {Config{HTTP: true}, "\x16\x03\x01\x00\x05hello", "", ""},
		"http for https":     {web, get, "HTTP/1.0 302 Found\r\nLocation: https://box.example:443/a?b\r\n", "https://"},
		"post for https":     {web, "POST / HTTP/1.1\r\nHost: box\r\nContent-Length: 0\r\n\r\n", "HTTP/1.0 400 Bad Request", "https://"},
		"no host for https":  {web, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 400 Bad Request", "https://"},
		"bad host for https": {web, "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", "HTTP/1.0 400 Bad Request", "https://"},
		"http for sstp":      {Config{SSTP: echo}, get, "HTTP/1.0 400 Bad Request", "does not speak plain HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, listen(t, "127.0.0.1:0"), test.config)
			got := talk(t, h.Addr(), test.send)
			if !strings.HasPrefix(got, test.want) || !strings.Contains(got, test.inside) || test.want == "" && got != "" {
				t.Errorf("%q, want %q with %q in it", got, test.want, test.inside)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	h := newHarness(t, listen(t, "127.0.0.1:0"), Config{SSTP: echo, TLS: true})
	for _, protocol := range []string{"http/1.1", "h2"} {
		transport := &http.Transport{TLSClientConfig: h.secure.Clone(), ForceAttemptHTTP2: protocol == "h2"}
		transport.TLSClientConfig.NextProtos = []string{protocol}
		answer, err := (&http.Client{Transport: transport}).Get("https://" + h.Addr().String() + "/x")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != "GET /x tls=true from 127.0.0.1: " {
			t.Errorf("%q, %v", body, err)
		}
		answer.Body.Close()
		transport.CloseIdleConnections()
	}
}

// TestBothFamilies has one socket serve IPv4 and IPv6, each peer with its address.
func TestBothFamilies(t *testing.T) {
	h := newHarness(t, listen(t, ":0"), Config{HTTP: true})
	_, port, _ := net.SplitHostPort(h.Addr().String())
	for _, host := range []string{"127.0.0.1", "::1"} {
		addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		if got := talk(t, addr, get); !strings.Contains(got, "from "+host+":") {
			t.Errorf("from %s: %q", host, got)
		}
	}
}

func TestProxyProtocol(t *testing.T) {
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	from := &net.TCPAddr{IP: net.IPv4(198, 51, 100, 7), Port: 1234}
	to := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 1), Port: 80}
	header := func(version byte) string {
		octets, err := proxyproto.HeaderProxyFromAddrs(version, from, to).Format()
		if err != nil {
			t.Fatal(err)
		}
		return string(octets)
	}
	local := "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
	for name, test := range map[string]struct {
		trusted []netip.Prefix
		send    string
		want    string
	}{
		"version 1":                    {here, header(1) + get, "from 198.51.100.7"},
		"version 2":                    {here, header(2) + get, "from 198.51.100.7"},
		"for itself":                   {here, local + get, "from 127.0.0.1"},
		"sstp":                         {here, header(2) + "\x01x", ""},
		"no header":                    {here, get, ""},
		"version 1 of a stranger":      {elsewhere, header(1) + get, ""},
		"version 2 of a stranger":      {elsewhere, header(2) + get, ""},
		"none of a stranger":           {elsewhere, get, "from 127.0.0.1"},
		"off":                          {nil, get, "from 127.0.0.1"},
		"version 1 when nobody may":    {nil, header(1) + get, ""},
		"garbage after the right sign": {here, "PROXY TCP4 nonsense\r\n" + get, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, listen(t, "127.0.0.1:0"), Config{HTTP: true, BehindProxies: test.trusted})
			got := talk(t, h.Addr(), test.send)
			if !strings.Contains(got, test.want) || test.want == "" && got != "" {
				t.Errorf("%q, want %q in it", got, test.want)
			}
		})
	}
}

// TestPeerSurvives has the relay see the peer's address behind a proxy.
func TestPeerSurvives(t *testing.T) {
	seen := make(chan net.Addr, 1)
	newHarnessConfig := Config{
		BehindProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		SSTP: func(c io.ReadWriteCloser) {
			transport := c.(net.Conn)
			err := c.(interface {
				SetKeepAliveConfig(net.KeepAliveConfig) error
			}).SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Minute})
			if err != nil {
				t.Errorf("keep-alive: %v", err)
			}
			seen <- transport.RemoteAddr()
			transport.Close()
		},
	}
	h := newHarness(t, listen(t, "127.0.0.1:0"), newHarnessConfig)
	talk(t, h.Addr(), "PROXY TCP6 2001:db8::1 2001:db8::2 5 6\r\n\x01")
	if got := (<-seen).String(); got != "[2001:db8::1]:5" {
		t.Errorf("peer %s", got)
	}
}

// pipes is a listener of connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 80} }

// TestTimeouts ends who says nothing, and who does not finish the head.
func TestTimeouts(t *testing.T) {
	for name, test := range map[string]struct {
		send string
		want time.Duration
	}{
		"nothing":     {"", firstOctetTimeout},
		"half a head": {"GET / HTTP/1.1\r\nA: ", headTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := make(pipes)
				p := New(l, Config{HTTP: true})
				served := make(chan error)
				go func() { served <- p.Serve() }()
				here, there := net.Pipe()
				l <- there
				begun := time.Now()
				if _, err := io.WriteString(here, test.send); err != nil {
					t.Fatal(err)
				}
				if _, err := here.Read(make([]byte, 1)); err != io.EOF || time.Since(begun) != test.want {
					t.Errorf("%v after %v, want the end after %v", err, time.Since(begun), test.want)
				}
				if err := p.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestShutdown ends connections that have said nothing yet, and those that wait for
// an http.Server that does not come.
func TestShutdown(t *testing.T) {
	p := New(listen(t, "127.0.0.1:0"), Config{HTTP: true})
	served := make(chan error)
	go func() { served <- p.Serve() }()
	var conns []net.Conn
	for _, send := range []string{"", "G", get} {
		c, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, send); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for p.waiting.len() < len(conns) {
		time.Sleep(time.Millisecond) // until all are accepted
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	for _, c := range conns {
		if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%v, want the end", err)
		}
	}
	if n := p.waiting.len(); n != 0 {
		t.Errorf("%d wait after the end", n)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
}

// TestIdleWaits has a kept connection wait in the waiting room between requests, and
// be proven by each.
func TestIdleWaits(t *testing.T) {
	p := New(listen(t, "127.0.0.1:0"), Config{HTTP: true})
	waiting := make(chan int, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == "PUT" {
			waiting <- p.waiting.len() // before the body
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		waiting <- p.waiting.len()
	})}
	Configure(server)
	failed := make(chan error, 2)
	go func() { failed <- p.Serve() }()
	go func() { failed <- server.Serve(p.HTTP()) }()
	c, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for range 2 {
		for request, want := range map[string][]int{
			"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                        {0},
			"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab": {1, 0},
		} {
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			for _, want := range want {
				if got := <-waiting; got != want {
					t.Errorf("%.3s: %d wait, want %d", request, got, want)
				}
			}
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			for p.waiting.len() != 1 {
				time.Sleep(time.Millisecond) // until it is idle
			}
		}
	}
	if err := errors.Join(p.Shutdown(t.Context()), server.Close()); err != nil {
		t.Error(err)
	}
	for range 2 {
		<-failed
	}
}

// failing is a listener that fails after its first connection.
type failing struct {
	net.Listener
	calls int
	ready chan struct{}
}

func (f *failing) Accept() (net.Conn, error) {
	if f.calls++; f.calls == 2 {
		<-f.ready
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

// TestNoDescriptors has a port that cannot accept for want of descriptors give up
// the connection that has waited longest, and go on.
func TestNoDescriptors(t *testing.T) {
	l := &failing{Listener: listen(t, "127.0.0.1:0"), ready: make(chan struct{})}
	h := newHarness(t, l, Config{HTTP: true})
	idle, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	close(l.ready)
	if err := idle.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the idle connection: %v", err)
	}
	if got := talk(t, h.Addr(), get); !strings.HasPrefix(got, "HTTP/1.1 200 OK") {
		t.Errorf("%q", got)
	}
}
