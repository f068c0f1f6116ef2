package state

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"furrow/appliance/disk"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := childMain(name); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	// BuntDB's ticker notices within a second that its file was closed; it
	// cannot be waited for.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/tidwall/buntdb.(*DB).backgroundManager"))
}

// member is the row of the tests.
type member struct {
	ID     string
	Email  string   `json:",omitempty"`
	Groups []string `json:",omitempty"`
	N      int      `json:",omitempty"`
}

// testSchema is what most tests open a store with.
type testSchema struct {
	schema  *Schema
	members *Table[member]
	byEmail *Index[member] // unique
	byGroup *Index[member]
	notes   *Table[note]
}

type note struct{ ID, Text string }

func newTestSchema() testSchema {
	s := testSchema{schema: NewSchema()}
	s.members = Define(s.schema, "member", TableOptions[member]{Version: 1, Key: func(m member) string { return m.ID }})
	s.byEmail = DefineUnique(s.members, "email", func(m member) []string {
		if m.Email == "" {
			return nil
		}
		return []string{m.Email}
	})
	s.byGroup = DefineIndex(s.members, "group", func(m member) []string { return m.Groups })
	s.notes = Define(s.schema, "note", TableOptions[note]{Version: 1, Key: func(n note) string { return n.ID }})
	return s
}

// testStore is an open store and its schema.
type testStore struct {
	testSchema
	*Store
	report *Report
}

func tryOpen(dir string, opts Options) (testStore, error) {
	ts := newTestSchema()
	store, report, err := Open(dir, ts.schema, opts)
	return testStore{ts, store, report}, err
}

