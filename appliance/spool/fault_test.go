package spool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"syscall"
	"testing"

	"furrow/appliance/disk/disktest"
)

const (
	errIO           = syscall.EIO
	errTooManyFiles = syscall.EMFILE
)

// resum replaces the checksum at the end of data.
func resum(data []byte) []byte {
	body := data[:len(data)-sumBytes]
	return binary.BigEndian.AppendUint32(body, crc32.Checksum(body, castagnoli()))
}

// once fails the first operation op on a file whose name has the prefix.
func once(op, prefix string, err error) func(op, name string) error {
	done := false
	return func(asked, name string) error {
		if done || asked != op || len(name) < len(prefix) || name[:len(prefix)] != prefix {
			return nil
		}
		done = true
		return err
	}
}

// A message that met a failing disk is not acknowledged and not there, before
// or after a restart; all others are.
func TestFailingDisk(t *testing.T) {
	for _, c := range []struct {
		op, prefix string
		err, want  error
		size       int // of the body; beyond 1000 it has its own file
		failed     bool
	}{
		{"create", segmentPrefix, syscall.ENOSPC, ErrFull, 10, false},
		{"create", bodyPrefix, syscall.EDQUOT, ErrFull, 50_000, false},
		{"create", bodyPrefix, syscall.EMFILE, ErrWrite, 50_000, false},
		{"write", segmentPrefix, syscall.ENOSPC, ErrFull, 10, false},
		{"write", segmentPrefix, syscall.EIO, ErrWrite, 10, false},
		{"write", bodyPrefix, syscall.ENOSPC, ErrFull, 50_000, false},
		{"write", bodyPrefix, syscall.ENOSPC, ErrFull, 500_000, false},
		{"sync", segmentPrefix, syscall.EIO, ErrFailed, 10, true},
		{"sync", bodyPrefix, syscall.EIO, ErrFailed, 50_000, true},
		{"syncdir", "", syscall.EIO, ErrFailed, 50_000, true},
	} {
		t.Run(fmt.Sprint(c.op, " ", c.prefix, c.err), func(t *testing.T) {
			files := disktest.NewMemory()
			o := Options{Dir: t.TempDir(), FS: files, InlineBytes: 1000, SegmentBytes: 1, ReserveBytes: 1}
			s := open(t, o)
			good := put(t, s, to("a"), body(1, c.size))
			files.SetHook(once(c.op, c.prefix, c.err))
			if _, err := tryPut(s, to("a"), body(2, c.size)); !errors.Is(err, c.want) || !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			want := []Position{good}
			select {
			case <-s.Failed():
				if !c.failed {
					t.Error("the spool failed")
				}
				if _, err := tryPut(s, to("a"), nil); !errors.Is(err, ErrFailed) {
					t.Errorf("write after a failed flush: %v", err)
				}
				if err := s.Maintain(context.Background()); !errors.Is(err, ErrFailed) {
					t.Errorf("maintain after a failed flush: %v", err)
				}
			default:
				if c.failed {
					t.Error("the spool goes on after a failed flush")
				}
				want = append(want, put(t, s, to("a"), body(3, c.size)))
			}
			wantQueue(t, s, "a", want...)
			wantBody(t, s, good, body(1, c.size))
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			files.SetHook(nil)
			wantQueue(t, open(t, o), "a", want...)
		})
	}
}

// When the cut back fails too, nothing is written behind the remains.
func TestCutBackFails(t *testing.T) {
	files := disktest.NewMemory()
	o := Options{Dir: t.TempDir(), FS: files, ReserveBytes: 1}
	s := open(t, o)
	good := put(t, s, to("a"), []byte("good"))
	files.SetHook(func(op, _ string) error {
		if op == "write" || op == "truncate" {
			return errIO
		}
		return nil
	})
	if _, err := tryPut(s, to("a"), []byte("bad")); !errors.Is(err, ErrWrite) || !errors.Is(err, ErrFailed) {
		t.Errorf("got %v", err)
	}
	files.SetHook(nil)
	if _, err := s.Begin(to("a")); !errors.Is(err, ErrFailed) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s, report := openReport(t, o)
	if len(report.Damage) != 1 {
		t.Errorf("report: %+v", report)
	}
	wantQueue(t, s, "a", good)
}

