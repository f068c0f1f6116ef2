package carrier

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// proxy is a forward proxy for tests.
type proxy struct {
	b *box
	// stores says that bodies are stored as a whole before they go on.
	stores bool
	// closes says that it keeps no connection to the client, once that is let
	// through.
	closes bool
	// scheme is what it demands; "" for nothing.
	scheme string

	mu       sync.Mutex
	requests []string // their methods, and "refused"
}

func (p *proxy) dial(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	p.b.serving.Go(func() {
		defer func() { _ = far.Close() }() // perhaps closed already
		p.serve(&exchange{far, bufio.NewReader(far)})
	})
	return near, nil
}

func (p *proxy) serve(x *exchange) {
	authenticated := false // as NTLM has it: the connection
	for {
		h, err := ReadHead(x.r)
		if err != nil {
			return
		}
		challenge := p.judge(h.Get("Proxy-Authorization"), &authenticated)
		p.note(h, challenge == "")
		if challenge != "" {
			n, _ := contentLength(h.Fields)
			if n > maxBody {
				// Such a body is not waited for, and the connection not used again.
				p.b.serving.Go(func() {
					_, _ = x.conn.Write([]byte("HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: " + challenge + "\r\nContent-Length: 0\r\n\r\n"))
				})
				_, _ = io.Copy(io.Discard, x.r) // until the client hangs up
				return
			}
			if _, err := readBody(x.r, max(n, 0)); err != nil {
				return
			}
			if x.write([]byte("HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: "+challenge+"\r\nProxy-Connection: Keep-Alive\r\nContent-Length: 3\r\n\r\nno!")) != nil {
				return
			}
			continue
		}
		if !strings.HasPrefix(h.Target, "http://") {
			return
		}
		onward, err := p.b.dial(context.Background())
		if err != nil {
			return
		}
		again := false
		if p.stores {
			again = p.store(x, &exchange{onward, bufio.NewReader(onward)}, h)
		} else {
			p.stream(x, onward, h)
		}
		_ = onward.Close() // perhaps closed already
		if !again || p.closes {
			return
		}
	}
}

// judge returns what to demand, or "".
func (p *proxy) judge(authorization string, authenticated *bool) string {
	switch {
	case p.scheme == "" || *authenticated || authorization == "Basic secret":
		return ""
	case p.scheme == "Basic":
		return `Basic realm="test"`
	case authorization == "NTLM TlRMTVNTUAABmine":
		return "NTLM TlRMTVNTUAACyours"
	case authorization == "NTLM TlRMTVNTUAADsecret":
		*authenticated = true
		return ""
	default:
		return "NTLM"
	}
}

func (p *proxy) note(h Head, through bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if through {
		p.requests = append(p.requests, h.Method)
		return
	}
	p.requests = append(p.requests, h.Method+" refused")
}

// saw returns the requests so far.
func (p *proxy) saw() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// store forwards a request and its response one after the other.
func (p *proxy) store(x, onward *exchange, h Head) bool {
	n, err := contentLength(h.Fields)
	if err != nil {
		return false
	}
	var stored bytes.Buffer
	if _, err := io.CopyN(&stored, x.r, max(n, 0)); err != nil {
		return false
	}
	if onward.write(append(slices.Clone(h.Raw), stored.Bytes()...)) != nil {
		return false
	}
	a, err := readReplyHead(onward.r)
	if err != nil {
		return false
	}
	body, err := a.body(onward.r)
	if err != nil {
		return false
	}
	head := appendResponse(nil, "proxy/1", a.code, !p.closes, int64(len(body)))
	return x.write(append(head, body...)) == nil
}

// stream forwards whatever comes.
func (p *proxy) stream(x *exchange, onward net.Conn, h Head) {
	if _, err := onward.Write(h.Raw); err != nil {
		return
	}
	x.allowAll()
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(onward, x.r) // until either end closes
		_ = onward.Close()
	})
	_, _ = io.Copy(x.conn, onward) // until either end closes
	_ = x.conn.Close()
	up.Wait()
}

// credentials is an Authorizer of a user who knows the secret.
type credentials struct {
	scheme string
	next   string
	used   sync.Mutex // is not to be contended
}

func (c *credentials) Authorize(method, uri string) (string, error) {
	if !c.used.TryLock() {
		return "", errors.New("used concurrently")
	}
	defer c.used.Unlock()
	next := c.next
	if c.scheme == "NTLM" {
		c.next = ""
	}
	return next, nil
}

