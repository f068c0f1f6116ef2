package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A snapshot opens as the state that it was taken of, whatever came after, and carries the tables of a newer binary.
func TestSnapshotOpensElsewhere(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	for _, id := range []string{"1", "2", "3"} {
		s.mustPut(t, member{ID: id, Email: id + "@example.com"})
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(tx *Tx) error {
		tx.NextStamp(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
		return s.notes.Put(tx, note{"n", "text"})
	})
	if err != nil {
		t.Fatal(err)
	}
	want, view := s.dump(), s.Snapshot()
	s.mustPut(t, member{ID: "later"})
	var first, second bytes.Buffer
	if err := errors.Join(s.WriteSnapshot(&first, view), s.WriteSnapshot(&second, view)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("one view, two different files")
	}

	// Through a binary that knows no notes.
	older := snapshotFolder(t, first.Bytes())
	schema := NewSchema()
	members := Define(schema, "member", TableOptions[member]{Version: 1, Key: func(m member) string { return m.ID }})
	o, _, err := Open(older, schema, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := members.Len(o.Snapshot()); n != 3 {
		t.Errorf("%d members", n)
	}
	var through bytes.Buffer
	if err := errors.Join(o.WriteSnapshot(&through, o.Snapshot()), o.Close()); err != nil {
		t.Fatal(err)
	}

	c := openStore(t, snapshotFolder(t, through.Bytes()), Options{})
	if got := c.dump(); got != want || c.report.Torn != nil || c.report.Recovery != nil {
		t.Errorf("got\n%s\nwant\n%s\n%+v", got, want, c.report)
	}
	c.mustPut(t, member{ID: "4"})
	if c.Snapshot().Sequence() != view.Sequence()+1 {
		t.Errorf("sequence %d after %d", c.Snapshot().Sequence(), view.Sequence())
	}
}

func snapshotFolder(t *testing.T, data []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, SnapshotFile()), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
