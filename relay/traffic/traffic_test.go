package traffic

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"furrow/appliance/state"
)

// fixture is a book over a relay whose counters a test sets.
type fixture struct {
	t      *testing.T
	dir    string
	store  *state.Store
	tables *Tables
	now    time.Time
	relay  Sum
	*Book
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 14, 23, 58, 30, 0, time.UTC)}
	schema := state.NewSchema()
	f.tables = Declare(schema)
	var err error
	if f.store, _, err = state.Open(f.dir, schema, state.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
	})
	f.start()
	return f
}

// start is the box after a restart.
func (f *fixture) start() {
	f.relay = Sum{}
	f.Book = New(Config{
		Store: f.store, Tables: f.tables, Read: func() Sum { return f.relay }, Now: func() time.Time { return f.now },
		Log: slog.New(slog.DiscardHandler),
	})
}

// carry has the relay carry messages in of ten octets each.
func (f *fixture) carry(messages uint64, online int) {
	f.relay.MessagesIn += messages
	f.relay.BytesIn += 10 * messages
	f.relay.Online = online
}

func total(points []Point) (all Sum) {
	for _, p := range points {
		all.Add(p.Sum)
	}
	return all
}

func TestSums(t *testing.T) {
	f := newFixture(t)
	f.carry(3, 2)
	if m := f.Minutes(); len(m) != 60 || m[59].Time != f.now.Truncate(time.Minute) || m[59].Sum != (Sum{MessagesIn: 3, BytesIn: 30, Online: 2}) {
		t.Fatalf("the minute is %+v", m[59])
	}
	f.now = f.now.Add(time.Minute)
	f.carry(4, 1)
	f.Sample()
	f.now = f.now.Add(time.Minute) // the next day
	f.carry(5, 1)
	m := f.Minutes()
	if m[57].MessagesIn != 3 || m[58].MessagesIn != 4 || m[59].MessagesIn != 5 || total(m).Online != 2 {
		t.Errorf("the minutes are %+v", m[57:])
	}
	h := f.Hours()
	if len(h) != 24 || h[22].MessagesIn != 7 || h[23].MessagesIn != 5 || !h[23].Time.Equal(time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the hours are %+v", h[22:])
	}
	d := f.Days(f.now.AddDate(0, 0, -2), f.now)
	if len(d) != 3 || total(d[:1]) != (Sum{}) || d[1].BytesIn != 70 || d[2].BytesIn != 50 {
		t.Errorf("the days are %+v", d)
	}
	if d := f.Days(f.now.AddDate(-9, 0, 0), f.now.AddDate(0, 0, 9)); len(d) != keptDays+1 {
		t.Errorf("%d days", len(d))
	}
	f.now = f.now.Add(-time.Hour) // the clock is set back
	f.carry(1, 1)
	if m := f.Minutes(); m[59].MessagesIn != 6 {
		t.Errorf("a clock that was set back counts in another minute: %+v", m[59])
	}
	f.now = f.now.Add(3 * time.Hour)
	if m := f.Minutes(); total(m[:59]) != (Sum{}) || m[59].MessagesIn != 0 {
		t.Errorf("minutes of hours ago are shown: %+v", m)
	}
}

func TestRestart(t *testing.T) {
	f := newFixture(t)
	f.now = f.now.Add(-time.Hour)
	f.carry(3, 2)
	f.save(t.Context())
	f.start()
	f.carry(4, 1)
	if d := f.Days(f.now, f.now); d[0].Sum != (Sum{MessagesIn: 7, BytesIn: 70, Online: 2}) {
		t.Errorf("after a restart the day is %+v", d)
	}
	f.now = f.now.AddDate(0, 0, keptDays+2)
	f.save(t.Context())
	if n := f.tables.days.Len(f.store.Snapshot()); n != 1 {
		t.Errorf("%d days are kept", n)
	}
}

// TestRun shows that what Run has at its end is written.
func TestRun(t *testing.T) {
	f := newFixture(t)
	f.carry(9, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.Run(ctx)
	f.start()
	if d := f.Days(f.now, f.now); d[0].MessagesIn != 9 {
		t.Errorf("the day is %+v", d)
	}
}

// TestIdle wants nothing written while nothing is carried: small boxes have slow cards.
func TestIdle(t *testing.T) {
	f := newFixture(t)
	f.save(t.Context())
	f.carry(1, 1)
	f.save(t.Context())
	written := f.store.Snapshot().Sequence()
	f.relay.Online = 0
	for range 3 {
		f.save(t.Context())
	}
	if now := f.store.Snapshot().Sequence(); written != 1 || now != written {
		t.Errorf("%d transactions for one sum, %d after an idle time", written, now)
	}
}
