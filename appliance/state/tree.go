package state

import "github.com/tidwall/btree"

// root is one state of all tables. The head root is changed by transactions
// under the store's mutex; every other root is immutable.
type root struct {
	tables   []tree // by table position in the schema
	dirty    []bool // tables changed since the last snapshot; head only
	sequence uint64 // of the last transaction applied
	stamp    int64  // highest stamp given out, milliseconds since 1970
}

// tree holds one table's rows and indexes. Copies share nodes until one of
// them changes.
type tree interface {
	copy() tree
	rows() int
}

// entry keeps a row behind a pointer: copying a node of the tree then copies
// words, whatever the size of a row.
type entry[R any] struct {
	key string
	row R
}

type tableTree[R any] struct {
	byKey   *btree.Map[string, *entry[R]]
	indexes []*btree.Map[string, *entry[R]] // by composite key, see indexKey
}

func newTableTree[R any](indexes int) *tableTree[R] {
	t := &tableTree[R]{byKey: new(btree.Map[string, *entry[R]])}
	for range indexes {
		t.indexes = append(t.indexes, new(btree.Map[string, *entry[R]]))
	}
	return t
}

func (t *tableTree[R]) copy() tree {
	c := &tableTree[R]{byKey: t.byKey.Copy(), indexes: make([]*btree.Map[string, *entry[R]], len(t.indexes))}
	for i, index := range t.indexes {
		c.indexes[i] = index.Copy()
	}
	return c
}

func (t *tableTree[R]) rows() int { return t.byKey.Len() }

// snapshot returns an immutable copy of the head. Tables that did not change
// since last, the snapshot before, are shared with it.
func (r *root) snapshot(last *root) *root {
	s := &root{tables: make([]tree, len(r.tables)), sequence: r.sequence, stamp: r.stamp}
	for i, t := range r.tables {
		if last != nil && !r.dirty[i] {
			s.tables[i] = last.tables[i]
			continue
		}
		s.tables[i] = t.copy()
		r.dirty[i] = false
	}
	return s
}

// undo is what one effect replaced.
type undo struct {
	table tableDef // nil: a stamp
	key   string
	prev  any // *entry[R], nil if there was none
	stamp int64
}

// revert takes the effects back, newest first.
func (r *root) revert(log []undo) {
	for i := len(log) - 1; i >= 0; i-- {
		if u := log[i]; u.table == nil {
			r.stamp = u.stamp
		} else {
			u.table.restore(r, u.key, u.prev)
		}
	}
}
