package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"furrow/appliance/spool"
	"furrow/sstp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKeys(t *testing.T) {
	for _, a := range append(modelAddresses, Address{Resource: "r", Identity: "i", Device: ""}) {
		got, err := parseKey(a.key())
		if err != nil || got != a {
			t.Errorf("parseKey(%q) = %+v, %v", a.key(), got, err)
		}
	}
	for _, key := range []string{"", "q", "q\x00a\x00b", "q\x00a\x00b\x00c\x00d", "r", "r\x00", "r\x00a\x00b", "x\x00a\x00b\x00c"} {
		if a, err := parseKey(key); err == nil {
			t.Errorf("parseKey(%q) = %+v", key, a)
		}
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		a        Address
		target   string
		identity bool
	}{{toAlice, alice, true}, {toAliceLaptop, laptop, false}, {toElsewhere, elsewhere, false}} {
		if c.a.Target() != c.target || c.a.IdentityTargeted() != c.identity {
			t.Errorf("%+v: target %s, identity-targeted %v", c.a, c.a.Target(), c.a.IdentityTargeted())
		}
	}
}

func TestOneBodyForAll(t *testing.T) {
	const recipients, size = 200, 1 << 20
	b := opened(t)
	var to []Address
	for i := range recipients {
		to = append(to, Address{Resource: resource, Identity: fmt.Sprintf("%s%d@", sstp.IdentityScheme, i)})
	}
	b.send(t, Header{}, 7, size, to...)
	if disk := b.store.Stats().DiskBytes; disk < size || disk > size+size/10 {
		t.Errorf("%d octets for %d take %d on disk", size, recipients, disk)
	}
	first, _ := b.Next(to[0], 0)
	if b.number(t, first) != 7 {
		t.Error("not the message that was sent")
	}
	for _, a := range to {
		if item, ok := b.Next(a, 0); !ok || item != first {
			t.Errorf("%v has %+v", a, item)
		}
	}
	if s := b.Stats(); s.Messages != 1 || s.Bytes != size || s.Recipients != recipients {
		t.Errorf("%+v", s)
	}
}

func TestRefusals(t *testing.T) {
	const quota = 3 << 20
	tests := []struct {
		name    string
		prepare func(*box)
		header  Header
		size    int
		to      []Address
		want    []Verdict
	}{
		{"unknown and locked out", func(b *box) {
			b.ledger.standing[alice], b.ledger.standing[bob] = Unknown, LockedOut
		}, Header{}, 10, []Address{toAlice, toBob, toElsewhere}, []Verdict{Unknown, LockedOut, Accepted}},
		{"quota full before", func(b *box) { b.send(t, Header{}, 1, quota-messageCharge, toAlice) },
			Header{}, 10, []Address{toAlice, toBob}, []Verdict{NoRoom, Accepted}},
		{"another queue of the target", func(b *box) {
			b.send(t, Header{}, 1, quota-messageCharge, Address{Resource: resource, Identity: alice})
		}, Header{}, 10, []Address{toAlice}, []Verdict{NoRoom}},
		{"exactly as much as fits", nil, Header{}, quota - messageCharge, []Address{toAlice}, []Verdict{Accepted}},
		{"one octet more than fits", nil, Header{}, quota - messageCharge + 1, []Address{toAlice}, []Verdict{NoRoom}},
		{"too long for one of two", func(b *box) { b.send(t, Header{}, 1, 1<<20, toAlice) },
			Header{}, quota - 1<<20, []Address{toAlice, toBob}, []Verdict{NoRoom, Accepted}},
		{"devices have their own quota", func(b *box) { b.send(t, Header{}, 1, quota-messageCharge, toAlice) },
			Header{}, 10, []Address{toAliceLaptop}, []Verdict{Accepted}},
		{"longest", func(b *box) { b.ledger.limits = Limits{} }, Header{}, 4 << 20, []Address{toAlice}, []Verdict{Accepted}},
		{"too long", func(b *box) { b.ledger.limits = Limits{} }, Header{}, 4<<20 + 1, []Address{toAlice}, []Verdict{TooLarge}},
		{"only those online", func(b *box) { b.online[alice] = true },
			Header{Flags: sstp.FlagDoNotDeliverIfOffline}, 10, []Address{toAlice, toBob}, []Verdict{Accepted, Offline}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := opened(t)
			b.ledger.limits = Limits{IdentityQuota: quota, DeviceQuota: quota}
			if test.prepare != nil {
				test.prepare(b)
			}
			got := b.send(t, test.header, 2, test.size, test.to...)
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
			for i, a := range test.to {
				numbers, _ := b.contents(t, a)
				if slices.Contains(numbers, 2) != (test.want[i] == Accepted) {
					t.Errorf("%v holds %v", a, numbers)
				}
			}
		})
	}
}

