package state

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/tidwall/btree"
)

// Index is a secondary index of a table.
type Index[R any] struct {
	table  *Table[R]
	name   string
	id     int // position among the table's indexes
	keys   func(R) []string
	unique bool
}

// DefineIndex declares an index. keys returns the row's index keys, none or
// more, and must depend on the row alone. Indexes are not stored; they are
// built when the store opens.
func DefineIndex[R any](t *Table[R], name string, keys func(R) []string) *Index[R] {
	return defineIndex(t, name, keys, false)
}

// DefineUnique declares an index in which a key belongs to one row at most. A
// Put that would break this fails with ErrConflict.
func DefineUnique[R any](t *Table[R], name string, keys func(R) []string) *Index[R] {
	return defineIndex(t, name, keys, true)
}

func defineIndex[R any](t *Table[R], name string, keys func(R) []string, unique bool) *Index[R] {
	if t.schema.opened {
		t.schema.fail("index %q of table %q declared after Open", name, t.name)
	}
	x := &Index[R]{table: t, name: name, id: len(t.indexes), keys: keys, unique: unique}
	t.indexes = append(t.indexes, x)
	return x
}

// Find returns the rows with this index key in order of their primary keys.
// In a transaction it shows the rows as they were when the loop began.
func (x *Index[R]) Find(r Reader, key string) iter.Seq[R] {
	return func(yield func(R) bool) {
		// Rows of one key are few: collecting them lets the loop change the
		// table without the price of a copy.
		var found []*entry[R]
		for e := range x.matches(x.table.of(r), key) {
			found = append(found, e)
		}
		for _, e := range found {
			if !yield(e.row) {
				return
			}
		}
	}
}

// First returns the row with this index key and the lowest primary key. For a
// unique index it is the only one.
func (x *Index[R]) First(r Reader, key string) (R, bool) {
	for e := range x.matches(x.table.of(r), key) {
		return e.row, true
	}
	var none R
	return none, false
}

// Range returns the rows with from <= index key < to in order of index key,
// then primary key; an empty to has no upper end. A row with several keys in
// the range comes once for each. In a transaction it shows the rows as they
// were when the loop began.
func (x *Index[R]) Range(r Reader, from, to string) iter.Seq[R] {
	return func(yield func(R) bool) {
		rows := r.steady(x.table.id).(*tableTree[R])
		end := escapeKey(to)
		x.in(rows).Ascend(escapeKey(from), func(composite string, e *entry[R]) bool {
			return (to == "" || composite < end) && yield(e.row)
		})
	}
}

func (x *Index[R]) in(rows *tableTree[R]) *btree.Map[string, *entry[R]] {
	return rows.indexes[x.id]
}

func (x *Index[R]) matches(rows *tableTree[R], key string) iter.Seq[*entry[R]] {
	return func(yield func(*entry[R]) bool) {
		start := indexKey(key, "")
		x.in(rows).Ascend(start, func(composite string, e *entry[R]) bool {
			return strings.HasPrefix(composite, start) && yield(e)
		})
	}
}

// check finds a row other than e with one of e's unique keys.
func (x *Index[R]) check(rows *tableTree[R], e *entry[R]) error {
	if !x.unique {
		return nil
	}
	for _, key := range x.keys(e.row) {
		for other := range x.matches(rows, key) {
			if other.key != e.key {
				return fmt.Errorf("index %s: key %q of rows %q and %q: %w", x.name, key, other.key, e.key, ErrConflict)
			}
		}
	}
	return nil
}

// replace puts e in the place of prev, which may be nil. Most changes of a row
// leave its index keys as they are; then the entry alone is exchanged.
func (x *Index[R]) replace(rows *tableTree[R], prev, e *entry[R]) {
	keys := x.keys(e.row)
	if prev != nil && !slices.Equal(x.keys(prev.row), keys) {
		x.drop(rows, prev)
	}
	for _, key := range keys {
		x.in(rows).Set(indexKey(key, e.key), e)
	}
}

func (x *Index[R]) drop(rows *tableTree[R], e *entry[R]) {
	for _, key := range x.keys(e.row) {
		x.in(rows).Delete(indexKey(key, e.key))
	}
}

// indexKey joins an index key and a primary key so that the order of the
// results is the order of the pairs, whatever bytes the keys hold: NUL becomes
// NUL FF, and NUL 01 ends the index key.
func indexKey(key, primary string) string {
	return escapeKey(key) + "\x00\x01" + primary
}

func escapeKey(key string) string {
	return strings.ReplaceAll(key, "\x00", "\x00\xff")
}
