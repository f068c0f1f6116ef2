package alert

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"furrow/appliance/keys"
	"furrow/appliance/mail"
	"furrow/appliance/state"
)

// box is a Monitor over a store in a folder, with a clock and readings of its own.
type box struct {
	*Monitor
	dir  string
	now  time.Time
	seen Observations
}

func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{dir: t.TempDir(), now: start}
	b.open(t)
	t.Cleanup(func() { check(t, b.Store.Close()) })
	return b
}

func (b *box) open(t *testing.T) {
	t.Helper()
	schema := state.NewSchema()
	tables, mailTables := Declare(schema), mail.Declare(schema)
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return b.now }
	store, _, err := state.Open(filepath.Join(b.dir, "state"), schema, state.Options{Logger: log})
	check(t, err)
	vault, err := keys.OpenVault(b.dir)
	check(t, err)
	post := mail.New(mail.Config{Store: store, Tables: mailTables, Vault: vault, Hostname: "box.example.com", Now: now, Log: log})
	b.Monitor = New(Config{
		Store: store, Tables: tables, Vault: vault, Mail: post, Box: "box.example.com", Now: now, Log: log,
		Observe: func(context.Context) Observations { return b.seen },
	})
}

// see evaluates one disk with so many MB free.
func (b *box) see(t *testing.T, free float64) {
	t.Helper()
	b.seen = Observations{Disk: {{Value: free, Detail: "of 8000 MB"}}}
	b.Evaluate(t.Context())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mailbox is a real SMTP server that takes everything.
type mailbox struct {
	arrived chan string
	address string
}

type session struct{ to *mailbox }

func (session) Mail(string, *smtp.MailOptions) error { return nil }
func (session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (session) Reset()                               {}
func (session) Logout() error                        { return nil }
func (s session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.to.arrived <- string(text)
	return err
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{arrived: make(chan string, 20)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{m}, nil }))
	server.Domain = "localhost"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	m.address = listener.Addr().String()
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(listener) }) // ends with the listener
	t.Cleanup(func() { _ = server.Close(); done.Wait() })
	return m
}

// TestMail sends what is raised through the outbox to a mail server, and is quiet about it after a restart.
func TestMail(t *testing.T) {
	b, m := newBox(t), newMailbox(t)
	check(t, b.Mail.SetSettings(t.Context(), mail.Settings{Server: m.address, Security: mail.Plain, From: "box@example.com"}))
	_, err := b.SetSettings(t.Context(), Settings{Recipients: []string{"ann@example.com"}})
	check(t, err)
	b.see(t, 5000)
	b.see(t, 1200)
	b.see(t, 1100)
	check(t, b.Store.Close())
	b.open(t)
	b.see(t, 1000)
	if waiting := b.Mail.List(); len(waiting) != 1 || waiting[0].To != "ann@example.com" {
		t.Fatalf("in the outbox after a restart: %+v", waiting)
	}
	if list := b.List(); len(list) != 1 || list[0].Value != 1000 || list[0].Level != Warning || !list[0].Raised.Equal(start) {
		t.Fatalf("raised: %+v", list)
	}
	b.now = b.now.Add(90 * time.Minute)
	b.see(t, 4000)

	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.Mail.Run(ctx) })
	defer running.Wait()
	defer cancel()
	raised, cleared := <-m.arrived, <-m.arrived
	for text, want := range map[string][]string{
		raised: {
			"[Furrow box.example.com] warning: the disk is nearly full", "1200 MB free (warning up to 2000, critical up to 500)",
			"of 8000 MB", "What to do: Make room", "furrow alert list",
		},
		cleared: {"over: the disk is nearly full", "lasted 1h30m0s"},
	} {
		text = strings.ReplaceAll(text, "=\r\n", "") // quoted-printable
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("mail lacks %q:\n%s", w, text)
			}
		}
	}
	if list := b.List(); len(list) != 0 {
		t.Errorf("still raised: %+v", list)
	}
}

// receiver is a real HTTPS server that takes a web hook.
type receiver struct {
	*httptest.Server
	arrived chan delivery

	mu     sync.Mutex
	answer func(http.ResponseWriter) // guarded by mu
}

type delivery struct {
	id, signature string
	body          []byte
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{arrived: make(chan delivery, 20)}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil || q.Method != http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w)
		}
		r.arrived <- delivery{q.Header.Get(DeliveryHeader), q.Header.Get(SignatureHeader), body}
	}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(f func(http.ResponseWriter)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func (r *receiver) authority() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}))
}

