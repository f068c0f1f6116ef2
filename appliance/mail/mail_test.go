package mail

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// office is a Post over a store in a folder, with a clock of its own.
type office struct {
	*Post
	dir string
	now time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{dir: t.TempDir(), now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	o.open(t)
	t.Cleanup(func() { check(t, o.Store.Close()) })
	return o
}

func (o *office) open(t *testing.T) {
	t.Helper()
	schema := state.NewSchema()
	tables := Declare(schema)
	store, _, err := state.Open(filepath.Join(o.dir, "state"), schema, state.Options{Logger: slog.New(slog.DiscardHandler)})
	check(t, err)
	vault, err := keys.OpenVault(o.dir)
	check(t, err)
	o.Post = New(Config{
		Store: store, Tables: tables, Vault: vault, Hostname: "box.example.com",
		Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler),
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settings are those for m with its login.
func settings(m *mailServer, security Security) Settings {
	s := Settings{Server: m.address, Security: security, From: "Groove <groove@example.com>", Authority: m.authority}
	if security != Plain {
		s.Login, s.Password = login, password
	}
	return s
}

var ann = Message{To: "Ann Smith <ann@example.com>", Subject: "Your Groove account – willkommen, Jürgen", Body: "Code 42\n"}

func TestSendsByEachSecurity(t *testing.T) {
	for _, security := range []Security{StartTLS, TLS, Plain} {
		t.Run(string(security), func(t *testing.T) {
			server := startServer(t, security == TLS)
			o := newOffice(t)
			check(t, o.SetSettings(t.Context(), settings(server, security)))
			id, err := o.Queue(t.Context(), ann)
			check(t, err)
			o.sendDue(t.Context())
			got := <-server.arrived
			if got.to != "ann@example.com" || got.from != "groove@example.com" || (got.login == login) != (security != Plain) {
				t.Fatalf("%+v", got)
			}
			for _, want := range []string{"Message-ID: <" + id + "@box.example.com>", "Auto-Submitted: auto-generated", "Code 42", "=?UTF-8?q?"} {
				if !strings.Contains(got.text, want) {
					t.Errorf("%q is not in\n%s", want, got.text)
				}
			}
			if left := o.List(); len(left) != 0 {
				t.Fatalf("still waiting: %+v", left)
			}
		})
	}
}

func TestRunSendsWhatIsQueuedMeanwhile(t *testing.T) {
	server := startServer(t, false)
	o := newOffice(t)
	check(t, o.SetSettings(t.Context(), settings(server, StartTLS)))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { o.Run(ctx) })
	for range 3 {
		_, err := o.Queue(t.Context(), ann)
		check(t, err)
		<-server.arrived
	}
	cancel()
	running.Wait()
}

// What waits is there after a restart, sealed, and goes out once the server is back.
func TestWaitsThroughOutageAndRestart(t *testing.T) {
	server := startServer(t, false)
	o := newOffice(t)
	away := settings(server, StartTLS)
	away.Server = "127.0.0.1:1"
	check(t, o.SetSettings(t.Context(), away))
	_, err := o.Queue(t.Context(), ann)
	check(t, err)
	if pause := o.sendDue(t.Context()); pause != firstPause {
		t.Fatalf("after a failed connection Run would come again in %v", pause)
	}
	waiting := o.List()
	if len(waiting) != 1 || waiting[0].Attempts != 1 || waiting[0].Error == "" || !waiting[0].Next.Equal(o.now.Add(firstPause)) {
		t.Fatalf("%+v", waiting)
	}
	check(t, o.Store.Close())
	o.open(t)
	row, _ := o.next()
	if strings.Contains(string(row.Sealed), "Code 42") {
		t.Fatal("the body is stored in the clear")
	}
	// New settings make it due at once, and the password is not kept for another server.
	back := settings(server, StartTLS)
	back.Password = ""
	check(t, o.SetSettings(t.Context(), back))
	if account, err := o.account(); err != nil || account.Password != "" {
		t.Fatalf("another server would be told %q, %v", account.Password, err)
	}
	back.Password = password
	check(t, o.SetSettings(t.Context(), back))
	o.sendDue(t.Context())
	if got := <-server.arrived; got.to != "ann@example.com" {
		t.Fatalf("%+v", got)
	}
	back.Password = ""
	check(t, o.SetSettings(t.Context(), back))
	if account, err := o.account(); err != nil || account.Password != password {
		t.Fatalf("the password for the same server and login is %q, %v", account.Password, err)
	}
}

// A recipient refused for good is given up at once; one refused for now is tried until its time is up, ever more rarely.
func TestRefusals(t *testing.T) {
	server := startServer(t, false)
	o := newOffice(t)
	check(t, o.SetSettings(t.Context(), settings(server, StartTLS)))
	server.refuseWith(&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"})
	forGood, err := o.Queue(t.Context(), ann)
	check(t, err)
	o.sendDue(t.Context())
	if w := o.List()[0]; !w.Next.IsZero() || w.Attempts != 1 || !strings.Contains(w.Error, "no such user") {
		t.Fatalf("%+v", w)
	}

	server.refuseWith(&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "come again"})
	entered := o.now
	_, err = o.Queue(t.Context(), ann)
	check(t, err)
	attempts, last := 0, time.Duration(0)
	for {
		o.sendDue(t.Context())
		w := o.List()[1]
		attempts++
		if w.Attempts != attempts {
			t.Fatalf("attempt %d: %+v", attempts, w)
		}
		if w.Next.IsZero() {
			break
		}
		pause := w.Next.Sub(o.now)
		if pause < last || pause > lastPause {
			t.Fatalf("attempt %d: pause %v after %v", attempts, pause, last)
		}
		last, o.now = pause, w.Next
	}
	if tried := o.now.Sub(entered); tried > giveUpAfter || tried < giveUpAfter-2*lastPause {
		t.Fatalf("given up after %v", tried)
	}

	server.refuseWith(nil)
	check(t, o.Retry(t.Context(), forGood))
	o.sendDue(t.Context())
	<-server.arrived
	check(t, o.Remove(t.Context(), o.List()[0].ID))
	if err := o.Retry(t.Context(), forGood); !errors.Is(err, ErrUnknown) || len(o.List()) != 0 {
		t.Fatalf("%v, %+v", err, o.List())
	}
}

func TestWrongPasswordWaitsForASetting(t *testing.T) {
	server := startServer(t, false)
	o := newOffice(t)
	wrong := settings(server, StartTLS)
	wrong.Password = "guess"
	check(t, o.SetSettings(t.Context(), wrong))
	if err := o.Test(t.Context(), "ann@example.com"); err == nil || !strings.Contains(err.Error(), "535") {
		t.Fatalf("the test mail says %v", err)
	}
	_, err := o.Queue(t.Context(), ann)
	check(t, err)
	o.sendDue(t.Context())
	if w := o.List()[0]; w.Next.IsZero() {
		t.Fatalf("given up: %+v", w)
	}
	check(t, o.SetSettings(t.Context(), settings(server, StartTLS)))
	o.sendDue(t.Context())
	<-server.arrived
	check(t, o.Test(t.Context(), "ann@example.com"))
	<-server.arrived
}

// A server whose certificate is not trusted is told neither password nor mail.
func TestUntrustedServer(t *testing.T) {
	server := startServer(t, false)
	o := newOffice(t)
	s := settings(server, StartTLS)
	s.Authority = startServer(t, false).authority
	check(t, o.SetSettings(t.Context(), s))
	if err := o.Test(t.Context(), "ann@example.com"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Fatalf("%v", err)
	}
	if len(server.arrived) != 0 {
		t.Fatal("mail was given to a server that is not trusted")
	}
}

func TestSettingsRefused(t *testing.T) {
	o := newOffice(t)
	good := Settings{Server: "mail.example.com", Security: StartTLS, From: "groove@example.com"}
	check(t, good.check())
	for want, s := range map[string]Settings{
		"server":    {Server: "http://mail/", Security: TLS, From: good.From},
		"no port":   {Server: "mail:0", Security: TLS, From: good.From},
		"security":  {Server: good.Server, Security: "ssl", From: good.From},
		"from":      {Server: good.Server, Security: TLS, From: "groove"},
		"in clear":  {Server: good.Server, Security: Plain, From: good.From, Login: "a", Password: "b"},
		"authority": {Server: good.Server, Security: TLS, From: good.From, Authority: "PEM"},
		"too long":  {Server: good.Server, Security: TLS, From: good.From, Login: strings.Repeat("a", maxSetting+1)},
	} {
		if err := o.SetSettings(t.Context(), s); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, ok := o.Settings(); ok {
		t.Fatal("refused settings are in force")
	}
}

func TestMessagesRefused(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Queue(t.Context(), ann); !errors.Is(err, ErrNoServer) {
		t.Fatalf("without a mail server: %v", err)
	}
	check(t, o.SetSettings(t.Context(), Settings{Server: "mail", Security: TLS, From: "a@example.com"}))
	for name, m := range map[string]Message{
		"no address":    {To: "ann", Subject: "s", Body: "b"},
		"two addresses": {To: "a@example.com, b@example.com", Subject: "s", Body: "b"},
		"header":        {To: "a@example.com", Subject: "s\r\nBcc: b@example.com", Body: "b"},
		"no subject":    {To: "a@example.com", Body: "b"},
		"long body":     {To: "a@example.com", Subject: "s", Body: strings.Repeat("b", maxBody+1)},
	} {
		if _, err := o.Queue(t.Context(), m); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(o.List()) != 0 {
		t.Fatalf("%+v", o.List())
	}
}

// A mail about a change that did not happen is not sent.
func TestAddIsPartOfItsTransaction(t *testing.T) {
	o := newOffice(t)
	undone := errors.New("undone")
	err := o.Store.Update(t.Context(), func(tx *state.Tx) error {
		if _, err := o.Add(tx, ann); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) || len(o.List()) != 0 {
		t.Fatalf("%v, %+v", err, o.List())
	}
}
