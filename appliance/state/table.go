package state

import (
	"encoding/json"
	"fmt"
	"iter"
)

// TableOptions describe a table of rows R.
type TableOptions[R any] struct {
	// Version of R's JSON form, 1 or higher; raised when an older form no
	// longer decodes to the right row.
	Version int
	// Key returns the primary key of a row. It must depend on the row alone
	// and stay the same across versions. Keys hold no CR or LF.
	Key func(R) string
	// Upgrade turns a row stored with version from, lower than Version, into
	// one of today. Needed once Version is above 1.
	Upgrade func(from int, data []byte) (R, error)
}

// Table is a typed table of a store. Its rows are stored as JSON, and a row
// read back is what its JSON decodes to, before a restart as after it.
//
// It is a face of rowTable with types. What it does is there and not here,
// because the compiler makes what is here anew for each row type, in every
// package that uses one.
type Table[R any] struct{ rows *rowTable }

// Define declares a table; Open reports wrong declarations. The name is part
// of the stored form.
func Define[R any](s *Schema, name string, opts TableOptions[R]) *Table[R] {
	t := &rowTable{
		name: name, version: opts.Version, id: len(s.tables), schema: s,
		fresh: func() any { return new(R) },
		key:   func(row any) string { return opts.Key(*row.(*R)) },
	}
	if opts.Upgrade != nil {
		t.upgrade = func(from int, data []byte) (any, error) {
			row, err := opts.Upgrade(from, data)
			return &row, err
		}
	}
	if opts.Key == nil {
		s.fail("table %q has no key function", name)
	}
	s.add(t)
	return &Table[R]{t}
}

// Get returns the row with this primary key.
func (t *Table[R]) Get(r Reader, key string) (R, bool) {
	return rowOf[R](t.rows.get(r, key))
}

// Len returns the number of rows.
func (t *Table[R]) Len(r Reader) int { return t.rows.of(r).byKey.Len() }

// All returns the rows in order of their keys. In a transaction it shows the
// rows as they were when the loop began.
func (t *Table[R]) All(r Reader) iter.Seq[R] { return t.Range(r, "", "") }

// Range returns the rows with from <= key < to in order of their keys; an
// empty to has no upper end. In a transaction it shows the rows as they were
// when the loop began.
func (t *Table[R]) Range(r Reader, from, to string) iter.Seq[R] {
	return func(yield func(R) bool) { t.rows.walk(r, from, to, toRows(yield)) }
}

// Put inserts row, or replaces the row with its key. On an error (ErrConflict,
// ErrKey, ErrTooLarge, or from the JSON encoding) nothing changed and the
// transaction is doomed: Update will return that error.
func (t *Table[R]) Put(tx *Tx, row R) error { return t.rows.put(tx, &row) }

// Delete removes the row with this key and reports whether there was one.
func (t *Table[R]) Delete(tx *Tx, key string) bool { return t.rows.remove(tx, key) }

// rowOf is the row of an entry, or none of nil.
func rowOf[R any](e *entry) (row R, ok bool) {
	if e == nil {
		return row, false
	}
	return *e.row.(*R), true
}

// toRows makes a visitor of entries from one of rows.
func toRows[R any](yield func(R) bool) func(*entry) bool {
	return func(e *entry) bool { return yield(*e.row.(*R)) }
}

// rowTable is a Table without its row type. A row is a pointer to one here.
type rowTable struct {
	name    string
	version int
	id      int // position in the schema
	schema  *Schema
	indexes []*rowIndex
	fresh   func() any // a row to decode into
	key     func(row any) string
	upgrade func(from int, data []byte) (row any, err error) // may be nil
}

func (t *rowTable) of(r Reader) *tree { return r.current().tables[t.id] }

func (t *rowTable) get(r Reader, key string) *entry {
	e, _ := t.of(r).byKey.Get(key)
	return e
}

// walk visits the entries with from <= key < to as they were when it began.
func (t *rowTable) walk(r Reader, from, to string, visit func(*entry) bool) {
	r.steady(t.id).byKey.Ascend(from, func(key string, e *entry) bool {
		return (to == "" || key < to) && visit(e)
	})
}

func (t *rowTable) put(tx *Tx, row any) error {
	if err := t.stage(tx, row); err != nil {
		return tx.fail(fmt.Errorf("put in table %s: %w", t.name, err))
	}
	return nil
}

