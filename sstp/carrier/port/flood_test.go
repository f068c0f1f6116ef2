package port

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

const (
	flood = 3000
	// honestPatience is how long an honest client waits for an answer under attack.
	// On an idle machine it takes milliseconds.
	honestPatience = 10 * time.Second
)

// TestHonestClientsInAFlood has thousands of connections that say nothing, or not
// all, or wait for ever, come from many addresses and from that of the honest
// clients, who are all served.
func TestHonestClientsInAFlood(t *testing.T) {
	mute := func(c io.ReadWriteCloser) { // is never authenticated, but answers
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
	h := newHarness(t, listen(t, ":0"), Config{SSTP: mute, HTTP: true, TLS: true})
	_, port, _ := net.SplitHostPort(h.Addr().String())

	attack := newAttack(t, port)
	for range flood {
		attack.connect()
	}
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	// The hostile ends are here too. Few connections are on their way.
	if n, most := len(descriptors), flood+maxWaiting+200; n > most {
		t.Errorf("%d descriptors are open, want at most %d", n, most)
	}
	enough := make(chan struct{})
	var attackers, honest sync.WaitGroup
	attackers.Go(func() {
		for {
			select {
			case <-enough:
				return
			default:
				attack.connect()
			}
		}
	})
	for worker := range 4 {
		honest.Go(func() {
			for i := range 25 {
				if err := honestly(h, port, i%3); err != nil {
					t.Errorf("worker %d, visit %d: %v", worker, i, err)
					return
				}
			}
		})
	}
	honest.Wait()
	close(enough)
	attackers.Wait()
	t.Logf("%d hostile connections", attack.made)
}

// honestly makes one visit of a kind.
func honestly(h *harness, port string, kind int) error {
	dialer := &net.Dialer{Timeout: honestPatience}
	c, err := dialer.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(honestPatience)); err != nil {
		return err
	}
	ask := "GET / HTTP/1.0\r\n\r\n"
	switch kind {
	case 0:
		ask = "\x01connect"
	case 1:
		config := h.secure.Clone()
		config.ServerName = "example.com"
		c = tls.Client(c, config)
	}
	if _, err := io.WriteString(c, ask); err != nil {
		return err
	}
	answer := make([]byte, 8)
	_, err = io.ReadFull(c, answer)
	if want := map[bool]string{true: "\x01connect", false: "HTTP/1.0"}[kind == 0]; err == nil && string(answer) != want {
		err = fmt.Errorf("answered %q", answer)
	}
	return err
}

// attack makes connections that do not go on.
type attack struct {
	t     *testing.T
	port  string
	made  int
	conns []net.Conn // the last of them
}

func newAttack(t *testing.T, port string) *attack {
	a := &attack{t: t, port: port, conns: make([]net.Conn, flood)}
	t.Cleanup(func() {
		for _, c := range a.conns {
			if c != nil {
				c.Close()
			}
		}
	})
	return a
}

func (a *attack) connect() {
	beginnings := []string{"", "GET / HTTP/1.1\r\nA: b", "\x16\x03\x01\x02\x00\x01", "\x01connect", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nb"}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+a.made%16))}}
	c, err := dialer.Dial("tcp", net.JoinHostPort("127.0.0.1", a.port))
	a.made++
	if err != nil {
		return // refused, which is the port's right
	}
	_, _ = io.WriteString(c, beginnings[a.made%len(beginnings)]) // likewise
	slot := &a.conns[a.made%flood]
	if *slot != nil {
		(*slot).Close()
	}
	*slot = c
}
