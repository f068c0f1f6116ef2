package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"furrow/appliance/spool"
	"furrow/sstp"
)

// tester is what the helpers need of testing.T and rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// ledger is a Directory that knows everybody but those it is told about.
type ledger struct {
	limits   Limits
	standing map[string]Verdict // by identity
	broken   error
}

func (l *ledger) Limits() Limits { return l.limits }

func (l *ledger) Recipient(identity, _ string) (Verdict, error) {
	return l.standing[identity], l.broken
}

type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) read() time.Time { return c.now }

// box is queues over a spool in a folder of their own.
type box struct {
	*Queues
	dir    string
	store  *spool.Spool
	ledger *ledger
	clock  *clock
	online map[string]bool // targets
	// dated is whether the clock is trusted.
	dated bool
}

func newBox(dir string) *box {
	return &box{
		dir:    dir,
		ledger: &ledger{standing: map[string]Verdict{}},
		clock:  newClock(),
		online: map[string]bool{},
		dated:  true,
	}
}

// open opens the spool and finds the queues.
func (b *box) open(t tester, more ...func(*Options)) {
	t.Helper()
	store, report, err := spool.Open(spool.Options{Dir: b.dir, Now: b.clock.read, InlineBytes: 2 << 10, ReserveBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Damage) != 0 {
		t.Errorf("damage: %v", report.Damage)
	}
	b.store = store
	o := Options{
		Spool: store, Directory: b.ledger, Now: b.clock.read, MaxMessageBytes: 4 << 20,
		ClockTrusted: func() bool { return b.dated },
	}
	for _, f := range more {
		f(&o)
	}
	if b.Queues, err = New(o); err != nil {
		t.Fatal(err)
	}
}

func (b *box) close(t tester) {
	t.Helper()
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// crash goes on with the files as they are now, as after SIGKILL, in another
// folder.
func (b *box) crash(t tester, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(b.dir)); err != nil {
		t.Fatal(err)
	}
	b.close(t)
	b.dir = dir
	b.open(t)
}

func opened(t *testing.T, more ...func(*Options)) *box {
	t.Helper()
	b := newBox(filepath.Join(t.TempDir(), "spool"))
	b.open(t, more...)
	t.Cleanup(func() { b.close(t) })
	return b
}

func (b *box) isOnline(a Address) bool { return b.online[a.Target()] }

// send stores one message with the given number and size.
func (b *box) send(t tester, h Header, number uint64, size int, to ...Address) []Verdict {
	t.Helper()
	recipients := make([]Recipient, len(to))
	for i, a := range to {
		recipients[i] = Recipient{Address: a}
	}
	h.Online = b.isOnline
	w, err := b.Begin(h, recipients)
	if err != nil {
		t.Fatal(err)
	}
	for body := bodyOf(number, size); len(body) > 0; {
		n := min(len(body), sstp.MaxDataSize)
		if _, err := w.Write(body[:n]); err != nil {
			t.Fatal(err)
		}
		body = body[n:]
	}
	verdicts, err := w.Commit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort after Commit: %v", err)
	}
	return verdicts
}

// bodyOf is a body by which a message can be told, of at least 8 octets.
func bodyOf(number uint64, size int) []byte {
	body := make([]byte, max(size, 8))
	binary.BigEndian.PutUint64(body, number)
	for i := 8; i < len(body); i++ {
		body[i] = byte(number) + byte(i*7)
	}
	return body
}

// contents reads a queue from its beginning to its end: the numbers of its
// messages, whose bodies are checked.
func (b *box) contents(t tester, a Address) (numbers []uint64, items []spool.Item) {
	t.Helper()
	for after := spool.Position(0); ; {
		item, ok := b.Next(a, after)
		if !ok {
			return numbers, items
		}
		numbers, items = append(numbers, b.number(t, item)), append(items, item)
		after = item.Position
	}
}

func (b *box) number(t tester, item spool.Item) uint64 {
	t.Helper()
	m, err := b.Message(item.Position)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(m)
	if err := errors.Join(err, m.Close()); err != nil {
		t.Fatal(err)
	}
	number := binary.BigEndian.Uint64(body)
	if want := bodyOf(number, len(body)); string(body) != string(want) {
		t.Errorf("message %d does not come back as it was", number)
	}
	return number
}

const (
	resource  = "grooveDynamics://Dynamics/;x"
	resource2 = "grooveIM"
	alice     = "grooveIdentity://alice@"
	bob       = "grooveIdentity://bob@"
	laptop    = "dpp:///laptop"
	desktop   = "dpp:///desktop"
	elsewhere = "grooveDNS://elsewhere.example"
)

var (
	toAlice       = Address{Resource: resource2, Identity: alice}
	toBob         = Address{Resource: resource2, Identity: bob}
	toAliceLaptop = Address{Resource: resource, Identity: alice, Device: laptop}
	toBobDesktop  = Address{Resource: resource, Identity: bob, Device: desktop}
	toElsewhere   = Address{Relay: elsewhere}
)