func TestWebHook(t *testing.T) {
	b, r := newBox(t), newReceiver(t)
	made, err := b.SetSettings(t.Context(), Settings{URL: r.URL + "/hook", Authority: r.authority()})
	check(t, err)
	if len(made.Secret) < minSecret {
		t.Fatalf("secret %q", made.Secret)
	}
	if kept, err := b.SetSettings(t.Context(), Settings{URL: r.URL + "/hook", Authority: r.authority()}); err != nil || kept.Secret != "" {
		t.Fatalf("with the same URL: %+v, %v", kept, err)
	}
	b.see(t, 400)

	// The first attempt fails and is made again later, with the same ID.
	r.answers(func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) })
	if wait := b.sendDue(t.Context()); wait != firstPause {
		t.Errorf("after a failure it waits %v", wait)
	}
	first := <-r.arrived
	b.sendDue(t.Context()) // not due yet
	b.now = b.now.Add(firstPause)
	r.answers(nil)
	b.sendDue(t.Context())
	second := <-r.arrived
	if len(r.arrived) != 0 || first.id == "" || first.id != second.id || string(first.body) != string(second.body) {
		t.Errorf("delivered %+v, then %+v, and %d more", first, second, len(r.arrived))
	}
	at, got, _ := strings.Cut(strings.TrimPrefix(second.signature, "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(made.Secret))
	mac.Write([]byte(at + "." + string(second.body)))
	if want := hex.EncodeToString(mac.Sum(nil)); got != want || at != "1773501026" {
		t.Errorf("signature %q, want %s", second.signature, want)
	}
	var body hookBody
	check(t, json.Unmarshal(second.body, &body))
	if body.Kind != Disk || body.Level != Critical || body.Event != Raised || body.Value != 400 || body.Remedy == "" || body.Box != "box.example.com" {
		t.Errorf("body %+v", body)
	}
	if n := b.Tables.hooks.Len(b.Store.Snapshot()); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

func TestWebHookRefuses(t *testing.T) {
	b, r := newBox(t), newReceiver(t)
	followed := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer followed.Close()
	r.answers(func(w http.ResponseWriter) {
		w.Header().Set("Location", followed.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	hook := Settings{URL: r.URL, Secret: "0123456789abcdef", Authority: r.authority()}
	if err := post(t.Context(), hook, "1", nil, b.now); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("a redirect: %v", err)
	}
	hook.Authority, hook.URL = "", r.URL+"/hook-token"
	if err := post(t.Context(), hook, "1", nil, b.now); err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "hook-token") {
		t.Errorf("an unknown authority: %v", err)
	}
	for address, allowed := range map[string]bool{
		"169.254.169.254:443": false, "[fe80::1]:443": false, "[::ffff:169.254.169.254]:443": false, "0.0.0.0:443": false,
		"224.0.0.1:443": false, "10.0.0.7:443": true, "127.0.0.1:443": true, "[2001:db8::1]:443": true,
	} {
		if err := controlHook("tcp", address, nil); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestGivesUp keeps the queue of a receiver that is away for good small.
func TestGivesUp(t *testing.T) {
	b, r := newBox(t), newReceiver(t)
	_, err := b.SetSettings(t.Context(), Settings{URL: r.URL, Authority: r.authority()})
	check(t, err)
	b.see(t, 400)
	r.Close()
	attempts := 0
	for b.Tables.hooks.Len(b.Store.Snapshot()) > 0 && attempts < 100 {
		b.sendDue(t.Context())
		b.now = b.now.Add(lastPause)
		attempts++
	}
	if attempts < 20 || attempts > 30 {
		t.Errorf("given up after %d attempts", attempts)
	}
}

// TestNothingCanBeWritten sends past the queues when the state takes no change.
func TestNothingCanBeWritten(t *testing.T) {
	b, r, m := newBox(t), newReceiver(t), newMailbox(t)
	check(t, b.Mail.SetSettings(t.Context(), mail.Settings{Server: m.address, Security: mail.Plain, From: "box@example.com"}))
	_, err := b.SetSettings(t.Context(), Settings{Recipients: []string{"ann@example.com"}, URL: r.URL, Authority: r.authority()})
	check(t, err)
	check(t, b.Store.Close())
	for range 2 { // once is enough
		b.see(t, 400)
	}
	if text := <-m.arrived; !strings.Contains(text, "critical: the disk is nearly full") {
		t.Errorf("mail %s", text)
	}
	<-r.arrived
	if len(m.arrived)+len(r.arrived) != 0 || len(b.List()) != 1 {
		t.Errorf("%d mails and %d hooks more, raised %+v", len(m.arrived), len(r.arrived), b.List())
	}
	b.open(t) // for Cleanup
}

func TestTest(t *testing.T) {
	b, r := newBox(t), newReceiver(t)
	_, err := b.SetSettings(t.Context(), Settings{Recipients: []string{"ann@example.com"}, URL: r.URL, Authority: r.authority()})
	check(t, err)
	ways := b.Test(t.Context())
	if len(ways) != 2 || ways[0].Err == nil || ways[1].Err != nil {
		t.Fatalf("%+v, want no mail server and a web hook that works", ways)
	}
	if d := <-r.arrived; !strings.Contains(string(d.body), `"event":"test"`) {
		t.Errorf("body %s", d.body)
	}
}
