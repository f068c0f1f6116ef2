package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"furrow/appliance/disk/disktest"
)

// damageSpool is a small closed spool and what is in it.
type damageSpool struct {
	options  Options
	files    *disktest.Memory
	messages map[Position]damageMessage
}

type damageMessage struct {
	envelope Envelope
	body     []byte
	offset   int64 // of the record in the segment
	extent   int64
	ownFile  string
}

// newDamageSpool stores a few messages of each kind, with one acknowledgment
// ahead of the cursor, so that the checkpoint matters.
func newDamageSpool(t *testing.T) *damageSpool {
	t.Helper()
	d := &damageSpool{
		options:  Options{Dir: t.TempDir(), FS: disktest.NewMemory(), InlineBytes: 40, ReserveBytes: 1},
		messages: map[Position]damageMessage{},
	}
	s := open(t, d.options)
	for i, c := range []struct {
		keys []string
		size int
	}{{[]string{"a", "b"}, 9}, {[]string{"a"}, 70}, {[]string{"b"}, 0}, {[]string{"a", "b"}, 12}, {[]string{"b"}, 5}} {
		m := damageMessage{envelope: to(c.keys...), body: body(uint64(i), c.size)}
		p := put(t, s, m.envelope, m.body)
		r := s.index.records[p]
		m.offset, m.extent = r.offset, r.extent()
		if r.ownFile {
			m.ownFile = bodyName(r.bodyID)
		}
		d.messages[p] = m
	}
	acked := put(t, s, to("a"), []byte("acknowledged"))
	s.Ack("a", acked)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d.files = d.options.FS.(*disktest.Memory)
	return d
}

func (d *damageSpool) file(t *testing.T, prefix string) string {
	t.Helper()
	for _, name := range d.files.Files() {
		if strings.HasPrefix(name, prefix) {
			return name
		}
	}
	t.Fatalf("no file %s", prefix)
	return ""
}

// reopen opens a copy of the spool in which the file name holds data.
func (d *damageSpool) reopen(t *testing.T, name string, data []byte) (*Spool, Report, Options) {
	t.Helper()
	o := d.options
	files := d.files.Clone()
	files.Put(name, data)
	o.FS = files
	s, report, err := Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s, report, o
}

// verify checks that every message but lost is in its queues and can be read,
// and that lost, if any, is named by the report or by reading it. Queues may
// hold extra, too.
func (d *damageSpool) verify(s *Spool, report Report, name string, lost, extra []Position) error {
	queues := map[string][]Position{}
	for _, p := range slices.Sorted(maps.Keys(d.messages)) {
		m := d.messages[p]
		_, data, err := get(s, p)
		named := slices.ContainsFunc(report.Damage, func(x Damage) bool {
			return x.File == name && (x.Position == p || x.Position == 0 && x.Offset <= m.offset && m.offset < x.Offset+x.Bytes)
		})
		if slices.Contains(lost, p) {
			switch {
			case errors.Is(err, ErrGone) && named:
			case errors.Is(err, ErrDamaged) && !named:
			default:
				return fmt.Errorf("lost message %d: read %v, report %+v", p, err, report)
			}
			continue
		}
		if err != nil || !bytes.Equal(data, m.body) || named {
			return fmt.Errorf("message %d: %q, %v, report %+v", p, data, err, report)
		}
		for _, r := range m.envelope.Recipients {
			queues[r.Key] = append(queues[r.Key], p)
		}
	}
	queues["a"] = append(queues["a"], extra...)
	for _, key := range []string{"a", "b"} {
		if got := positions(s, key); !slices.Equal(got, queues[key]) {
			return fmt.Errorf("queue %s: got %v, want %v", key, got, queues[key])
		}
	}
	return nil
}

// settled checks that damage is told once: after Maintain the spool is sound
// and holds the same.
func settled(t *testing.T, s *Spool, o Options) error {
	t.Helper()
	a, b := positions(s, "a"), positions(s, "b")
	if err := s.Maintain(context.Background()); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	again, report, err := Open(o)
	if err != nil {
		return err
	}
	if !report.Sound() {
		return fmt.Errorf("not sound after Maintain: %+v", report)
	}
	if gotA, gotB := positions(again, "a"), positions(again, "b"); !slices.Equal(a, gotA) || !slices.Equal(b, gotB) {
		return fmt.Errorf("after Maintain: %v and %v, before: %v and %v", gotA, gotB, a, b)
	}
	return again.Close()
}

// in lists the messages whose records have an octet in [from, to) of the
// segment.
func (d *damageSpool) in(from, to int64) []Position {
	var list []Position
	for p, m := range d.messages {
		if m.offset < to && from < m.offset+m.extent {
			list = append(list, p)
		}
	}
	return list
}

func TestDamageFlip(t *testing.T) {
	d := newDamageSpool(t)
	for _, prefix := range []string{segmentPrefix, bodyPrefix} {
		name := d.file(t, prefix)
		whole := d.files.Data(name)
		for i := range whole {
			var lost []Position
			if prefix == segmentPrefix {
				lost = d.in(int64(i), int64(i)+1)
			} else {
				lost = d.withOwnFile()
			}
			for bit := range 8 {
				data := bytes.Clone(whole)
				data[i] ^= 1 << bit
				s, report, o := d.reopen(t, name, data)
				err := d.verify(s, report, name, lost, nil)
				if got := s.Stats().Damaged; len(lost) > 0 && got != len(lost) {
					err = errors.Join(err, fmt.Errorf("counted %d damaged, lost %v", got, lost))
				}
				if err == nil && bit == 0 {
					err = settled(t, s, o)
				}
				if err := errors.Join(err, s.Close()); err != nil {
					t.Fatalf("%s, octet %d, bit %d: %v", name, i, bit, err)
				}
			}
		}
	}
}

