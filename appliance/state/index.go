package state

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Index is a secondary index of a table; like Table it is a face with types.
type Index[R any] struct{ rows *rowIndex }

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
	of := t.rows
	if of.schema.opened {
		of.schema.fail("index %q of table %q declared after Open", name, of.name)
	}
	x := &rowIndex{
		table: of, name: name, id: len(of.indexes), unique: unique,
		keys: func(row any) []string { return keys(*row.(*R)) },
	}
	of.indexes = append(of.indexes, x)
	return &Index[R]{x}
}

// Find returns the rows with this index key in order of their primary keys.
// In a transaction it shows the rows as they were when the loop began.
func (x *Index[R]) Find(r Reader, key string) iter.Seq[R] {
	return func(yield func(R) bool) {
		// Rows of one key are few: collecting them lets the loop change the
		// table without the price of a copy.
		for _, e := range slices.Collect(x.rows.matches(x.rows.table.of(r), key)) {
			if !yield(*e.row.(*R)) {
				return
			}
		}
	}
}

// First returns the row with this index key and the lowest primary key. For a
// unique index it is the only one.
func (x *Index[R]) First(r Reader, key string) (R, bool) {
	return rowOf[R](x.rows.first(r, key))
}

// Range returns the rows with from <= index key < to in order of index key,
// then primary key; an empty to has no upper end. A row with several keys in
// the range comes once for each. In a transaction it shows the rows as they
// were when the loop began.
func (x *Index[R]) Range(r Reader, from, to string) iter.Seq[R] {
	return func(yield func(R) bool) { x.rows.walk(r, from, to, toRows(yield)) }
}

// rowIndex is an Index without its row type.
type rowIndex struct {
	table  *rowTable
	name   string
	id     int // position among the table's indexes
	keys   func(row any) []string
	unique bool
}

func (x *rowIndex) in(rows *tree) *entries { return rows.indexes[x.id] }

func (x *rowIndex) first(r Reader, key string) *entry {
	for e := range x.matches(x.table.of(r), key) {
		return e
	}
	return nil
}

// walk visits the entries with from <= index key < to as they were when it
// began.
func (x *rowIndex) walk(r Reader, from, to string, visit func(*entry) bool) {
	end := escapeKey(to)
	x.in(r.steady(x.table.id)).Ascend(escapeKey(from), func(composite string, e *entry) bool {
		return (to == "" || composite < end) && visit(e)
	})
}

func (x *rowIndex) matches(rows *tree, key string) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		start := indexKey(key, "")
		x.in(rows).Ascend(start, func(composite string, e *entry) bool {
			return strings.HasPrefix(composite, start) && yield(e)
		})
	}
}

// check finds a row other than e with one of e's unique keys.
func (x *rowIndex) check(rows *tree, e *entry) error {
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
func (x *rowIndex) replace(rows *tree, prev, e *entry) {
	keys := x.keys(e.row)
	if prev != nil && !slices.Equal(x.keys(prev.row), keys) {
		x.drop(rows, prev)
	}
	for _, key := range keys {
		x.in(rows).Set(indexKey(key, e.key), e)
	}
}

func (x *rowIndex) drop(rows *tree, e *entry) {
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