func (c *credentials) Challenged(challenges []string) error {
	if !c.used.TryLock() {
		return errors.New("used concurrently")
	}
	defer c.used.Unlock()
	switch {
	case c.scheme == "":
		return errors.New("no credentials")
	case slices.Equal(challenges, []string{"NTLM"}):
		c.next = "NTLM TlRMTVNTUAABmine"
	case slices.Equal(challenges, []string{"NTLM TlRMTVNTUAACyours"}):
		c.next = "NTLM TlRMTVNTUAADsecret"
	case c.next != "":
		return errors.New("not let in")
	default:
		c.next = "Basic secret"
	}
	return nil
}

func TestProxies(t *testing.T) {
	for _, tt := range []struct {
		name           string
		stores, closes bool
		scheme         string
		modes          []Mode
	}{
		{"streaming", false, false, "", []Mode{LongLived, Polling}},
		{"streaming, Basic", false, false, "Basic", []Mode{LongLived, Polling}},
		{"streaming, NTLM", false, false, "NTLM", []Mode{LongLived, Polling}},
		{"storing", true, false, "", []Mode{KeepAlive, Polling}},
		{"storing, Basic", true, false, "Basic", []Mode{KeepAlive, Polling}},
		{"storing, NTLM", true, false, "NTLM", []Mode{KeepAlive, Polling}},
		{"storing and closing", true, true, "", []Mode{KeepAlive, Polling}},
		{"storing and closing, NTLM", true, true, "NTLM", []Mode{KeepAlive, Polling}},
	} {
		for _, m := range tt.modes {
			bubble(t, tt.name+", "+m.String(), ServerConfig{}, func(t *testing.T, b *box) {
				p := proxy{b: b, stores: tt.stores, closes: tt.closes, scheme: tt.scheme}
				cfg := b.config(m)
				cfg.Dial, cfg.Proxy = p.dial, &credentials{scheme: p.scheme}
				client, relay := b.connect(cfg)
				data := random(uint64(m), 100_000)
				for range 2 {
					if err := transfer(client, relay, data); err != nil {
						t.Fatal("to the relay: ", err)
					}
					if err := transfer(relay, client, data); err != nil {
						t.Fatal("to the client: ", err)
					}
					time.Sleep(2 * time.Minute) // connections come and go
				}
				if err := client.Close(); err != nil {
					t.Error(err)
				}
				saw := p.saw()
				refused := slices.Contains(saw, "POST refused") || slices.Contains(saw, "GET refused")
				if refused != (p.scheme != "") {
					t.Errorf("the proxy saw %.500q", saw)
				}
			})
		}
	}
}

// The GET is challenged before there is a POST, and with Basic the POST never is.
func TestLongLivedLearnsOfAProxyBeforeItsBody(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		p := proxy{b: b, scheme: "Basic"}
		cfg := b.config(LongLived)
		cfg.Dial, cfg.Proxy = p.dial, &credentials{scheme: "Basic"}
		b.connect(cfg)
		if want := []string{"GET refused", "GET", "POST"}; !slices.Equal(p.saw(), want) {
			t.Errorf("the proxy saw %q, want %q", p.saw(), want)
		}
	})
}

func TestProxyThatDoesNotLetIn(t *testing.T) {
	for _, m := range modes {
		bubble(t, m.String(), ServerConfig{}, func(t *testing.T, b *box) {
			p := proxy{b: b, scheme: "Basic"}
			cfg := b.config(m)
			cfg.Dial, cfg.Proxy = p.dial, &credentials{}
			if _, err := Dial(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "no credentials") {
				t.Error(err)
			}
			cfg.Proxy = nil
			var status *StatusError
			if _, err := Dial(t.Context(), cfg); !errors.As(err, &status) || status.Code != http.StatusProxyAuthRequired {
				t.Error(err)
			}
			synctest.Wait()
		})
	}
}

// LongLived does not get through a proxy that stores, and finds out.
func TestLongLivedThroughAStoringProxy(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		p := proxy{b: b, stores: true}
		cfg := b.config(LongLived)
		cfg.Dial, cfg.Proxy = p.dial, &credentials{}
		var status *StatusError
		if _, err := Dial(t.Context(), cfg); !errors.As(err, &status) || status.Code != http.StatusRequestTimeout {
			t.Error(err)
		}
	})
}