func (d *damageSpool) withOwnFile() []Position {
	for p, m := range d.messages {
		if m.ownFile != "" {
			return []Position{p}
		}
	}
	return nil
}

func TestDamageCut(t *testing.T) {
	d := newDamageSpool(t)
	for _, prefix := range []string{segmentPrefix, bodyPrefix} {
		name := d.file(t, prefix)
		whole := d.files.Data(name)
		for i := range whole {
			for how, data := range map[string][]byte{"cut": whole[:i], "zeroed": zeroTail(whole, i)} {
				at := differ(whole, data)
				if at == len(whole) {
					continue
				}
				lost := d.in(int64(at), int64(len(whole)))
				if prefix == bodyPrefix {
					lost = d.withOwnFile()
				}
				s, report, o := d.reopen(t, name, bytes.Clone(data))
				err := d.verify(s, report, name, lost, nil)
				if how == "cut" && report.Sound() {
					err = errors.Join(err, errors.New("reported as sound"))
				}
				if err == nil {
					err = settled(t, s, o)
				}
				if err := errors.Join(err, s.Close()); err != nil {
					t.Fatalf("%s, %s at %d: %v", name, how, i, err)
				}
			}
		}
	}
}

// zeroTail is data with zeros from octet i on.
func zeroTail(data []byte, i int) []byte {
	data = bytes.Clone(data)
	clear(data[i:])
	return data
}

// differ returns where b stops being like a.
func differ(a, b []byte) int {
	for i := range b {
		if a[i] != b[i] {
			return i
		}
	}
	return len(b)
}

// Without its checkpoint a spool delivers again what was acknowledged, and
// loses nothing.
func TestDamageCheckpoint(t *testing.T) {
	d := newDamageSpool(t)
	acked := slices.Max(slices.Collect(maps.Keys(d.messages))) + 1
	whole := d.files.Data(checkpointName)
	for i := range whole {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1 << (i % 8)
		for how, data := range map[string][]byte{"cut": bytes.Clone(whole[:i]), "flipped": flipped} {
			s, report, o := d.reopen(t, checkpointName, data)
			err := d.verify(s, report, checkpointName, nil, []Position{acked})
			if report.Checkpoint == nil {
				err = errors.Join(err, errors.New("not reported"))
			}
			if err == nil {
				err = settled(t, s, o)
			}
			if err := errors.Join(err, s.Close()); err != nil {
				t.Fatalf("checkpoint %s at %d: %v", how, i, err)
			}
		}
	}
}

// After damage no position is given out again, so that a cursor cannot hide a
// new message.
func TestDamageDoesNotReusePositions(t *testing.T) {
	d := newDamageSpool(t)
	last := slices.Max(slices.Collect(maps.Keys(d.messages)))
	name := d.file(t, segmentPrefix)
	for i := range d.files.Data(name) {
		data := bytes.Clone(d.files.Data(name))
		clear(data[i:])
		files := d.files.Clone()
		if err := files.Remove(checkpointName); err != nil {
			t.Fatal(err)
		}
		files.Put(name, data)
		o := d.options
		o.FS = files
		s, _, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if p := put(t, s, to("a"), nil); p <= last {
			t.Fatalf("zeroed at %d: position %d is used again", i, p)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A body cannot pose as a record, even one made of the records of another
// segment.
func TestBodyDoesNotPoseAsRecord(t *testing.T) {
	d := newDamageSpool(t)
	forged := bytes.Clone(d.files.Data(d.file(t, segmentPrefix)))
	files := disktest.NewMemory()
	o := Options{Dir: t.TempDir(), FS: files, ReserveBytes: 1}
	s := open(t, o)
	put(t, s, to("victim"), forged)
	last := put(t, s, to("victim"), []byte("last"))
	name := s.current.name
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files.Data(name)[20] ^= 1 // the first header
	s, report := openReport(t, o)
	if len(report.Damage) != 1 {
		t.Errorf("report: %+v", report)
	}
	if queues := maps.Collect(s.Queues()); len(queues) != 1 {
		t.Errorf("queues: %v", queues)
	}
	wantQueue(t, s, "victim", last)
}

// A file that the disk does not give now is kept for another start.
func TestUnreadableSegmentIsKept(t *testing.T) {
	for _, op := range []string{"open", "read", "size"} {
		d := newDamageSpool(t)
		name := d.file(t, segmentPrefix)
		files := d.files.Clone()
		files.SetHook(func(asked, file string) error {
			if asked == op && file == name {
				return errIO
			}
			return nil
		})
		o := d.options
		o.FS = files
		s, report, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Damage) == 0 {
			t.Errorf("%s: reported as sound", op)
		}
		added := put(t, s, to("a"), []byte("new"))
		if err := s.Maintain(context.Background()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		files.SetHook(nil)
		s, report, err = Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.verify(s, report, name, nil, []Position{added}); err != nil {
			t.Errorf("%s: %v", op, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What a later version wrote is not taken for damage.
func TestNewerVersionIsRefused(t *testing.T) {
	d := newDamageSpool(t)
	name := d.file(t, segmentPrefix)
	_, m, _ := parseSegmentName(name)
	data := bytes.Clone(d.files.Data(name))
	newer := (&header{position: 1, envelope: 1}).append(nil, m)
	newer[8] = headerVersion + 1
	copy(data, resum(newer))
	point := bytes.Clone(d.files.Data(checkpointName))
	point[len(checkpointMagic)] = checkpointVersion + 1
	for file, data := range map[string][]byte{name: data, checkpointName: resum(point)} {
		o := d.options
		files := d.files.Clone()
		files.Put(file, data)
		o.FS = files
		if _, _, err := Open(o); !errors.Is(err, ErrNewer) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
