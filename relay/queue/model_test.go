package queue

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"furrow/appliance/spool"
	"furrow/sstp"
)

// reference is what queues promise, in the simplest way to say it.
type reference struct {
	waiting map[Address][]*refMessage
	// maybe is what queues are done with since the last Maintain: after a crash
	// it may be in them again.
	maybe map[Address]map[uint64]*refMessage
}

type refMessage struct {
	number    uint64
	size      int
	stored    time.Time
	lifetime  time.Duration
	transient bool
}

func (m *refMessage) over(now time.Time) bool {
	return m.lifetime != 0 && !now.Before(m.stored.Add(m.lifetime))
}

// drop takes out of every queue what gone chooses.
func (r *reference) drop(gone func(Address, *refMessage) bool) {
	for a, list := range r.waiting {
		r.waiting[a] = slices.DeleteFunc(slices.Clone(list), func(m *refMessage) bool {
			if !gone(a, m) {
				return false
			}
			r.maybe[a][m.number] = m
			return true
		})
	}
}

var modelAddresses = []Address{
	toAlice, toBob, toAliceLaptop, toBobDesktop, toElsewhere,
	{Resource: resource2, Identity: alice, Device: laptop},
	{Resource: resource, Identity: alice},
}

// machine drives queues and the reference with the same actions.
type machine struct {
	*box
	ref     reference
	folder  string
	folders int
	last    uint64
}

const (
	modelQuota   = 12 << 10
	modelForward = 20 << 10
)

func TestModel(t *testing.T) {
	root := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		m := &machine{folder: filepath.Join(root, fmt.Sprint(runs))}
		m.box = newBox(m.nextFolder())
		m.ledger.limits = Limits{
			DeviceQuota: modelQuota, IdentityQuota: modelQuota / 2,
			DeviceLifetime: 5 * 24 * time.Hour, IdentityLifetime: 3 * 24 * time.Hour,
		}
		m.ref = reference{map[Address][]*refMessage{}, map[Address]map[uint64]*refMessage{}}
		for _, a := range modelAddresses {
			m.ref.maybe[a] = map[uint64]*refMessage{}
		}
		m.open(t, forwardLimit)
		defer func() { m.close(t) }()
		t.Repeat(map[string]func(*rapid.T){
			"":           m.check,
			"enqueue":    m.enqueue,
			"acknowlege": m.acknowledge,
			"connect":    m.connect,
			"disconnect": m.disconnect,
			"standing":   m.change,
			"purge":      m.purge,
			"wait":       m.wait,
			"maintain":   m.maintain,
			"crash":      m.crashes,
		})
	})
}

func forwardLimit(o *Options) { o.ForwardBytes = modelForward }

func (m *machine) nextFolder() string {
	m.folders++
	return filepath.Join(m.folder, fmt.Sprint(m.folders))
}

func (m *machine) verdict(a Address, size int, transient bool) Verdict {
	if a.Relay == "" && m.ledger.standing[a.Identity] != Accepted {
		return m.ledger.standing[a.Identity]
	}
	if transient && !m.isOnline(a) {
		return Offline
	}
	used := size + messageCharge
	for other, list := range m.ref.waiting {
		if other.Target() == a.Target() {
			for _, message := range list {
				used += message.size + messageCharge
			}
		}
	}
	quota := modelQuota
	switch {
	case a.Relay != "":
		quota = modelForward
	case a.Device == "":
		quota = modelQuota / 2
	}
	if used > quota {
		return NoRoom
	}
	return Accepted
}

func (m *machine) enqueue(t *rapid.T) {
	to := rapid.SliceOfNDistinct(rapid.SampledFrom(modelAddresses), 1, 5, func(a Address) string { return a.Target() }).Draw(t, "to")
	message := &refMessage{
		size:      rapid.IntRange(8, 5000).Draw(t, "size"),
		stored:    m.clock.now,
		transient: rapid.Bool().Draw(t, "transient"),
		lifetime:  rapid.SampledFrom([]time.Duration{0, 0, 12 * time.Hour}).Draw(t, "lifetime"),
	}
	m.last++
	message.number = m.last
	want, admitted := make([]Verdict, len(to)), make([]bool, len(to))
	for i, a := range to {
		want[i] = m.verdict(a, message.size, message.transient)
		admitted[i] = m.verdict(a, 0, message.transient) == Accepted
	}
	h := Header{Resource: resource, Lifetime: message.lifetime}
	if message.transient {
		h.Flags = sstp.FlagDoNotDeliverIfOffline
	}
	if got := m.send(t, h, message.number, message.size, to...); !slices.Equal(got, want) {
		t.Fatalf("message of %d to %v: %v, want %v", message.size, to, got, want)
	}
	for i, a := range to {
		switch {
		case want[i] == Accepted:
			m.ref.waiting[a] = append(m.ref.waiting[a], message)
		case admitted[i] && slices.Contains(want, Accepted):
			// Refused when the message was complete and on its way to the disk: a crash forgets that (Writer.Commit).
			m.ref.maybe[a][message.number] = message
		}
	}
}

