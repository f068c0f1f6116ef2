package relay

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"furrow/sstp"
)

func TestMain(m *testing.M) {
	if childMain() {
		return
	}
	// That of a closed store ends within a second.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/tidwall/buntdb.(*DB).backgroundManager"))
}

func randomBody(n int) []byte {
	body := make([]byte, n)
	_, _ = rand.Read(body)
	return body
}

// Two people who are never online at the same time, and a relay that is stopped
// and started between.
func TestNeverOnlineTogether(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	alice, bob := p[0], p[1]
	note, file := []byte("a note"), randomBody(3<<20)
	header := sstp.Message{
		Flags: sstp.FlagTrack | sstp.FlagStreamSize | sstp.FlagFragmentation, UserRef: "ref",
		StreamSize: [24]byte{1, 2, 3}, Fragmentation: []byte{4, 5},
	}

	c := b.connect(t, alice)
	must(t, c.open(t, toIdentity(bob)).give(t, header, note))
	must(t, c.open(t, toDevice(bob)).give(t, sstp.Message{}, file))
	c.leave(t, b)
	b.stop(t)
	b.start(t)

	c = b.connect(t, bob)
	d := receive(t, "the file", c.got)
	if !bytes.Equal(d.body, file) || d.open.DeviceURL != bob.device || d.open.IdentityURL != bob.identity || d.open.IdentityTargeted {
		t.Errorf("file: %+v, %d octets", d.open, len(d.body))
	}
	if len(c.got) != 0 {
		t.Error("the identity's message came before the account was attached")
	}
	c.attach(t)
	d = receive(t, "the note", c.got)
	if !bytes.Equal(d.body, note) || d.open.DeviceURL != "" || !d.open.IdentityTargeted || d.open.ResourceURL != resource {
		t.Errorf("note: %+v, %q", d.open, d.body)
	}
	if d.header.Flags != header.Flags || d.header.UserRef != "ref" || d.header.StreamSize != header.StreamSize || !bytes.Equal(d.header.Fragmentation, []byte{4, 5}) {
		t.Errorf("header: %+v", d.header)
	}
	eventually(t, "both are acknowledged", func() bool { return b.spool.Stats().Messages == 0 })
	c.leave(t, b)
	c = b.attached(t, bob)
	must(t, c.open(t, toIdentity(bob)).give(t, sstp.Message{}, []byte("to myself")))
	if d := receive(t, "the last message", c.got); string(d.body) != "to myself" {
		t.Errorf("delivered twice: %q", d.body)
	}
}

// One body for many recipients: the sender uploads it once, and the disk has it
// once.
func TestFanoutIsStoredOnce(t *testing.T) {
	const recipients, size = 200, 96 << 10
	b := newBox(t, "a.example", nil)
	names := []string{"alice"}
	for i := range recipients {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	people := b.people(t, names...)
	var entries []sstp.FanoutDeviceEntry
	for _, p := range people[1:] {
		entries = append(entries, entry(p, ""))
	}
	body := randomBody(size)
	o := b.connect(t, people[0]).fanout(t, fanoutTo(entries...))
	must(t, o.give(t, sstp.Message{}, body))
	if disk := b.spool.Stats().DiskBytes; disk < size || disk > size+size/4 {
		t.Errorf("%d octets take %d on disk", size, disk)
	}
	if n := b.server.Stats().BytesReceived; n != size {
		t.Errorf("%d octets received", n)
	}
	for _, p := range people[1:] {
		c := b.attached(t, p)
		if d := receive(t, p.name, c.got); !bytes.Equal(d.body, body) || d.open.IdentityURL != p.identity {
			t.Errorf("%s got %+v", p.name, d.open)
		}
	}
	eventually(t, "all is acknowledged", func() bool { return b.spool.Stats().Messages == 0 })
}

// Messages of one queue come in order, however many are on their way, and those
// of several queues do not wait for each other.
func TestOrder(t *testing.T) {
	const messages = 300
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	sender := b.connect(t, p[0])
	sessions := []*outbox{sender.open(t, toIdentity(p[1])), sender.open(t, toDevice(p[1]))}
	var fates []<-chan error
	var first *testClient
	for i := range messages {
		for _, o := range sessions {
			fates = append(fates, o.begin(t, sstp.Message{}, fmt.Appendf(nil, "%d", i)))
		}
		if i == messages/2 {
			first = b.attached(t, p[1]) // while more comes in
		}
	}
	for _, fate := range fates {
		must(t, receive(t, "an acknowledgment", fate))
	}
	// Takes over what the first connection has not acknowledged, which may yet
	// acknowledge what it has been sent.
	second := b.attached(t, p[1])
	eventually(t, "all is acknowledged", func() bool { return b.spool.Stats().Messages == 0 })
	got := map[bool]map[int]bool{true: {}, false: {}}
	for _, c := range []*testClient{first, second} {
		last := map[bool]int{true: -1, false: -1}
		for len(c.got) > 0 {
			d := <-c.got
			var n int
			if _, err := fmt.Sscan(string(d.body), &n); err != nil {
				t.Fatal(err)
			}
			queue := d.open.IdentityTargeted
			if n <= last[queue] {
				t.Fatalf("%d after %d", n, last[queue])
			}
			last[queue] = n
			got[queue][n] = true
		}
	}
	for queue, numbers := range got {
		if len(numbers) != messages {
			t.Errorf("identity targeted %v: %d messages of %d", queue, len(numbers), messages)
		}
	}
}

// A client that takes long to acknowledge has the next messages all the same, and
// keeps nobody else waiting.
func TestSlowRecipient(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "slow", "bob")
	gate := make(chan struct{}, 100)
	slow := b.attached(t, p[1], func(_ *sstp.Config, c *testClient) { c.gate = gate })
	bob := b.attached(t, p[2])
	o := b.connect(t, p[0]).fanout(t, fanoutTo(entry(p[1], ""), entry(p[2], "")))
	for i := range 10 {
		must(t, o.give(t, sstp.Message{}, fmt.Appendf(nil, "%d", i)))
		if d := receive(t, "a message to bob", bob.got); string(d.body) != fmt.Sprint(i) {
			t.Fatalf("bob got %q", d.body)
		}
	}
	for range 10 {
		gate <- struct{}{}
	}
	for i := range 10 {
		if d := receive(t, "a message to the slow one", slow.got); string(d.body) != fmt.Sprint(i) {
			t.Fatalf("the slow one got %q", d.body)
		}
	}
}

