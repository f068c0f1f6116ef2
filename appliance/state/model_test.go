package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The store behaves like a map, with indexes that agree with its rows, through
// transactions, failures, compactions and restarts.
func TestStoreBehavesLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := fastDir(t)
		s, err := tryOpen(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		model := map[string]member{}
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		email := rapid.SampledFrom([]string{"", "1@x", "2@x", "3@x"})
		groups := rapid.SliceOfN(rapid.SampledFrom([]string{"g", "h", "g\x00"}), 0, 2)
		reopen := func() {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = tryOpen(dir, Options{}); err != nil {
				t.Fatal(err)
			}
		}
		boom := errors.New("boom")
		t.Repeat(map[string]func(*rapid.T){
			"update": func(t *rapid.T) {
				next := maps.Clone(model)
				conflict := false
				fail := rapid.Bool().Draw(t, "fail")
				err := s.Update(context.Background(), func(tx *Tx) error {
					for range rapid.IntRange(1, 4).Draw(t, "effects") {
						key := id.Draw(t, "id")
						if rapid.Bool().Draw(t, "delete") {
							_, there := next[key]
							if s.members.Delete(tx, key) != there {
								t.Fatalf("Delete(%s) disagrees", key)
							}
							delete(next, key)
							continue
						}
						row := member{ID: key, Email: email.Draw(t, "email"), Groups: groups.Draw(t, "groups")}
						if taken(next, row) {
							conflict = true
						}
						if err := s.members.Put(tx, row); err != nil {
							return err
						}
						next[key] = row
					}
					if fail {
						return boom
					}
					return nil
				})
				switch {
				case conflict != errors.Is(err, ErrConflict), !conflict && fail != errors.Is(err, boom):
					t.Fatalf("Update = %v", err)
				case err == nil:
					model = next
				}
			},
			"compact": func(t *rapid.T) {
				if err := s.Compact(context.Background()); err != nil {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) { reopen() },
			"":       func(t *rapid.T) { agree(t, s, model) },
		})
		reopen()
		agree(t, s, model)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func taken(model map[string]member, row member) bool {
	for _, m := range model {
		if row.Email != "" && m.Email == row.Email && m.ID != row.ID {
			return true
		}
	}
	return false
}

// agree compares rows and every answer of the indexes with the model.
func agree(t *rapid.T, s testStore, model map[string]member) {
	v := s.Snapshot()
	keys := slices.Sorted(maps.Keys(model))
	if got := ids(s.members.All(v)); !slices.Equal(got, keys) {
		t.Fatalf("rows %v, want %v", got, keys)
	}
	byGroup, byEmail := map[string][]string{}, map[string][]string{}
	entries := 0
	for _, key := range keys {
		m := model[key]
		got, _ := s.members.Get(v, key)
		if fmt.Sprint(got) != fmt.Sprint(m) {
			t.Fatalf("row %v, want %v", got, m)
		}
		for _, g := range slices.Compact(slices.Sorted(slices.Values(m.Groups))) {
			byGroup[g] = append(byGroup[g], key)
			entries++
		}
		if m.Email != "" {
			byEmail[m.Email] = append(byEmail[m.Email], key)
		}
	}
	for _, g := range []string{"g", "h", "g\x00", "none"} {
		if got := ids(s.byGroup.Find(v, g)); !slices.Equal(got, byGroup[g]) {
			t.Fatalf("Find(%q) = %v, want %v", g, got, byGroup[g])
		}
	}
	for _, e := range []string{"1@x", "2@x", "3@x"} {
		if got := ids(s.byEmail.Find(v, e)); !slices.Equal(got, byEmail[e]) {
			t.Fatalf("Find(%q) = %v, want %v", e, got, byEmail[e])
		}
	}
	if got := len(ids(s.byGroup.Range(v, "", ""))); got != entries {
		t.Fatalf("index has %d entries, want %d", got, entries)
	}
}
