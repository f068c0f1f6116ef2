package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"furrow/appliance/alert"
	"furrow/relay/traffic"
)

func TestDashboard(t *testing.T) {
	b := newRelayBox(t, online(2))
	b.office()
	b.Carried = traffic.Sum{MessagesIn: 4, BytesIn: 5_000_000, MessagesOut: 2, BytesOut: 1000, Online: 2}
	b.contains(b.get("/"), "All is well", "4.0 kB", `id="online">2<`, "4 · 5.0 MB", "Last 30 days", "No backups of the box are planned.")
	b.Seen = alert.Observations{alert.Relay: nil, alert.MailStuck: {{Value: 30}}}
	b.Alerts.Evaluate(t.Context())
	b.contains(b.get("/"), "1 thing needs you", "Mail is not getting out", "30 hours", "Look what the mail server says")
	b.contains(b.get("/reports/traffic"), "Carried each day", "5.0 MB", "2026-03-14")
}

// stream is a browser that reads a live part.
type stream struct {
	header http.Header

	mu    sync.Mutex
	text  bytes.Buffer // guarded by mu
	until time.Time    // guarded by mu: HTTP/2 breaks it off then
}

func (s *stream) Header() http.Header { return s.header }
func (s *stream) WriteHeader(int)     {}
func (s *stream) Flush()              {}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = t
	return nil
}

// read is what has come, and when the stream ends.
func (s *stream) read() (text string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.until
}

// TestLiveDashboard sees a device come online without asking again, and nothing sent while nothing changes.
func TestLiveDashboard(t *testing.T) {
	r := online(0)
	b := newRelayBox(t, r)
	b.office()
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		asked := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://box/live/dashboard", nil)
		asked.TLS = &tls.ConnectionState{}
		asked.AddCookie(&http.Cookie{Name: sessionCookie, Value: b.cookies[sessionCookie]})
		w := &stream{header: http.Header{}}
		ended := make(chan struct{})
		go func() {
			b.handler.ServeHTTP(w, asked)
			close(ended)
		}()
		events := func() (n int, newest string) {
			synctest.Wait()
			text, _ := w.read()
			all := strings.Split(text, "event: part\n")
			return len(all) - 1, all[len(all)-1]
		}
		n, part := events()
		if n != 1 || !strings.Contains(part, `id="online">0<`) {
			t.Fatalf("%d events, at first\n%s", n, part)
		}
		time.Sleep(5 * livePeriod)
		if n, _ := events(); n != 1 {
			t.Errorf("%d events though nothing has changed", n)
		}
		if _, until := w.read(); !until.IsZero() {
			t.Errorf("a quiet stream ends at %v", until)
		}
		r.online.Store(1)
		time.Sleep(livePeriod)
		if n, part := events(); n != 2 || !strings.Contains(part, `id="online">1<`) {
			t.Errorf("%d events after a device has come, the last\n%s", n, part)
		}
		leave()
		<-ended
	})
}