// A full disk refuses messages at every step; delivery and what frees space go
// on.
func TestFull(t *testing.T) {
	const reserve = 1 << 20
	files := disktest.NewMemory()
	s := open(t, Options{FS: files, InlineBytes: 1000, SegmentBytes: 1, ReserveBytes: reserve})
	p := put(t, s, to("a"), body(1, 500))
	begun := func() *Writer {
		w, err := s.Begin(to("a"))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	small, large := begun(), begun()
	files.SetFree(reserve + 100)
	if _, err := s.Begin(Envelope{Recipients: to("a").Recipients, Metadata: make([]byte, 100)}); !errors.Is(err, ErrFull) {
		t.Errorf("begin: %v", err)
	}
	if _, err := small.Write(body(1, 900)); err != nil {
		t.Error(err)
	}
	if _, err := small.Commit(context.Background()); !errors.Is(err, ErrFull) {
		t.Errorf("commit: %v", err)
	}
	if _, err := large.Write(body(1, 1_000_000)); !errors.Is(err, ErrFull) {
		t.Errorf("write: %v", err)
	}
	if err := large.Abort(); err != nil {
		t.Error(err)
	}
	wantBody(t, s, p, body(1, 500))
	s.Ack("a", p)
	if err := s.Maintain(context.Background()); err != nil {
		t.Error(err)
	}
	if disk := s.Stats().DiskBytes; disk != 0 {
		t.Errorf("%d octets left", disk)
	}
	wantNothingLeft(t, s, files)
	files.SetFree(1 << 30)
	put(t, s, to("a"), body(1, 1_000_000))
}

func TestMaxBytes(t *testing.T) {
	s := open(t, Options{FS: disktest.NewMemory(), MaxBytes: 10_000, SegmentBytes: 1, InlineBytes: 1000})
	var stored []Position
	for {
		p, err := tryPut(s, to("a"), body(1, 700))
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, p)
	}
	if disk := s.Stats().DiskBytes; disk > 10_000 || disk < 9_000 {
		t.Errorf("%d octets on disk", disk)
	}
	if _, err := tryPut(s, to("a"), body(1, 50_000)); !errors.Is(err, ErrFull) {
		t.Errorf("long body: %v", err)
	}
	s.Ack("a", stored[0])
	if err := s.Maintain(context.Background()); err != nil {
		t.Error(err)
	}
	put(t, s, to("a"), body(1, 700))
}

// Maintain that fails at some step loses nothing and is done again. A failed
// flush ends it for good.
func TestMaintainFails(t *testing.T) {
	for _, c := range []struct{ op, prefix string }{
		{"create", checkpointName}, {"write", checkpointName}, {"rename", checkpointName},
		{"remove", segmentPrefix}, {"remove", bodyPrefix},
		{"create", segmentPrefix}, {"write", segmentPrefix}, {"rename", segmentPrefix},
	} {
		t.Run(c.op+" "+c.prefix, func(t *testing.T) {
			files := disktest.NewMemory()
			o := Options{Dir: t.TempDir(), FS: files, InlineBytes: 1000, SegmentBytes: 2000, ReserveBytes: 1}
			s := open(t, o)
			var kept []Position
			for i := range 20 {
				p := put(t, s, to("a"), body(uint64(i), 300))
				if i%6 == 5 {
					kept = append(kept, p)
				} else {
					s.Ack("a", p)
				}
			}
			long := put(t, s, to("a"), body(1, 10_000))
			s.Ack("a", long)
			files.SetHook(once(c.op, c.prefix, syscall.ENOSPC))
			if err := s.Maintain(context.Background()); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("got %v", err)
			}
			wantQueue(t, s, "a", kept...)
			for range 2 {
				if err := s.Maintain(context.Background()); err != nil {
					t.Error(err)
				}
			}
			wantTidy(t, s, files)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			s = open(t, o)
			wantQueue(t, s, "a", kept...)
			for i, p := range kept {
				wantBody(t, s, p, body(uint64(i*6+5), 300))
			}
		})
	}
}

// wantTidy checks that the folder holds what the spool knows, and nothing else.
func wantTidy(t *testing.T, s *Spool, files *disktest.Memory) {
	t.Helper()
	names, err := files.Names("")
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, name := range names {
		_, _, isSegment := parseSegmentName(name)
		id, isBody := parseBodyName(name)
		switch {
		case isSegment && s.segments[name] != nil:
		case isBody && slices.ContainsFunc(positionsOf(s), func(p Position) bool { return s.index.records[p].bodyID == id }):
		case name == checkpointName:
			continue
		default:
			t.Errorf("%s is left", name)
		}
		n, err := files.Size(name)
		if err != nil {
			t.Error(err)
		}
		size += n
	}
	if got := s.Stats().DiskBytes; got != size {
		t.Errorf("spool counts %d octets, disk has %d", got, size)
	}
}

func positionsOf(s *Spool) []Position {
	var list []Position
	for p := range s.index.records {
		list = append(list, p)
	}
	return list
}