func (t *rowTable) stage(tx *Tx, row any) error {
	data, err := json.Marshal(row)
	if err != nil {
		return err
	}
	// The row kept is the decoded one: what readers see is what a restart
	// will show, and the caller may go on changing its own.
	e := &entry{row: t.fresh()}
	if err := json.Unmarshal(data, e.row); err != nil {
		return err
	}
	e.key = t.key(e.row)
	if err := checkKey(e.key); err != nil {
		return err
	}
	if err := tx.room(len(t.name) + len(e.key) + len(data)); err != nil {
		return err
	}
	rows := t.of(tx)
	for _, index := range t.indexes {
		if err := index.check(rows, e); err != nil {
			return err
		}
	}
	prev := t.set(tx.head, e)
	tx.log = append(tx.log, undo{table: t, key: e.key, prev: prev})
	tx.value = appendPut(tx.value, t.name, t.version, e.key, data)
	return nil
}

func (t *rowTable) remove(tx *Tx, key string) bool {
	if t.get(tx, key) == nil {
		return false
	}
	if err := tx.room(len(t.name) + len(key)); err != nil {
		_ = tx.fail(fmt.Errorf("delete from table %s: %w", t.name, err)) // Update returns it
		return true
	}
	prev := t.drop(tx.head, key)
	tx.log = append(tx.log, undo{table: t, key: key, prev: prev})
	tx.value = appendDelete(tx.value, t.name, key)
	return true
}

// set stores e with its index keys and returns the entry it replaced.
func (t *rowTable) set(r *root, e *entry) *entry {
	r.dirty[t.id] = true
	rows := r.tables[t.id]
	prev, _ := rows.byKey.Set(e.key, e)
	for _, index := range t.indexes {
		index.replace(rows, prev, e)
	}
	return prev
}

// drop removes an entry with its index keys and returns it.
func (t *rowTable) drop(r *root, key string) *entry {
	r.dirty[t.id] = true
	rows := r.tables[t.id]
	prev, ok := rows.byKey.Delete(key)
	if !ok {
		return nil
	}
	for _, index := range t.indexes {
		index.drop(rows, prev)
	}
	return prev
}

// restore puts prev, or nothing, back under key.
func (t *rowTable) restore(r *root, key string, prev *entry) {
	if prev != nil {
		t.set(r, prev)
	} else {
		t.drop(r, key)
	}
}

// load decodes a stored row into a tree, without its index keys.
func (t *rowTable) load(into *tree, key string, raw rawRow) (upgraded bool, err error) {
	e := &entry{key: key}
	switch {
	case raw.version > t.version:
		return false, fmt.Errorf("table %s: row of version %d, this binary knows %d: %w",
			t.name, raw.version, t.version, ErrNewer)
	case raw.version == t.version:
		e.row = t.fresh()
		err = json.Unmarshal(raw.data, e.row)
	case t.upgrade == nil:
		err = fmt.Errorf("no upgrade from version %d", raw.version)
	default:
		upgraded = true
		e.row, err = t.upgrade(raw.version, raw.data)
	}
	if err == nil && t.key(e.row) != key {
		err = fmt.Errorf("decodes to a row with key %q", t.key(e.row))
	}
	if err != nil {
		return false, fmt.Errorf("table %s, row %q: %w: %w", t.name, key, ErrSchema, err)
	}
	into.byKey.Set(key, e)
	return upgraded, nil
}

// buildIndexes fills a tree's indexes from its rows.
func (t *rowTable) buildIndexes(rows *tree) (err error) {
	rows.byKey.Scan(func(_ string, e *entry) bool {
		for _, index := range t.indexes {
			if err = index.check(rows, e); err != nil {
				err = fmt.Errorf("table %s: %w", t.name, err)
				return false
			}
			index.replace(rows, nil, e)
		}
		return true
	})
	return err
}

// encode visits a tree's rows in key order as they are stored.
func (t *rowTable) encode(rows *tree, visit func(key string, version int, data []byte) error) (err error) {
	rows.byKey.Scan(func(key string, e *entry) bool {
		var data []byte
		if data, err = json.Marshal(e.row); err == nil {
			err = visit(key, t.version, data)
		}
		return err == nil
	})
	return err
}