// What is not acknowledged is sent again on the next connection.
func TestLostConnection(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	c := b.attached(t, p[1], func(_ *sstp.Config, c *testClient) { c.gate = make(chan struct{}) })
	must(t, b.connect(t, p[0]).open(t, toIdentity(p[1])).give(t, sstp.Message{}, []byte("x")))
	eventually(t, "it is sent", func() bool { return b.server.Stats().MessagesSent == 1 })
	c.leave(t, b)
	if len(c.got) != 0 {
		t.Fatal("acknowledged")
	}
	c = b.attached(t, p[1])
	receive(t, "the message", c.got)
}

func TestRefusedSessions(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob", "locked")
	b.lock(t, true, p[2])
	stranger := newPerson(t, "stranger")
	c := b.connect(t, p[0])
	for name, cmd := range map[string]sstp.Open{
		"unknown":           toIdentity(stranger),
		"locked out":        toIdentity(p[2]),
		"device of another": {ResourceURL: resource, IdentityURL: p[1].identity, DeviceURL: p[0].device},
		"presence":          {ResourceURL: sstp.WANDPPResource},
	} {
		var refused *sstp.OpenRefusedError
		if err := receive(t, name, c.open(t, cmd).closed); !errors.As(err, &refused) || refused.Response != sstp.OpenUnknown {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The recipient refuses the session: it is asked again later, and not at once.
func TestRecipientRefuses(t *testing.T) {
	const rest = 50 * time.Millisecond
	b := newBox(t, "a.example", func(c *Config) { c.RestTime = rest })
	p := b.people(t, "alice", "bob")
	begin := time.Now()
	c := b.attached(t, p[1], func(_ *sstp.Config, c *testClient) { c.refuse.Store(uint32(sstp.OpenUnknown)) })
	o := b.connect(t, p[0]).open(t, toIdentity(p[1]))
	must(t, o.give(t, sstp.Message{}, []byte("x")))
	must(t, o.give(t, sstp.Message{}, []byte("y")))
	eventually(t, "it is asked again", func() bool { return c.opens.Load() >= 3 })
	if took := time.Since(begin); took < 2*rest {
		t.Errorf("asked three times in %v", took)
	}
	c.refuse.Store(0)
	for _, want := range []string{"x", "y"} {
		if d := receive(t, "the message", c.got); string(d.body) != want {
			t.Errorf("got %q, want %q", d.body, want)
		}
	}
}

// hasher is a session whose messages are not kept, only their hashes.
type hasher struct{ sums chan []byte }

func (h hasher) Message(m *sstp.Incoming) {
	go func() {
		sum := sha256.New()
		if _, err := io.Copy(sum, m); err == nil {
			m.Complete()
			h.sums <- sum.Sum(nil)
		}
	}()
}
func (h hasher) Closed(error) {}

// A long message passes through memory in pieces, on its way in and out.
func TestLongMessage(t *testing.T) {
	const size, most = 24 << 20, 8 << 20
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	sums := make(chan []byte, 1)
	b.connect(t, p[1], func(_ *sstp.Config, c *testClient) { c.accept = func() sstp.Receiver { return hasher{sums} } })
	o := b.connect(t, p[0]).open(t, toDevice(p[1]))
	fate := make(chan error, 1)
	before := heap()
	out, err := o.session.Send(t.Context(), sstp.Message{}, func(err error) { fate <- err })
	must(t, err)
	sent, peak := sha256.New(), uint64(0)
	piece := randomBody(1 << 20)
	for range size / len(piece) {
		sent.Write(piece)
		_, err := out.Write(piece)
		must(t, err)
		peak = max(peak, heap())
	}
	must(t, out.Close())
	must(t, receive(t, "the acknowledgment", fate))
	var sum []byte
	eventually(t, "it arrives", func() bool {
		peak = max(peak, heap())
		select {
		case sum = <-sums:
			return true
		default:
			return false
		}
	})
	if !bytes.Equal(sum, sent.Sum(nil)) {
		t.Error("not what was sent")
	}
	if peak > before+most {
		t.Errorf("%d octets of memory for a message of %d", peak-before, size)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A message that the disk has lost does not keep those behind it.
func TestDamagedMessage(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	o := b.connect(t, p[0]).open(t, toDevice(p[1]))
	must(t, o.give(t, sstp.Message{}, randomBody(400_001)))
	must(t, o.give(t, sstp.Message{}, []byte("behind it")))
	files, err := filepath.Glob(filepath.Join(b.dir, "spool", "*"))
	must(t, err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		must(t, err)
		if len(data) > 400_000 {
			data[300_000] ^= 1 // after much of it has been sent
			must(t, os.WriteFile(name, data, 0o600))
		}
	}
	if m := receive(t, "the message behind", b.connect(t, p[1]).got); string(m.body) != "behind it" {
		t.Errorf("got %d octets", len(m.body))
	}
}