// acknowledge takes some message of a queue, usually the first.
func (m *machine) acknowledge(t *rapid.T) {
	a := rapid.SampledFrom(modelAddresses).Draw(t, "queue")
	_, items := m.contents(t, a)
	if len(items) == 0 {
		if m.Ack(a, 1<<40) {
			t.Fatal("acknowledged what never was")
		}
		return
	}
	i := rapid.IntRange(0, rapid.IntRange(0, len(items)-1).Draw(t, "most")).Draw(t, "index")
	if !m.Ack(a, items[i].Position) || m.Ack(a, items[i].Position) {
		t.Fatal("a message is acknowledged once")
	}
	number := m.ref.waiting[a][i].number
	m.ref.drop(func(q Address, message *refMessage) bool { return q == a && message.number == number })
}

func (m *machine) connect(t *rapid.T) {
	m.online[rapid.SampledFrom(modelAddresses).Draw(t, "target").Target()] = true
}

func (m *machine) disconnect(t *rapid.T) {
	target := rapid.SampledFrom(modelAddresses).Draw(t, "target").Target()
	delete(m.online, target)
	m.DiscardTransient(target)
	m.ref.drop(func(a Address, message *refMessage) bool { return a.Target() == target && message.transient })
}

func (m *machine) change(t *rapid.T) {
	identity := rapid.SampledFrom([]string{alice, bob}).Draw(t, "identity")
	m.ledger.standing[identity] = rapid.SampledFrom([]Verdict{Accepted, Accepted, LockedOut, Unknown}).Draw(t, "standing")
}

func (m *machine) purge(t *rapid.T) {
	identity := rapid.SampledFrom([]string{alice, bob}).Draw(t, "identity")
	want := 0
	m.ref.drop(func(a Address, _ *refMessage) bool {
		if a.Identity == identity {
			want++
		}
		return a.Identity == identity
	})
	if got := m.Purge(func(a Address) bool { return a.Identity == identity }, 0); got.Messages != want {
		t.Fatalf("purged %d, want %d", got.Messages, want)
	}
}

func (m *machine) wait(t *rapid.T) {
	m.clock.now = m.clock.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "hours")) * time.Hour)
	if m.dated = rapid.Bool().Draw(t, "dated"); !m.dated {
		if n := m.Expire(); n != 0 {
			t.Fatalf("expired %d by a clock that is not trusted", n)
		}
		m.dated = true
		return
	}
	m.Expire()
	m.ref.drop(func(a Address, message *refMessage) bool {
		age := 3 * 24 * time.Hour
		if a.Device != "" || a.Relay != "" {
			age = 5 * 24 * time.Hour
		}
		return m.clock.now.Sub(message.stored) > age || message.over(m.clock.now)
	})
}

func (m *machine) maintain(t *rapid.T) {
	if err := m.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, set := range m.ref.maybe {
		clear(set)
	}
}

// crashes compares what is there after a crash with what may be, and goes on
// from there.
func (m *machine) crashes(t *rapid.T) {
	clear(m.online)
	m.box.crash(t, m.nextFolder())
	m.options.ForwardBytes = modelForward
	for _, a := range modelAddresses {
		must, may := map[uint64]*refMessage{}, maps.Clone(m.ref.maybe[a])
		for _, message := range m.ref.waiting[a] {
			if may[message.number] = message; !message.transient && !message.over(m.clock.now) {
				must[message.number] = message
			}
		}
		m.ref.waiting[a] = nil
		numbers, _ := m.contents(t, a)
		if !slices.IsSorted(numbers) {
			t.Fatalf("%v is out of order after a crash: %v", a, numbers)
		}
		for _, n := range numbers {
			if may[n] == nil || may[n].transient {
				t.Fatalf("%v holds %d after a crash", a, n)
			}
			m.ref.waiting[a] = append(m.ref.waiting[a], may[n])
			delete(must, n)
		}
		if len(must) > 0 {
			t.Fatalf("%v has lost %v in a crash", a, slices.Collect(maps.Keys(must)))
		}
	}
}

func (m *machine) check(t *rapid.T) {
	now := m.clock.now
	m.ref.drop(func(_ Address, message *refMessage) bool { return message.over(now) })
	byTarget := map[string]spool.Usage{}
	for _, a := range modelAddresses {
		var want []uint64
		u := byTarget[a.Target()]
		for _, message := range m.ref.waiting[a] {
			want = append(want, message.number)
			u.Messages++
			u.Bytes += int64(message.size)
		}
		byTarget[a.Target()] = u
		if got, _ := m.contents(t, a); !slices.Equal(got, want) {
			t.Fatalf("%v holds %v, want %v", a, got, want)
		}
		if listed := slices.Contains(m.Waiting(a.Target()), a); listed != (len(want) > 0) {
			t.Fatalf("%v is listed as waiting: %v, holds %v", a, listed, want)
		}
	}
	for target, want := range byTarget {
		if got := m.Usage(target); got.Messages != want.Messages || got.Bytes != want.Bytes {
			t.Fatalf("usage of %s is %+v, want %+v", target, got, want)
		}
	}
}
