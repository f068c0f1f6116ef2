package state

import "testing"

func TestDerived(t *testing.T) {
	schema := NewSchema()
	define := func(name string) *Table[string] {
		return Define(schema, name, TableOptions[string]{Version: 1, Key: func(s string) string { return s }})
	}
	words, others := define("words"), define("others")
	store, _, err := Open(t.TempDir(), schema, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	put := func(table *Table[string], row string) {
		t.Helper()
		if err := store.Update(t.Context(), func(tx *Tx) error { return table.Put(tx, row) }); err != nil {
			t.Fatal(err)
		}
	}
	var letters Derived[int]
	computed := 0
	count := func(v *View) int {
		return letters.Of(v, func() (n int) {
			computed++
			for word := range words.All(v) {
				n += len(word)
			}
			return n
		}, words)
	}
	want := func(v *View, n, times int) {
		t.Helper()
		if got := count(v); got != n || computed != times {
			t.Errorf("%d letters, computed %d times; want %d, %d", got, computed, n, times)
		}
	}
	want(store.Snapshot(), 0, 1)
	put(words, "one")
	before := store.Snapshot()
	want(before, 3, 2)
	put(others, "three")
	want(store.Snapshot(), 3, 2)
	put(words, "four")
	want(store.Snapshot(), 7, 3)
	want(store.Snapshot(), 7, 3)
	want(before, 3, 4) // an older view is shown what it shows
}
