package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gadget is a row of which version 1 had another form.
type gadget struct{ ID, Name string }

func gadgetSchema(version int, upgrade func(int, []byte) (gadget, error)) (*Schema, *Table[gadget]) {
	schema := NewSchema()
	return schema, Define(schema, "gadget", TableOptions[gadget]{
		Version: version, Key: func(g gadget) string { return g.ID }, Upgrade: upgrade,
	})
}

// upper is the upgrade of the tests; version 2 has upper-case names.
func upper(from int, data []byte) (gadget, error) {
	var g gadget
	err := json.Unmarshal(data, &g)
	g.Name = strings.ToUpper(g.Name)
	return g, err
}

// withGadget returns a folder with one gadget of version 1.
func withGadget(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	schema, gadgets := gadgetSchema(1, nil)
	s, _, err := Open(dir, schema, Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(context.Background(), func(tx *Tx) error { return gadgets.Put(tx, gadget{"1", "lamp"}) })
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestUpgrade(t *testing.T) {
	dir := withGadget(t)
	for _, upgraded := range []int{1, 0} { // once only: Open writes the new form
		schema, gadgets := gadgetSchema(2, upper)
		s, report, err := Open(dir, schema, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if g, _ := gadgets.Get(s.Snapshot(), "1"); g.Name != "LAMP" || report.Upgraded != upgraded {
			t.Errorf("row %v, report %+v", g, report)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	old, _ := gadgetSchema(1, nil)
	if _, _, err := Open(dir, old, Options{}); !errors.Is(err, ErrNewer) {
		t.Fatalf("the older binary opens newer rows: %v", err)
	}
	if err := RollBack(dir); err != nil {
		t.Fatal(err)
	}
	old, gadgets := gadgetSchema(1, nil)
	s, report, err := Open(dir, old, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if g, _ := gadgets.Get(s.Snapshot(), "1"); g.Name != "lamp" || report.Recovery != nil {
		t.Errorf("rolled back: %v, %+v", g, report)
	}
	if err := RollBack(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("RollBack of an open store = %v", err)
	}
}

// TestRollBackTwice keeps what each roll-back gave up.
func TestRollBackTwice(t *testing.T) {
	dir := withGadget(t)
	for range 3 {
		schema, gadgets := gadgetSchema(2, upper)
		s, _, err := Open(dir, schema, Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(t.Context(), func(tx *Tx) error { return gadgets.Put(tx, gadget{ID: "2", Name: "GIVEN UP"}) })
		if err := errors.Join(err, s.Close(), RollBack(dir)); err != nil {
			t.Fatal(err)
		}
		old, gadgets := gadgetSchema(1, nil)
		s, _, err = Open(dir, old, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n := gadgets.Len(s.Snapshot()); n != 1 {
			t.Errorf("%d rows after the roll-back", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var kept []string
	for name := range folder(t, dir) {
		if strings.HasSuffix(name, rolledBackSuffix) {
			kept = append(kept, name)
		}
	}
	if slices.Sort(kept); len(kept) != 3 {
		t.Errorf("kept %q", kept)
	}
}

func TestRollBackWithoutAnUpgrade(t *testing.T) {
	if err := RollBack(withGadget(t)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("RollBack = %v", err)
	}
}

func TestRowsThatDoNotFit(t *testing.T) {
	boom := errors.New("boom")
	tests := map[string]struct {
		upgrade func(int, []byte) (gadget, error)
		want    error
	}{
		"no upgrade":    {nil, ErrSchema},
		"upgrade fails": {func(int, []byte) (gadget, error) { return gadget{}, boom }, boom},
		"key changes":   {func(int, []byte) (gadget, error) { return gadget{ID: "2"}, nil }, ErrSchema},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := withGadget(t)
			schema, _ := gadgetSchema(2, test.upgrade)
			if _, _, err := Open(dir, schema, Options{}); !errors.Is(err, test.want) {
				t.Errorf("Open = %v, want %v", err, test.want)
			}
			old, _ := gadgetSchema(1, nil) // nothing was changed
			s, _, err := Open(dir, old, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestUnknownTablesAreKept(t *testing.T) {
	dir := withGadget(t)
	s := openStore(t, dir, Options{}) // does not declare gadgets
	if !slices.Equal(s.report.Unknown, []string{"gadget"}) {
		t.Errorf("report %+v", s.report)
	}
	for i := range 5 { // until no file of the first binary is left
		s.mustPut(t, member{ID: fmt.Sprint(i)})
		if err := s.Compact(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	schema, gadgets := gadgetSchema(1, nil)
	back, report, err := Open(dir, schema, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if g, _ := gadgets.Get(back.Snapshot(), "1"); g.Name != "lamp" || !slices.Equal(report.Unknown, []string{"member"}) {
		t.Errorf("row %v, report %+v", g, report)
	}
	if err := back.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNewUniqueIndexOverOldRows(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	s.mustPut(t, member{ID: "a", N: 1}, member{ID: "b", N: 1})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ts := newTestSchema()
	DefineUnique(ts.members, "n", func(m member) []string { return []string{fmt.Sprint(m.N)} })
	if _, _, err := Open(dir, ts.schema, Options{}); !errors.Is(err, ErrConflict) {
		t.Errorf("Open = %v", err)
	}
}

func TestWrongDeclarations(t *testing.T) {
	key := func(g gadget) string { return g.ID }
	tests := map[string]func(s *Schema){
		"twice": func(s *Schema) {
			Define(s, "a", TableOptions[gadget]{Version: 1, Key: key})
			Define(s, "a", TableOptions[gadget]{Version: 1, Key: key})
		},
		"no name":    func(s *Schema) { Define(s, "", TableOptions[gadget]{Version: 1, Key: key}) },
		"no version": func(s *Schema) { Define(s, "a", TableOptions[gadget]{Key: key}) },
		"no key":     func(s *Schema) { Define(s, "a", TableOptions[gadget]{Version: 1}) },
	}
	for name, declare := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			s := NewSchema()
			declare(s)
			if _, _, err := Open(dir, s, Options{}); !errors.Is(err, ErrSchema) {
				t.Errorf("Open = %v", err)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("folder was touched: %v", err)
			}
		})
	}
	t.Run("used twice", func(t *testing.T) {
		s := openStore(t, t.TempDir(), Options{})
		if _, _, err := Open(t.TempDir(), s.testSchema.schema, Options{}); !errors.Is(err, ErrSchema) {
			t.Errorf("Open = %v", err)
		}
	})
}
