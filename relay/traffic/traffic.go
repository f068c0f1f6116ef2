// Package traffic keeps how much a relay has carried, and how many devices were online, over time.
//
// A Book reads the relay's counters, which begin at nothing with each start of the box, once a minute and whenever
// somebody asks. It has sums by the minute for an hour, in memory, and by the hour for 400 days, as a row a day in the
// state. Rows are written every ten minutes and at the end: a crash costs the sums of ten minutes at most, and no message
// waits for a sum.
package traffic

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"furrow/appliance/state"
)

const (
	// sampleEvery is the finest sum there is.
	sampleEvery = time.Minute
	// saveEvery is how much a crash may cost. A row is written over and over, and small boxes have slow cards.
	saveEvery = 10 * time.Minute
	// keptDays are enough to compare a month with the same one of the year before.
	keptDays = 400
	minutes  = 60
	hours    = 24
)

// Sum is what was carried in a time.
type Sum struct {
	MessagesIn  uint64 `json:"messagesIn"` // from devices and other relays
	BytesIn     uint64 `json:"bytesIn"`
	MessagesOut uint64 `json:"messagesOut"` // to devices and other relays, with repetitions
	BytesOut    uint64 `json:"bytesOut"`
	Online      int    `json:"online"` // devices, the most at once
}

// Add adds what was carried in another time.
func (s *Sum) Add(other Sum) {
	s.MessagesIn += other.MessagesIn
	s.BytesIn += other.BytesIn
	s.MessagesOut += other.MessagesOut
	s.BytesOut += other.BytesOut
	s.Online = max(s.Online, other.Online)
}

// since is what has come to counters after they were before. Online does not count up.
func (s Sum) since(before Sum) Sum {
	return Sum{
		MessagesIn: s.MessagesIn - before.MessagesIn, BytesIn: s.BytesIn - before.BytesIn,
		MessagesOut: s.MessagesOut - before.MessagesOut, BytesOut: s.BytesOut - before.BytesOut, Online: s.Online,
	}
}

// Point is a sum of the time that begins then.
type Point struct {
	Time time.Time
	Sum
}

// day is a row.
type day struct {
	Day   string     `json:"day"` // such as 2026-03-14, UTC
	Hours [hours]Sum `json:"hours"`
}

// Tables are the package's tables in a store's schema.
type Tables struct{ days *state.Table[day] }

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	return &Tables{state.Define(s, "trafficDays", state.TableOptions[day]{Version: 1, Key: func(d day) string { return d.Day }})}
}

// Config is what a Book works with.
type Config struct {
	Store  *state.Store
	Tables *Tables // declared in the schema Store was opened with
	// Read returns what the relay has carried since its start, and how many devices are online now.
	Read func() Sum
	Now  func() time.Time
	Log  *slog.Logger
}

// Book keeps sums. It is safe for concurrent use.
type Book struct {
	Config

	mu     sync.Mutex
	last   Sum             // guarded by mu: counters at the last sample
	newest time.Time       // guarded by mu: of the last sample, by a clock that may be set back
	ring   [minutes]minute // guarded by mu
	today  day             // guarded by mu
	saved  day             // guarded by mu: as it was last written
}

// minute is a sum of the ring, of the minute with this number since 1970.
type minute struct {
	number int64
	Sum
}

// New returns a Book that goes on where the last one has ended.
func New(c Config) *Book {
	b := &Book{Config: c}
	b.newest = c.Now().UTC()
	b.today = b.day(b.newest)
	b.saved = b.today
	return b
}

// day is the row of a day as it was written.
func (b *Book) day(t time.Time) day {
	key := t.Format(time.DateOnly)
	row, _ := b.Tables.days.Get(b.Store.Snapshot(), key) // a day on which nothing was carried has none
	row.Day = key
	return row
}

// Run samples each minute and writes what it has, until ctx ends.
func (b *Book) Run(ctx context.Context) {
	sample, save := time.NewTicker(sampleEvery), time.NewTicker(saveEvery)
	defer sample.Stop()
	defer save.Stop()
	for {
		select {
		case <-sample.C:
			b.Sample()
		case <-save.C:
			b.save(ctx)
		case <-ctx.Done():
			b.save(context.WithoutCancel(ctx))
			return
		}
	}
}

