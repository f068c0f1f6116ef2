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
type Table[R any] struct {
	name    string
	id      int // position in the schema
	schema  *Schema
	opts    TableOptions[R]
	indexes []*Index[R]
}

// Define declares a table; Open reports wrong declarations. The name is part
// of the stored form.
func Define[R any](s *Schema, name string, opts TableOptions[R]) *Table[R] {
	t := &Table[R]{name: name, id: len(s.tables), schema: s, opts: opts}
	if opts.Key == nil {
		s.fail("table %q has no key function", name)
	}
	s.add(name, opts.Version, t)
	return t
}

func (t *Table[R]) of(r Reader) *tableTree[R] {
	return r.current().tables[t.id].(*tableTree[R])
}

// Get returns the row with this primary key.
func (t *Table[R]) Get(r Reader, key string) (R, bool) {
	if e, ok := t.of(r).byKey.Get(key); ok {
		return e.row, true
	}
	var none R
	return none, false
}

// Len returns the number of rows.
func (t *Table[R]) Len(r Reader) int { return t.of(r).rows() }

// All returns the rows in order of their keys. In a transaction it shows the
// rows as they were when the loop began.
func (t *Table[R]) All(r Reader) iter.Seq[R] { return t.Range(r, "", "") }

// Range returns the rows with from <= key < to in order of their keys; an
// empty to has no upper end. In a transaction it shows the rows as they were
// when the loop began.
func (t *Table[R]) Range(r Reader, from, to string) iter.Seq[R] {
	return func(yield func(R) bool) {
		rows := r.steady(t.id).(*tableTree[R]).byKey
		rows.Ascend(from, func(key string, e *entry[R]) bool {
			return (to == "" || key < to) && yield(e.row)
		})
	}
}

// Put inserts row, or replaces the row with its key. On an error (ErrConflict,
// ErrKey, ErrTooLarge, or from the JSON encoding) nothing changed and the
// transaction is doomed: Update will return that error.
func (t *Table[R]) Put(tx *Tx, row R) error {
	if err := t.put(tx, row); err != nil {
		return tx.fail(fmt.Errorf("put in table %s: %w", t.name, err))
	}
	return nil
}

func (t *Table[R]) put(tx *Tx, row R) error {
	data, err := json.Marshal(row)
	if err != nil {
		return err
	}
	// The row kept is the decoded one: what readers see is what a restart
	// will show, and the caller may go on changing its own.
	e := new(entry[R])
	if err := json.Unmarshal(data, &e.row); err != nil {
		return err
	}
	e.key = t.opts.Key(e.row)
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
	tx.value = appendPut(tx.value, t.name, t.opts.Version, e.key, data)
	return nil
}

// Delete removes the row with this key and reports whether there was one.
func (t *Table[R]) Delete(tx *Tx, key string) bool {
	if _, ok := t.of(tx).byKey.Get(key); !ok {
		return false
	}
	if err := tx.room(len(t.name) + len(key)); err != nil {
		_ = tx.fail(fmt.Errorf("delete from table %s: %w", t.name, err)) // Update returns it
		return true
	}
	prev := t.remove(tx.head, key)
	tx.log = append(tx.log, undo{table: t, key: key, prev: prev})
	tx.value = appendDelete(tx.value, t.name, key)
	return true
}

// set stores e with its index keys and returns the entry it replaced.
func (t *Table[R]) set(r *root, e *entry[R]) *entry[R] {
	r.dirty[t.id] = true
	rows := r.tables[t.id].(*tableTree[R])
	prev, _ := rows.byKey.Set(e.key, e)
	for _, index := range t.indexes {
		index.replace(rows, prev, e)
	}
	return prev
}

func (t *Table[R]) remove(r *root, key string) *entry[R] {
	r.dirty[t.id] = true
	rows := r.tables[t.id].(*tableTree[R])
	prev, ok := rows.byKey.Delete(key)
	if !ok {
		return nil
	}
	for _, index := range t.indexes {
		index.drop(rows, prev)
	}
	return prev
}

func (t *Table[R]) tableName() string { return t.name }

func (t *Table[R]) newTree() tree { return newTableTree[R](len(t.indexes)) }

func (t *Table[R]) restore(r *root, key string, prev any) {
	if e := prev.(*entry[R]); e != nil {
		t.set(r, e)
	} else {
		t.remove(r, key)
	}
}

func (t *Table[R]) load(into tree, key string, raw rawRow) (upgraded bool, err error) {
	e := &entry[R]{key: key}
	switch {
	case raw.version > t.opts.Version:
		return false, fmt.Errorf("table %s: row of version %d, this binary knows %d: %w",
			t.name, raw.version, t.opts.Version, ErrNewer)
	case raw.version == t.opts.Version:
		err = json.Unmarshal(raw.data, &e.row)
	case t.opts.Upgrade == nil:
		err = fmt.Errorf("no upgrade from version %d", raw.version)
	default:
		upgraded = true
		e.row, err = t.opts.Upgrade(raw.version, raw.data)
	}
	if err == nil && t.opts.Key(e.row) != key {
		err = fmt.Errorf("decodes to a row with key %q", t.opts.Key(e.row))
	}
	if err != nil {
		return false, fmt.Errorf("table %s, row %q: %w: %w", t.name, key, ErrSchema, err)
	}
	into.(*tableTree[R]).byKey.Set(key, e)
	return upgraded, nil
}

func (t *Table[R]) buildIndexes(into tree) (err error) {
	rows := into.(*tableTree[R])
	rows.byKey.Scan(func(_ string, e *entry[R]) bool {
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

func (t *Table[R]) encode(from tree, visit func(key string, version int, data []byte) error) (err error) {
	from.(*tableTree[R]).byKey.Scan(func(key string, e *entry[R]) bool {
		var data []byte
		if data, err = json.Marshal(e.row); err == nil {
			err = visit(key, t.opts.Version, data)
		}
		return err == nil
	})
	return err
}