// A recipient whose quota ends within a long message is refused, and what was
// stored for others is nothing it can see at any moment.
func TestRefusedLast(t *testing.T) {
	b := opened(t)
	b.ledger.limits = Limits{IdentityQuota: 1 << 20}
	w, err := b.Begin(Header{Online: b.isOnline}, []Recipient{{Address: toAlice}, {Address: toAliceLaptop}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bodyOf(1, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if w.Refused() || !slices.Equal(w.Verdicts(), []Verdict{Accepted, Accepted}) {
		t.Errorf("refused too early: %v", w.Verdicts())
	}
	// The steps of Commit, to look in between.
	refused := w.claim()
	p, err := w.out.Commit(context.Background())
	w.out = nil
	if err != nil {
		t.Fatal(err)
	}
	if numbers, _ := b.contents(t, toAlice); numbers != nil || len(b.Waiting(alice)) != 0 {
		t.Errorf("%v is to be seen", numbers)
	}
	w.settle(p, refused)
	if numbers, _ := b.contents(t, toAlice); numbers != nil {
		t.Errorf("%v is to be seen", numbers)
	}
	if numbers, _ := b.contents(t, toAliceLaptop); !slices.Equal(numbers, []uint64{1}) {
		t.Errorf("the other has %v", numbers)
	}
	b.send(t, Header{}, 2, 10, toAlice)
	if numbers, _ := b.contents(t, toAlice); !slices.Equal(numbers, []uint64{2}) {
		t.Errorf("afterwards: %v", numbers)
	}
}

// Far too long a message is not stored to its end first.
func TestRefusedEarly(t *testing.T) {
	b := opened(t, func(o *Options) { o.MaxMessageBytes = math.MaxInt64 })
	b.ledger.limits = Limits{IdentityQuota: 1 << 20}
	w, err := b.Begin(Header{}, []Recipient{{Address: toAlice}, {Address: toBob}})
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	written := 0
	for !w.Refused() && written < 16<<20 {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
		written += len(chunk)
	}
	if written > 2<<20 || b.store.Stats().DiskBytes > 1<<20 {
		t.Errorf("refused after %d octets, %d on disk", written, b.store.Stats().DiskBytes)
	}
	if verdicts, err := w.Commit(context.Background()); err != nil || !slices.Equal(verdicts, []Verdict{NoRoom, NoRoom}) {
		t.Errorf("%v, %v", verdicts, err)
	}
}

func TestDiskFull(t *testing.T) {
	b := newBox(filepath.Join(t.TempDir(), "spool"))
	store, _, err := spool.Open(spool.Options{Dir: b.dir, MaxBytes: 100 << 10})
	if err != nil {
		t.Fatal(err)
	}
	b.store = store
	t.Cleanup(func() { b.close(t) })
	if b.Queues, err = New(Options{Spool: store, Directory: b.ledger}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		size int
		want Verdict
	}{{1 << 20, NoRoom}, {90 << 10, Accepted}, {20 << 10, NoRoom}} {
		if got := b.send(t, Header{}, 1, c.size, toAlice); got[0] != c.want {
			t.Errorf("%d octets: %v, want %v", c.size, got[0], c.want)
		}
	}
	if numbers, _ := b.contents(t, toAlice); !slices.Equal(numbers, []uint64{1}) {
		t.Errorf("holds %v", numbers)
	}
}

func TestTrouble(t *testing.T) {
	b := opened(t)
	b.ledger.broken = errors.New("broken")
	if _, err := b.Begin(Header{}, []Recipient{{Address: toAlice}}); !errors.Is(err, b.ledger.broken) {
		t.Errorf("Begin: %v", err)
	}
	if _, err := b.Standing(toAlice); !errors.Is(err, b.ledger.broken) {
		t.Errorf("Standing: %v", err)
	}
	b.ledger.broken = nil
	w, err := b.Begin(Header{}, []Recipient{{Address: toAlice}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for err == nil {
		// The committer may take the message all the same.
		if _, err = w.Commit(ctx); err != nil {
			break
		}
		if w, err = b.Begin(Header{}, []Recipient{{Address: toAlice}}); err != nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: %v", err)
	}
	if got := b.targets[alice].committing; got != 0 {
		t.Errorf("%d octets still count as being committed", got)
	}
}

func TestStanding(t *testing.T) {
	b := opened(t)
	b.ledger.limits = Limits{IdentityQuota: 10 << 10}
	b.ledger.standing[bob] = LockedOut
	b.send(t, Header{}, 1, 10<<10-messageCharge, toAlice)
	for a, want := range map[Address]Verdict{toAlice: NoRoom, toBob: LockedOut, toAliceLaptop: Accepted, toElsewhere: Accepted} {
		if got, err := b.Standing(a); err != nil || got != want {
			t.Errorf("%v: %v, %v; want %v", a, got, err, want)
		}
	}
}

// Resource URLs are the sender's to make up; each makes a queue.
func TestQueuesOfOneTarget(t *testing.T) {
	b := opened(t)
	w := b.target(alice)
	for i := range maxQueues {
		a := Address{Resource: fmt.Sprint(i), Identity: alice}
		w.queues[a.key()] = a
	}
	if got := b.send(t, Header{}, 1, 8, toAlice, Address{Resource: "0", Identity: alice}); !slices.Equal(got, []Verdict{NoRoom, Accepted}) {
		t.Errorf("%v", got)
	}
	if err := b.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := b.send(t, Header{}, 1, 8, toAlice); got[0] != Accepted {
		t.Errorf("empty queues still count: %v", got)
	}
}

func TestWatch(t *testing.T) {
	b := opened(t)
	var woken, other []Address
	w := b.Watch(func(a Address) { woken = append(woken, a) })
	o := b.Watch(func(a Address) { other = append(other, a) })
	w.Add(alice)
	w.Add(laptop)
	o.Add(bob)
	b.send(t, Header{}, 1, 8, toAlice)
	b.send(t, Header{}, 2, 8, toAliceLaptop)
	if !slices.Equal(woken, []Address{toAlice, toAliceLaptop}) || other != nil {
		t.Errorf("woken for %v and %v", woken, other)
	}
	w.Remove(laptop)
	w.Remove(laptop)
	b.send(t, Header{}, 3, 8, toAliceLaptop)
	w.Stop()
	w.Remove(alice)
	b.send(t, Header{}, 4, 8, toAlice)
	if len(woken) != 2 {
		t.Errorf("in the end woken for %v", woken)
	}
	b.Purge(func(Address) bool { return true }, 0)
	if err := b.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if b.targets[alice] != nil || b.targets[bob] == nil {
		t.Errorf("targets kept: %v", b.targets)
	}
	o.Stop()
}

func TestWaitingIsInOrder(t *testing.T) {
	b := opened(t)
	later := Address{Resource: resource, Identity: bob, Device: laptop}
	b.send(t, Header{}, 1, 8, toAliceLaptop)
	b.send(t, Header{}, 2, 8, later)
	b.send(t, Header{}, 3, 8, toAliceLaptop)
	if got := b.Waiting(laptop); !slices.Equal(got, []Address{toAliceLaptop, later}) {
		t.Errorf("%v", got)
	}
	_, items := b.contents(t, toAliceLaptop)
	b.Ack(toAliceLaptop, items[0].Position)
	if got := b.Waiting(laptop); !slices.Equal(got, []Address{later, toAliceLaptop}) {
		t.Errorf("%v", got)
	}
}

func TestRoute(t *testing.T) {
	b := opened(t)
	w, err := b.Begin(Header{Metadata: []byte("meta"), Resource: resource}, []Recipient{{Address: toAlice}, {toElsewhere, []byte("entries")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	item, _ := b.Next(toElsewhere, 0)
	m, err := b.Message(item.Position)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(Route(m, toElsewhere)); got != "entries" || Route(m, toAlice) != nil || Route(m, toBob) != nil {
		t.Errorf("route %q", got)
	}
	if m.Envelope.Resource != resource || string(m.Envelope.Metadata) != "meta" {
		t.Errorf("%+v", m.Envelope)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// A recipient who goes between Begin and Commit does not get what was only for
// those online, in whatever order the going and the storing come.
func TestTransient(t *testing.T) {
	b := opened(t)
	d := Header{Flags: sstp.FlagDoNotDeliverIfOffline, Online: b.isOnline}
	b.online[alice] = true
	w, err := b.Begin(d, []Recipient{{Address: toAlice}})
	if err != nil {
		t.Fatal(err)
	}
	delete(b.online, alice)
	b.DiscardTransient(alice)
	if verdicts, err := w.Commit(context.Background()); err != nil || verdicts[0] != Offline {
		t.Errorf("%v, %v", verdicts, err)
	}
	if numbers, _ := b.contents(t, toAlice); numbers != nil {
		t.Errorf("holds %v", numbers)
	}
	b.online[alice] = true
	b.send(t, d, 1, 8, toAlice)
	b.send(t, Header{}, 2, 8, toAlice)
	b.DiscardTransient(alice)
	b.DiscardTransient(bob)
	if numbers, _ := b.contents(t, toAlice); !slices.Equal(numbers, []uint64{2}) {
		t.Errorf("holds %v", numbers)
	}
}

func TestEphemeral(t *testing.T) {
	b := opened(t)
	b.send(t, Header{Lifetime: time.Minute}, 1, 8, toAlice)
	b.send(t, Header{}, 2, 8, toAlice)
	b.clock.now = b.clock.now.Add(time.Minute)
	b.dated = false
	if numbers, _ := b.contents(t, toAlice); !slices.Equal(numbers, []uint64{1, 2}) {
		t.Errorf("by a clock not trusted: %v", numbers)
	}
	b.dated = true
	if numbers, _ := b.contents(t, toAlice); !slices.Equal(numbers, []uint64{2}) {
		t.Errorf("after its time: %v", numbers)
	}
}

// [MS-GRVSPMR] note <6>.
func TestPurgeSparesTheRecent(t *testing.T) {
	b := opened(t)
	b.send(t, Header{}, 1, 8, toAlice)
	b.send(t, Header{}, 2, 8, toBob)
	b.clock.now = b.clock.now.Add(50 * time.Second)
	b.send(t, Header{}, 3, 8, toBob)
	b.clock.now = b.clock.now.Add(20 * time.Second)
	all := func(Address) bool { return true }
	if u := b.Purge(all, time.Minute); u.Messages != 1 {
		t.Errorf("purged %+v", u)
	}
	if numbers, _ := b.contents(t, toBob); !slices.Equal(numbers, []uint64{2, 3}) {
		t.Errorf("holds %v", numbers)
	}
	if u := b.Purge(all, 0); u.Messages != 2 || u.Bytes != 16 {
		t.Errorf("purged %+v", u)
	}
}

func TestCheck(t *testing.T) {
	b := opened(t)
	for n := range uint64(3) {
		b.send(t, Header{}, n, 10<<10, toAlice, toBob)
	}
	bodies, err := filepath.Glob(filepath.Join(b.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := false
	for _, name := range bodies {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) < 10<<10 || len(data) > 11<<10 || flipped {
			continue
		}
		data[5000] ^= 1
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		flipped = true
	}
	report, err := b.Check(context.Background())
	if err != nil || !flipped || report != (Report{Messages: 2, Bytes: 20 << 10, Damaged: 1}) {
		t.Errorf("%+v, %v", report, err)
	}
	if numbers, _ := b.contents(t, toBob); len(numbers) != 2 {
		t.Errorf("holds %v", numbers)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended check: %v", err)
	}
}

func TestAll(t *testing.T) {
	b := opened(t)
	b.send(t, Header{}, 1, 8, toAlice, toElsewhere)
	b.send(t, Header{}, 2, 8, toAlice)
	got := map[Address]int{}
	for a, u := range b.All() {
		got[a] = u.Messages
	}
	if len(got) != 2 || got[toAlice] != 2 || got[toElsewhere] != 1 {
		t.Errorf("%v", got)
	}
	for range b.All() {
		break
	}
}

func TestForeignSpool(t *testing.T) {
	b := newBox(filepath.Join(t.TempDir(), "spool"))
	store, _, err := spool.Open(spool.Options{Dir: b.dir, ReserveBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	b.store = store
	defer b.close(t)
	w, err := store.Begin(spool.Envelope{Recipients: []spool.Recipient{{Key: "somebody"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Spool: store, Directory: b.ledger}); err == nil || !strings.Contains(err.Error(), "somebody") {
		t.Errorf("New: %v", err)
	}
}

func TestRun(t *testing.T) {
	b := opened(t)
	b.ledger.limits = Limits{IdentityLifetime: time.Hour, DeviceLifetime: 2 * time.Hour}
	b.send(t, Header{}, 1, 8, toAlice)
	b.send(t, Header{}, 2, 8, toAliceLaptop)
	b.send(t, Header{}, 3, 8, toElsewhere)
	b.clock.now = b.clock.now.Add(90 * time.Minute)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go b.Run(ctx)
		time.Sleep(2 * expireEvery)
		cancel()
		synctest.Wait()
	})
	for a, want := range map[Address]int{toAlice: 0, toAliceLaptop: 1, toElsewhere: 1} {
		if numbers, _ := b.contents(t, a); len(numbers) != want {
			t.Errorf("%v holds %v", a, numbers)
		}
	}
	if b.targets[alice] != nil {
		t.Error("nothing was tended")
	}
}
