package proxy

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/icholy/digest"
	"go.uber.org/goleak"

	"furrow/sstp/carrier/internal/ntlmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "OFFICE\\ann"
	password = "p@ss:wörd"
)

// fake is a proxy. Tunnels are echoed, requests answered with nothing.
type fake struct {
	offers   []string // Proxy-Authenticate; NTLM without token
	hangsUp  bool     // closes the connection with each 407
	status   string   // answer to CONNECT when it is content; default 200
	nonces   []string // of Digest, the first first; the last stays
	listener net.Listener
	work     sync.WaitGroup

	mu    sync.Mutex
	heard []string // first line and authorization scheme of each request
	conns int
}

func (f *fake) start(t *testing.T) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.listener = l
	f.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns++
			f.mu.Unlock()
			f.work.Go(func() {
				defer c.Close()
				if err := f.serve(c); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
					t.Logf("fake proxy: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		f.work.Wait()
	})
	return f
}

// connection is what NTLM proves.
type connection struct {
	ntlmtest.Verifier
	passed bool
}

// proxy is the fake as a client knows it.
func (f *fake) proxy(t *testing.T, who *url.Userinfo) *Proxy {
	t.Helper()
	s, err := Fixed((&url.URL{Scheme: "http", Host: f.listener.Addr().String(), User: who}).String())
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.For("http", "relay.example")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.heard...)
}

// serve answers the requests of one connection.
func (f *fake) serve(c net.Conn) error {
	in := bufio.NewReader(c)
	domain, name, _ := strings.Cut(user, "\\")
	ntlm := connection{Verifier: ntlmtest.Verifier{Domain: domain, User: name, Password: password}}
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return err
		}
		authorization := r.Header.Get("Proxy-Authorization")
		scheme, _, _ := strings.Cut(authorization, " ")
		f.mu.Lock()
		f.heard = append(f.heard, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+scheme))
		f.mu.Unlock()
		if offers := f.judge(r, authorization, &ntlm); len(offers) > 0 {
			if err := f.challenge(c, r, offers); err != nil || f.hangsUp {
				return err
			}
			continue
		}
		status := "200 OK"
		if f.status != "" {
			status = f.status
		}
		if r.Method != http.MethodConnect {
			_, err := io.WriteString(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
			if err != nil {
				return err
			}
			continue
		}
		// The peer's first word is on its way with the answer.
		if _, err := fmt.Fprintf(c, "HTTP/1.1 %s\r\n\r\nhello ", status); err != nil {
			return err
		}
		_, err = io.Copy(c, in)
		return err
	}
}

func (f *fake) challenge(c net.Conn, r *http.Request, offers []string) error {
	var head strings.Builder
	head.WriteString("HTTP/1.1 407 Proxy Authentication Required\r\n")
	for _, offer := range offers {
		fmt.Fprintf(&head, "Proxy-Authenticate: %s\r\n", offer)
	}
	if f.hangsUp {
		head.WriteString("Connection: close\r\n")
	}
	body := "a page for people"
	fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", len(body))
	if r.Method == http.MethodHead {
		body = ""
	}
	_, err := io.WriteString(c, head.String()+body)
	return err
}

// judge returns the challenges if it is not content.
func (f *fake) judge(r *http.Request, authorization string, ntlm *connection) []string {
	scheme, value, _ := strings.Cut(authorization, " ")
	switch {
	case len(f.offers) == 0 || ntlm.passed:
		return nil
	case scheme == "Basic":
		if value == base64.StdEncoding.EncodeToString([]byte(user+":"+password)) {
			return nil
		}
	case scheme == "NTLM":
		challenge, passed := ntlm.Take(value)
		if challenge != "" {
			return []string{"NTLM " + challenge}
		}
		if ntlm.passed = passed; passed {
			return nil
		}
	case scheme == "Digest":
		return f.judgeDigest(r, authorization)
	}
	return f.named("", false)
}

// named are the offers with a nonce in those of Digest.
func (f *fake) named(refused string, stale bool) []string {
	nonce := ""
	if len(f.nonces) > 0 {
		if refused == f.nonces[0] && len(f.nonces) > 1 {
			f.nonces = f.nonces[1:]
		}
		nonce = f.nonces[0]
	}
	offers := make([]string, 0, len(f.offers))
	for _, offer := range f.offers {
		offer = strings.ReplaceAll(offer, "NONCE", nonce)
		if stale {
			offer = strings.ReplaceAll(offer, "Digest ", "Digest stale=true, ")
		}
		offers = append(offers, offer)
	}
	return offers
}

func (f *fake) judgeDigest(r *http.Request, authorization string) []string {
	got, err := digest.ParseCredentials(authorization)
	if err != nil {
		return f.named("", false)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	offer, _ := strongest(f.named("", false))
	want, err := digest.Digest(offer.digest, digest.Options{
		Method: r.Method, URI: r.RequestURI, Count: got.Nc, Username: user, Password: password, Cnonce: got.Cnonce,
	})
	if err != nil {
		return f.named("", false)
	}
	// The first of several nonces is too old for all but its first use.
	if len(f.nonces) > 1 && (got.Nc > 1 || got.Nonce != f.nonces[0]) {
		return f.named(f.nonces[0], true)
	}
	if got.Response == want.Response && got.URI == r.RequestURI {
		return nil
	}
	return f.named("", false)
}
