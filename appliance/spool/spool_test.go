package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"furrow/appliance/disk"
	"furrow/appliance/disk/disktest"
)

func TestMain(m *testing.M) {
	if os.Getenv(killDirEnv) != "" {
		os.Exit(killedChild())
	}
	goleak.VerifyTestMain(m)
}

// open opens a spool that is closed when the test ends.
func open(t testing.TB, o Options) *Spool {
	t.Helper()
	s, report := openReport(t, o)
	if !report.Sound() {
		t.Fatalf("spool is not sound: %+v", report)
	}
	return s
}

func openReport(t testing.TB, o Options) (*Spool, Report) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 1
	}
	s, report, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && s.Err() == nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, report
}

func to(keys ...string) Envelope {
	e := Envelope{Resource: "r"}
	for _, k := range keys {
		e.Recipients = append(e.Recipients, Recipient{Key: k})
	}
	return e
}

// body is n octets that depend on seed.
func body(seed uint64, n int) []byte {
	b := make([]byte, n)
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

func put(t testing.TB, s *Spool, e Envelope, data []byte) Position {
	t.Helper()
	p, err := tryPut(s, e, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryPut(s *Spool, e Envelope, data []byte) (Position, error) {
	w, err := s.Begin(e)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(data); err != nil {
		return 0, errors.Join(err, w.Abort())
	}
	return w.Commit(context.Background())
}

func get(s *Spool, p Position) (e Envelope, data []byte, err error) {
	m, err := s.Message(p)
	if err != nil {
		return Envelope{}, nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	data, err = io.ReadAll(m)
	return m.Envelope, data, err
}

func positions(s *Spool, recipient string) []Position {
	var list []Position
	for item := range s.Queue(recipient, 0) {
		list = append(list, item.Position)
	}
	return list
}

func wantQueue(t testing.TB, s *Spool, recipient string, want ...Position) {
	t.Helper()
	if got := positions(s, recipient); !slices.Equal(got, want) {
		t.Errorf("queue %q: got %v, want %v", recipient, got, want)
	}
}

func wantBody(t testing.TB, s *Spool, p Position, want []byte) {
	t.Helper()
	if _, got, err := get(s, p); err != nil {
		t.Errorf("message %d: %v", p, err)
	} else if !bytes.Equal(got, want) {
		t.Errorf("message %d: %d octets differ from the %d stored", p, len(got), len(want))
	}
}

func TestRoundTrip(t *testing.T) {
	const inline = 3 * blockBytes
	sizes := []int{0, 1, blockBytes - 1, blockBytes, blockBytes + 1, inline - 1, inline, inline + 1,
		inline + blockBytes, flushBytes, flushBytes + blockBytes + 1, 1 << 20, 1<<20 + 12345}
	dir := filepath.Join(t.TempDir(), "spool")
	options := Options{Dir: dir, InlineBytes: inline, SegmentBytes: 100 << 10}
	s := open(t, options)
	envelope := Envelope{
		Resource:   "grooveTest://resource",
		Recipients: []Recipient{{Key: "a\x00b", Address: []byte{0, 1, 2}}, {Key: "c"}},
		Flags:      0x45,
		Lifetime:   90 * time.Second,
		Metadata:   []byte("opaque"),
	}
	stored := make([]Position, len(sizes))
	for i, size := range sizes {
		stored[i] = put(t, s, envelope, body(uint64(i), size))
	}
	check := func(s *Spool) {
		t.Helper()
		for i, size := range sizes {
			e, data, err := get(s, stored[i])
			if err != nil || !bytes.Equal(data, body(uint64(i), size)) {
				t.Errorf("body of %d octets: got %d, %v", size, len(data), err)
			}
			if !reflect.DeepEqual(e, envelope) {
				t.Errorf("envelope: got %+v, want %+v", e, envelope)
			}
		}
		wantQueue(t, s, "a\x00b", stored...)
		wantQueue(t, s, "c", stored...)
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check(s) // reading goes on
	if _, err := s.Begin(envelope); !errors.Is(err, ErrClosed) {
		t.Errorf("Begin after Close: %v", err)
	}
	s = open(t, options)
	check(s)
	wantModes(t, dir)
}

func wantModes(t *testing.T, dir string) {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != disk.DirMode {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != disk.FileMode {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// What arrives in pieces of any size is stored as if it came at once.
func TestWritePieces(t *testing.T) {
	s := open(t, Options{FS: disktest.NewMemory(), InlineBytes: 2 * blockBytes})
	want := body(1, 150_001)
	for _, piece := range []int{1, 2048, blockBytes, blockBytes + 1, 70_000} {
		w, err := s.Begin(to("a"))
		if err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(want, piece) {
			if n, err := w.Write(part); n != len(part) || err != nil {
				t.Fatalf("write: %d, %v", n, err)
			}
		}
		p, err := w.Commit(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		wantBody(t, s, p, want)
	}
}

func TestReadAt(t *testing.T) {
	s := open(t, Options{FS: disktest.NewMemory(), InlineBytes: 4 * blockBytes})
	for _, size := range []int{1, 2*blockBytes + 5, 6*blockBytes + 7} {
		want := body(2, size)
		m, err := s.Message(put(t, s, to("a"), want))
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, uint64(size)))
		for range 200 {
			off, n := r.IntN(size), r.IntN(size+10)
			got := make([]byte, n)
			k, err := m.ReadAt(got, int64(off))
			if end := off + n; end > size {
				if err != io.EOF || k != size-off {
					t.Fatalf("%d at %d of %d: %d, %v", n, off, size, k, err)
				}
			} else if err != nil || k != n {
				t.Fatalf("%d at %d of %d: %d, %v", n, off, size, k, err)
			}
			if !bytes.Equal(got[:k], want[off:off+k]) {
				t.Fatalf("%d at %d of %d: wrong data", n, off, size)
			}
		}
		if _, err := m.ReadAt(make([]byte, 1), -1); !errors.Is(err, os.ErrInvalid) {
			t.Errorf("negative offset: %v", err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEnvelopeRefused(t *testing.T) {
	s := open(t, Options{FS: disktest.NewMemory()})
	many := make([]Recipient, maxRecipients+1)
	for i := range many {
		many[i].Key = fmt.Sprint(i)
	}
	for name, c := range map[string]struct {
		envelope Envelope
		want     error
	}{
		"no recipient":      {Envelope{}, ErrEnvelope},
		"empty key":         {to("a", ""), ErrEnvelope},
		"long key":          {to(string(make([]byte, maxKeyBytes+1))), ErrEnvelope},
		"negative lifetime": {Envelope{Recipients: many[:1], Lifetime: -time.Second}, ErrEnvelope},
		"part of a second":  {Envelope{Recipients: many[:1], Lifetime: time.Millisecond}, ErrEnvelope},
		"long lifetime":     {Envelope{Recipients: many[:1], Lifetime: maxLifetime + time.Second}, ErrEnvelope},
		"many recipients":   {Envelope{Recipients: many}, ErrTooLarge},
		"long metadata":     {Envelope{Recipients: many[:1], Metadata: make([]byte, maxEnvelopeBytes)}, ErrTooLarge},
	} {
		if _, err := s.Begin(c.envelope); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	put(t, s, Envelope{Recipients: many[:maxRecipients]}, []byte("x"))
	if got := s.Usage("65534").Messages; got != 1 {
		t.Errorf("last of many recipients has %d messages", got)
	}
}

func TestAbort(t *testing.T) {
	files := disktest.NewMemory()
	s := open(t, Options{FS: files, InlineBytes: 100})
	for _, size := range []int{10, 200_000} {
		w, err := s.Begin(to("a"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body(1, size)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Abort(); err != nil {
				t.Errorf("abort: %v", err)
			}
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, ErrDone) {
			t.Errorf("write after abort: %v", err)
		}
		if _, err := w.Commit(context.Background()); !errors.Is(err, ErrDone) {
			t.Errorf("commit after abort: %v", err)
		}
	}
	wantNothingLeft(t, s, files)
}

// wantNothingLeft checks that a spool without messages holds no body file and
// no memory for bodies.
func wantNothingLeft(t *testing.T, s *Spool, files *disktest.Memory) {
	t.Helper()
	names, err := files.Names("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, isBody := parseBodyName(name); isBody {
			t.Errorf("%s is left", name)
		}
	}
	if used := s.buffers.used.Load(); used != 0 {
		t.Errorf("%d octets of buffers are left", used)
	}
	if n := s.writers.Load(); n != 0 {
		t.Errorf("%d messages are still counted as under way", n)
	}
}

func TestCommitHeedsContext(t *testing.T) {
	files := disktest.NewMemory()
	s := open(t, Options{FS: files, InlineBytes: 100})
	started, proceed := make(chan struct{}), make(chan struct{})
	files.SetHook(func(op, _ string) error {
		if op == "syncdir" {
			close(started)
			<-proceed
		}
		return nil
	})
	first := make(chan error)
	go func() {
		_, err := tryPut(s, to("a"), []byte("first"))
		first <- err
	}()
	<-started // the committer is busy
	w, err := s.Begin(to("a"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	close(proceed)
	if err := <-first; err != nil {
		t.Error(err)
	}
	files.SetHook(nil)
	if got := s.Usage("a").Messages; got != 1 {
		t.Errorf("%d messages, want 1", got)
	}
}

// However many and large the bodies, those in memory stay within the budget.
func TestBufferBudget(t *testing.T) {
	s := open(t, Options{FS: disktest.NewMemory(), InlineBytes: 64 << 10, BufferBytes: 100 << 10})
	var writers []*Writer
	for i := range 20 {
		w, err := s.Begin(to("a"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body(uint64(i), 40<<10)); err != nil {
			t.Fatal(err)
		}
		if used := s.buffers.used.Load(); used > 100<<10 {
			t.Fatalf("%d octets in buffers", used)
		}
		if len(w.buf) > flushBytes+blockSpan {
			t.Fatalf("%d octets in one buffer", len(w.buf))
		}
		writers = append(writers, w)
	}
	for i, w := range writers {
		p, err := w.Commit(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		wantBody(t, s, p, body(uint64(i), 40<<10))
	}
	if used := s.buffers.used.Load(); used != 0 {
		t.Errorf("%d octets of buffers are left", used)
	}
}

// A long body takes no more memory than a short one, in or out.
func TestMemoryDoesNotGrow(t *testing.T) {
	s := open(t, Options{})
	const size, most = 32 << 20, 2 << 20
	chunk := body(1, 2048)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w, err := s.Begin(to("a"))
	if err != nil {
		t.Fatal(err)
	}
	for range size / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	p, err := w.Commit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Message(p)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(chunk))
	for range size / len(chunk) {
		if _, err := io.ReadFull(m, got); err != nil || !bytes.Equal(got, chunk) {
			t.Fatalf("read: %v", err)
		}
	}
	runtime.ReadMemStats(&after)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > most {
		t.Errorf("%d octets allocated for a body of %d", took, size)
	}
}

// A message is stored once for all recipients, and goes when the last one has
// it.
func TestFanoutStoresOnce(t *testing.T) {
	files := disktest.NewMemory()
	s := open(t, Options{FS: files})
	var keys []string
	for i := range 500 {
		keys = append(keys, fmt.Sprintf("recipient %d", i))
	}
	const size = 1 << 20
	p := put(t, s, to(keys...), body(1, size))
	if disk := s.Stats().DiskBytes; disk > size+size/20 {
		t.Errorf("%d octets on disk for a body of %d", disk, size)
	}
	for i, key := range keys {
		if got := s.Usage(key); got.Messages != 1 || got.Bytes != size {
			t.Fatalf("%s: %+v", key, got)
		}
		wantQueue(t, s, key, p)
		if !s.Ack(key, p) || s.Ack(key, p) {
			t.Fatalf("%s: acknowledged not once", key)
		}
		if err := s.Maintain(context.Background()); err != nil {
			t.Fatal(err)
		}
		if gone := s.Stats().DiskBytes < size; gone != (i == len(keys)-1) {
			t.Fatalf("after %d acknowledgments: gone is %v", i+1, gone)
		}
	}
	if _, err := s.Message(p); !errors.Is(err, ErrGone) {
		t.Errorf("message: %v", err)
	}
	wantNothingLeft(t, s, files)
}

// A reader keeps its message when the spool lets go of it.
func TestReaderOutlivesRemoval(t *testing.T) {
	s := open(t, Options{InlineBytes: 1000, SegmentBytes: 1})
	for _, size := range []int{900, 90_000} {
		p := put(t, s, to("a"), body(1, size))
		m, err := s.Message(p)
		if err != nil {
			t.Fatal(err)
		}
		s.Ack("a", p)
		if err := s.Maintain(context.Background()); err != nil {
			t.Fatal(err)
		}
		if disk := s.Stats().DiskBytes; disk != 0 {
			t.Errorf("%d octets left on disk", disk)
		}
		if got, err := io.ReadAll(m); err != nil || !bytes.Equal(got, body(1, size)) {
			t.Errorf("read: %d octets, %v", len(got), err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
