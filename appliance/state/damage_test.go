package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/appliance/disk"
)

// full asks for a reopening through Open in every case (FURROW_DAMAGE=full).
// Without it every case is tried on the scanner, which decides, and every
// so-manieth through Open.
func full() bool { return os.Getenv("FURROW_DAMAGE") == "full" }

// fastDir is a folder in memory where there is one: these tests open stores by
// the thousand and need no real disk.
func fastDir(t interface {
	Helper()
	Fatal(...any)
	Error(...any)
	Cleanup(func())
}) string {
	t.Helper()
	dir, err := os.MkdirTemp(memoryDir(), "furrow-state-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func memoryDir() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// recording is a journal and what it should say.
type recording struct {
	dir      string // holds it as generation 1
	data     []byte
	start    int64    // of the journal
	ends     []int64  // of each transaction
	prefixes []string // state after 0, 1, 2, ... transactions
}

// record commits n transactions of several rows each, one after the other.
func recordJournal(t testing.TB, n int) recording {
	t.Helper()
	r := recording{dir: fastDir(t)}
	s := openStore(t, r.dir, Options{})
	r.start = s.Stats().FileBytes
	r.prefixes = []string{s.dump()}
	for i := range n {
		err := s.Update(context.Background(), func(tx *Tx) error {
			tx.NextStamp(time.UnixMilli(int64(i)))
			s.members.Delete(tx, fmt.Sprint("m", (i+3)%7))
			return errors.Join(
				s.members.Put(tx, member{ID: fmt.Sprint("m", i%7), Email: fmt.Sprint(i), Groups: []string{"g"}}),
				s.notes.Put(tx, note{ID: fmt.Sprint("n", i%5), Text: fmt.Sprint(i)}))
		})
		if err != nil {
			t.Fatal(err)
		}
		r.ends = append(r.ends, s.Stats().FileBytes)
		r.prefixes = append(r.prefixes, s.dump())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.data, err = os.ReadFile(filepath.Join(r.dir, fileName(1))); err != nil {
		t.Fatal(err)
	}
	return r
}

// whole is how many transactions end at or before a byte.
func (r recording) whole(offset int) int {
	n, found := slices.BinarySearch(r.ends, int64(offset))
	if found {
		n++
	}
	return n
}

// judged is the scanner's verdict on what stands behind the last transaction
// that ends at or before byte at.
func (r recording) judged(data []byte, at int) findingKind {
	n := r.whole(at)
	rd := reader{data: data, generation: 1, offset: r.start}
	if n > 0 {
		rd.offset = r.ends[n-1]
	}
	if int(rd.offset) == len(data) {
		return sound
	}
	if rd.next() {
		return -1 // it must not be a record
	}
	return judge(data, &rd, uint64(n+1)).kind
}

// reopen opens data as the only generation and checks the outcome: a prefix of
// the history, in recovery mode or not.
func (r recording) reopen(t *testing.T, dir string, data []byte) (testStore, int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, fileName(1)), data, disk.FileMode); err != nil {
		t.Fatal(err)
	}
	s, err := tryOpen(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := int(s.Snapshot().Sequence())
	if n >= len(r.prefixes) || s.dump() != r.prefixes[n] {
		t.Fatalf("state is no prefix of the history:\n%s", s.dump())
	}
	if rec := s.report.Recovery; rec != nil {
		if err := s.put(member{ID: "x"}); !errors.Is(err, ErrRecovery) {
			t.Fatalf("Update in recovery mode = %v", err)
		}
		kept, err := os.ReadFile(filepath.Join(dir, fileName(1)))
		if err != nil || !bytes.Equal(kept, data) || !slices.Equal(rec.Files, []string{fileName(1)}) || rec.LostFrom != uint64(n+1) {
			t.Fatalf("damaged file is not kept as it was and named: %v, %+v", err, rec)
		}
	}
	return s, n
}

func (r recording) closeAndClear(t *testing.T, s testStore, dir string) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := disk.OS{}.Names(dir)
	for _, name := range names {
		err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tails tries every way to lose a tail: change makes the file as it is when
// nothing from byte at on was written.
func tails(t *testing.T, change func(data []byte, at int) []byte) {
	r := recordJournal(t, 200)
	dir := fastDir(t)
	for at := range r.data {
		data := change(r.data, at)
		want := torn
		switch _, boundary := slices.BinarySearch(r.ends, int64(at)); {
		case at < int(r.start):
			want = damaged
		case len(data) == at && (boundary || at == int(r.start)):
			want = sound
		}
		if at >= int(r.start) {
			if got := r.judged(data, at); got != want {
				t.Fatalf("byte %d: verdict %d, want %d", at, got, want)
			}
		}
		if stride := 127; !full() && at%stride != 0 && want != sound {
			continue
		}
		s, n := r.reopen(t, dir, data)
		if n != r.whole(at) {
			t.Fatalf("byte %d: %d transactions, want %d", at, n, r.whole(at))
		}
		if (s.report.Recovery != nil) != (want == damaged) || (s.report.Torn != nil) != (want == torn) {
			t.Fatalf("byte %d: report %+v", at, s.report)
		}
		if cut := s.report.Torn; cut != nil && !allZero(data[cut.Offset:]) {
			aside, err := os.ReadFile(filepath.Join(dir, cut.Aside))
			if err != nil || !bytes.Equal(aside, data[cut.Offset:]) {
				t.Fatalf("byte %d: copy of the tail: %v", at, err)
			}
		}
		if want != damaged {
			if err := s.put(member{ID: "after"}); err != nil {
				t.Fatal(err)
			}
			s = r.again(t, s, dir)
			if int(s.Snapshot().Sequence()) != n+1 || s.report.Torn != nil || s.report.Recovery != nil {
				t.Fatalf("byte %d: after the cut and a commit: %+v", at, s.report)
			}
		}
		r.closeAndClear(t, s, dir)
	}
}

func (r recording) again(t *testing.T, s testStore, dir string) testStore {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := tryOpen(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryTruncation(t *testing.T) {
	tails(t, func(data []byte, at int) []byte { return data[:at] })
}

func TestEveryZeroedTail(t *testing.T) {
	var zeroed []byte
	tails(t, func(data []byte, at int) []byte {
		zeroed = append(zeroed[:0], data...)
		clear(zeroed[at:])
		return zeroed
	})
}

// A flipped bit is never taken for a torn write, not even in the last record:
// it always ends in recovery mode with all transactions before the damage.
func TestEveryFlippedBit(t *testing.T) {
	r := recordJournal(t, 8)
	dir := fastDir(t)
	data := slices.Clone(r.data)
	for at := range data {
		for bit := range 8 {
			data[at] ^= 1 << bit
			if sc := scanGeneration(data, 1, newStage()); sc.finding.kind != damaged {
				t.Fatalf("byte %d bit %d: %+v", at, bit, sc.finding)
			}
			if !full() && bit != at%8 {
				data[at] ^= 1 << bit
				continue
			}
			s, n := r.reopen(t, dir, data)
			rec := s.report.Recovery
			if rec == nil {
				t.Fatalf("byte %d bit %d: not noticed", at, bit)
			}
			want := r.whole(at)
			if at < int(r.start) {
				want = len(r.ends) // the first checkpoint is empty, so all can be proved
			}
			if n != want {
				t.Fatalf("byte %d bit %d: %d transactions, want %d", at, bit, n, want)
			}
			if last := uint64(len(r.ends)); want+1 < len(r.ends) && rec.LostTo != last {
				t.Fatalf("byte %d bit %d: lost up to %d, want %d", at, bit, rec.LostTo, last)
			}
			r.closeAndClear(t, s, dir)
			data[at] ^= 1 << bit
		}
	}
}

// group returns a journal whose last n transactions were written in one group,
// with big bodies so that sectors lie inside them.
func group(t *testing.T, n int) (data []byte, start int64, ends []int64) {
	t.Helper()
	base := checkpoint{schema: newTestSchema().schema, generation: 1}
	base.root = base.schema.newHead()
	dir := t.TempDir()
	if _, err := base.writeTemp(disk.OS{}, dir); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, tempName))
	if err != nil {
		t.Fatal(err)
	}
	start = int64(len(data))
	for i := range n {
		body := appendPut(nil, "note", 1, fmt.Sprint(i), []byte(`{"ID":"`+fmt.Sprint(i)+`","Text":"`+strings.Repeat("x", 3000)+`"}`))
		data = appendRecord(data, 1, record{kind: kindJournal, number: uint64(i + 1), body: body})
		ends = append(ends, int64(len(data)))
	}
	return data, start, ends
}

func TestUnwrittenSectors(t *testing.T) {
	data, _, ends := group(t, 3)
	zero := func(data []byte, from, to int64) []byte {
		data = slices.Clone(data)
		clear(data[from:to])
		return data
	}
	sector := func(offset int64) int64 { return (offset + 511) / 512 * 512 }
	inFirst, inSecond := sector(ends[0]-2000), sector(ends[0]+1000)
	durable := appendRecord(slices.Clone(data), 1, record{kind: kindJournal, number: 4, mark: 3})
	flipped := zero(data, inSecond, inSecond+512)
	flipped[ends[0]+2] ^= 1 // in the frame before the hole
	tests := map[string]struct {
		data     []byte
		want     findingKind
		sequence uint64
	}{
		"in the group's second record":            {zero(data, inSecond, inSecond+512), torn, 1},
		"in its first record, the others written": {zero(data, inFirst, inFirst+512), torn, 0},
		"a whole page":                 {zero(data, ends[0], sector(ends[0])+4096), torn, 1},
		"up to a sector, then written": {zero(data, ends[0], sector(ends[0]+1)), torn, 1},
		"behind the last record":       {append(slices.Clone(data), make([]byte, 700)...), torn, 3},
		"less than a sector":           {zero(data, inSecond, inSecond+511), damaged, 1},
		"in a record that was durable": {zero(durable, inSecond, inSecond+512), damaged, 1},
		"NULs between records":         {slices.Concat(data[:ends[1]], make([]byte, 100), data[ends[1]:]), damaged, 2},
		"a damaged frame before it":    {flipped, damaged, 1},
		"a record missing":             {slices.Concat(data[:ends[0]], data[ends[1]:]), damaged, 1},
		"a record twice":               {slices.Concat(data, data[ends[1]:]), damaged, 3},
		"a record of another generation": {appendRecord(slices.Clone(data), 2,
			record{kind: kindJournal, number: 4}), damaged, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			st := newStage()
			sc := scanGeneration(test.data, 1, st)
			if sc.finding.kind != test.want || st.sequence != test.sequence {
				t.Errorf("%+v at %d, want kind %d at %d", sc.finding, st.sequence, test.want, test.sequence)
			}
		})
	}
}

func TestHugeLengthsAllocateNothing(t *testing.T) {
	r := recordJournal(t, 3)
	hostile := map[string]string{
		"length":        framePrefix + recordKey(kindJournal, 4) + "\r\n$33554458\r\n",
		"beyond limit":  framePrefix + recordKey(kindJournal, 4) + "\r\n$99999999\r\n",
		"digits":        framePrefix + recordKey(kindJournal, 4) + "\r\n$99999999999999999999\r\n",
		"parts":         "*2147483647\r\n$3\r\n",
		"part":          "*3\r\n$2147483647\r\n",
		"other command": "*1\r\n$7\r\nflushdb\r\n",
		"delete":        "*2\r\n$3\r\ndel\r\n$22\r\n" + recordKey(kindJournal, 1) + "\r\n",
	}
	for name, tail := range hostile {
		t.Run(name, func(t *testing.T) {
			data := append(slices.Clone(r.data), tail...)
			if got, limit := allocated(func() { scanGeneration(data, 1, newStage()) }), uint64(64<<10); got > limit {
				t.Errorf("scanning %d bytes allocates %d", len(data), got)
			}
			dir := fastDir(t)
			s, n := r.reopen(t, dir, data)
			if n != 3 {
				t.Errorf("%d transactions", n)
			}
			r.closeAndClear(t, s, dir)
		})
	}
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestKilledBeforeTheFlushIsMadeDurableOnOpen(t *testing.T) {
	r := recordJournal(t, 5)
	fs := &faultFS{FS: disk.OS{}}
	fs.arm(0, "", false)
	s, err := tryOpen(r.dir, Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"list", "open", "read", "open", "writeat", "sync", "syncdir", "open"}
	if !slices.Equal(fs.ops, want) {
		t.Errorf("operations %v, want %v", fs.ops, want)
	}
	fs.arm(1, "sync", false)
	if _, err := tryOpen(r.dir, Options{FS: fs}); !errors.Is(err, errInjected) {
		t.Errorf("Open with a failing flush = %v", err)
	}
}