func openStore(t testing.TB, dir string, opts Options) testStore {
	t.Helper()
	s, err := tryOpen(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s testStore) put(rows ...member) error {
	return s.Update(context.Background(), func(tx *Tx) error {
		for _, row := range rows {
			if err := s.members.Put(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s testStore) mustPut(t testing.TB, rows ...member) {
	t.Helper()
	if err := s.put(rows...); err != nil {
		t.Fatal(err)
	}
}

func ids(rows iter.Seq[member]) []string {
	var got []string
	for m := range rows {
		got = append(got, m.ID)
	}
	return got
}

// dump is a state as text, for comparison.
func (s testStore) dump() string {
	v := s.Snapshot()
	text := fmt.Sprintln(v.root.sequence, v.root.stamp)
	for m := range s.members.All(v) {
		text += fmt.Sprintln(m)
	}
	for n := range s.notes.All(v) {
		text += fmt.Sprintln(n)
	}
	return text
}

// copyDir copies the files of a state folder.
func copyDir(t testing.TB, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, e.Name()), data, disk.FileMode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestRowsSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	if s.report.Generation != 1 || s.report.Torn != nil || s.report.Recovery != nil {
		t.Fatalf("report of a new store: %+v", s.report)
	}
	s.mustPut(t, member{ID: "a", Email: "a@x", Groups: []string{"g", "h"}}, member{ID: "b", Groups: []string{"g"}})
	s.mustPut(t, member{ID: "a", Email: "z@x", Groups: []string{"h"}})
	s.mustPut(t, member{ID: "c"})
	err := s.Update(context.Background(), func(tx *Tx) error {
		if !s.members.Delete(tx, "c") || s.members.Delete(tx, "c") {
			t.Error("Delete reports wrongly")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(s testStore) {
		t.Helper()
		v := s.Snapshot()
		if got := ids(s.members.All(v)); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("rows %v", got)
		}
		if m, ok := s.byEmail.First(v, "z@x"); !ok || m.ID != "a" {
			t.Errorf("First = %v, %v", m, ok)
		}
		if _, ok := s.byEmail.First(v, "a@x"); ok {
			t.Error("replaced row still in the index")
		}
		if got := ids(s.byGroup.Find(v, "g")); !slices.Equal(got, []string{"b"}) {
			t.Errorf("Find(g) = %v", got)
		}
		if v.Sequence() != 4 {
			t.Errorf("sequence %d", v.Sequence())
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check(openStore(t, dir, Options{}))
}

func TestFailedTransactionLeavesNothing(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	s.mustPut(t, member{ID: "a", Email: "a@x", N: 1})
	before := s.dump()
	boom := errors.New("boom")
	tests := map[string]struct {
		fn   func(tx *Tx) error
		want error
	}{
		"error": {func(tx *Tx) error {
			return errors.Join(boom, s.members.Put(tx, member{ID: "a", N: 2}), s.members.Put(tx, member{ID: "b"}))
		}, boom},
		"conflict that the caller overlooks": {func(tx *Tx) error {
			s.members.Delete(tx, "zzz")
			_ = s.members.Put(tx, member{ID: "b"})
			_ = s.members.Put(tx, member{ID: "c", Email: "a@x"})
			return nil
		}, ErrConflict},
		"empty key":         {func(tx *Tx) error { return s.members.Put(tx, member{}) }, ErrKey},
		"line break in key": {func(tx *Tx) error { return s.members.Put(tx, member{ID: "a\r\n*3"}) }, ErrKey},
		"long key": {func(tx *Tx) error {
			return s.members.Put(tx, member{ID: string(make([]byte, maxKeyBytes+1))})
		}, ErrKey},
		"too large": {func(tx *Tx) error {
			tx.value = append(tx.value, make([]byte, maxBodyBytes-100)...) // as after many changes
			return s.notes.Put(tx, note{ID: "a", Text: strings.Repeat("x", 100)})
		}, ErrTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := s.Update(context.Background(), test.fn); !errors.Is(err, test.want) {
				t.Errorf("Update = %v, want %v", err, test.want)
			}
			if got := s.dump(); got != before {
				t.Errorf("state changed to %s", got)
			}
		})
	}
	t.Run("panic", func(t *testing.T) {
		defer func() {
			if recover() != "boom" {
				t.Error("panic was swallowed")
			}
			s.mustPut(t, member{ID: "after"}) // the lock is free and the head clean
			if got := ids(s.members.All(s.Snapshot())); !slices.Equal(got, []string{"a", "after"}) {
				t.Errorf("rows %v", got)
			}
		}()
		_ = s.Update(context.Background(), func(tx *Tx) error {
			_ = s.members.Put(tx, member{ID: "lost"})
			panic("boom")
		})
	})
}

func TestTransactionSeesItsOwnChanges(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	s.mustPut(t, member{ID: "a", Groups: []string{"g"}}, member{ID: "b", Groups: []string{"g"}})
	old := s.Snapshot()
	err := s.Update(context.Background(), func(tx *Tx) error {
		for m := range s.byGroup.Find(tx, "g") { // changes the index it walks
			s.members.Delete(tx, m.ID)
			if err := s.members.Put(tx, member{ID: m.ID + "2", Groups: []string{"g"}}); err != nil {
				return err
			}
		}
		for m := range s.members.All(tx) {
			m.N = 7
			if err := s.members.Put(tx, m); err != nil {
				return err
			}
		}
		if m, ok := s.members.Get(tx, "a2"); !ok || m.N != 7 {
			t.Errorf("Get(a2) = %v, %v", m, ok)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(s.byGroup.Find(s.Snapshot(), "g")); !slices.Equal(got, []string{"a2", "b2"}) {
		t.Errorf("after: %v", got)
	}
	if got := ids(s.members.All(old)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("old snapshot changed: %v", got)
	}
}

func TestRowsAreNotSharedWithTheWriter(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	groups := []string{"g"}
	s.mustPut(t, member{ID: "a", Groups: groups})
	groups[0] = "changed"
	if m, _ := s.members.Get(s.Snapshot(), "a"); m.Groups[0] != "g" {
		t.Errorf("row shows %q", m.Groups[0])
	}
}

func TestIndexKeysOfAnyBytes(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	keys := []string{"", "\x00", "\x00\x01", "\x00\u00ff", "a", "a\x00", "a\x00\x01b", "ab", "b"}
	for i, key := range keys {
		s.mustPut(t, member{ID: fmt.Sprint(i), Groups: []string{key}})
	}
	v := s.Snapshot()
	for i, key := range keys {
		if got := ids(s.byGroup.Find(v, key)); !slices.Equal(got, []string{fmt.Sprint(i)}) {
			t.Errorf("Find(%q) = %v", key, got)
		}
		if got := ids(s.byGroup.Range(v, key, "")); len(got) != len(keys)-i {
			t.Errorf("Range(%q, end) = %v", key, got)
		}
		if got := ids(s.byGroup.Range(v, "", key)); key != "" && len(got) != i {
			t.Errorf("Range(start, %q) = %v", key, got)
		}
	}
}

func TestIndexKeyKeepsTheOrderOfPairs(t *testing.T) {
	parts := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00\xff", "ab", "\xff"}
	var before string
	for _, key := range parts {
		for _, primary := range parts[1:] {
			if got := indexKey(key, primary); got <= before && before != "" {
				t.Errorf("%q, %q sorts before its predecessor", key, primary)
			} else {
				before = got
			}
		}
	}
}