// Sample adds what was carried since the last sample to the present minute and hour. Run calls it.
func (b *Book) Sample() {
	if ended := b.sample(); ended != nil {
		b.write(context.Background(), *ended)
	}
}

// sample returns the day before if the sample begins a new one.
func (b *Book) sample() (ended *day) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.Now().UTC(); now.After(b.newest) {
		b.newest = now
	}
	if key := b.newest.Format(time.DateOnly); key != b.today.Day {
		before := b.today
		ended, b.today = &before, b.day(b.newest)
	}
	read := b.Read()
	fresh := read.since(b.last)
	b.last = read
	number := b.newest.Unix() / 60
	slot := &b.ring[number%minutes]
	if slot.number != number {
		*slot = minute{number: number}
	}
	slot.Add(fresh)
	b.today.Hours[b.newest.Hour()].Add(fresh)
	return ended
}

// save writes the present day, unless it is as it was: an idle box writes nothing.
func (b *Book) save(ctx context.Context) {
	b.Sample()
	b.mu.Lock()
	today, same := b.today, b.today == b.saved
	b.mu.Unlock()
	if !same && b.write(ctx, today) {
		b.mu.Lock()
		b.saved = today
		b.mu.Unlock()
	}
}

// write writes a day and takes away what is too old. It reports whether that succeeded.
func (b *Book) write(ctx context.Context, d day) bool {
	err := b.Store.Update(ctx, func(tx *state.Tx) error {
		oldest := b.Now().UTC().AddDate(0, 0, -keptDays).Format(time.DateOnly)
		for old := range b.Tables.days.Range(tx, "", oldest) {
			b.Tables.days.Delete(tx, old.Day)
		}
		return b.Tables.days.Put(tx, d)
	})
	if err != nil && ctx.Err() == nil {
		b.Log.Warn("what the relay has carried is not written, which is tried again", "day", d.Day, "error", err)
	}
	return err == nil
}

// Minutes returns the last 60 minutes, the present one last.
func (b *Book) Minutes() []Point {
	b.Sample()
	b.mu.Lock()
	defer b.mu.Unlock()
	points := make([]Point, minutes)
	for i := range points {
		number := b.newest.Unix()/60 - minutes + 1 + int64(i)
		points[i].Time = time.Unix(number*60, 0).UTC()
		if slot := b.ring[number%minutes]; slot.number == number {
			points[i].Sum = slot.Sum
		}
	}
	return points
}

// Hours returns the last 24 hours, the present one last.
func (b *Book) Hours() []Point {
	b.Sample()
	b.mu.Lock()
	newest, today := b.newest, b.today
	b.mu.Unlock()
	yesterday := b.day(newest.AddDate(0, 0, -1))
	points := make([]Point, hours)
	for i := range points {
		t := newest.Truncate(time.Hour).Add(time.Duration(i-hours+1) * time.Hour)
		of := &today
		if t.Format(time.DateOnly) != today.Day {
			of = &yesterday
		}
		points[i] = Point{t, of.Hours[t.Hour()]}
	}
	return points
}

// Days returns the days from one on until another, both included, as many as are kept. A day without traffic is there too.
func (b *Book) Days(from, to time.Time) []Point {
	b.Sample()
	b.mu.Lock()
	newest, today := b.newest, b.today
	b.mu.Unlock()
	last := newest.Truncate(24 * time.Hour)
	if to = to.UTC().Truncate(24 * time.Hour); to.Before(last) {
		last = to
	}
	first := from.UTC().Truncate(24 * time.Hour)
	if oldest := newest.Truncate(24*time.Hour).AddDate(0, 0, -keptDays); first.Before(oldest) {
		first = oldest
	}
	var points []Point
	for t := first; !t.After(last); t = t.AddDate(0, 0, 1) {
		row := today
		if t.Format(time.DateOnly) != today.Day {
			row = b.day(t)
		}
		p := Point{Time: t}
		for _, hour := range row.Hours {
			p.Add(hour)
		}
		points = append(points, p)
	}
	return points
}
