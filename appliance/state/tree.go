package state

import "github.com/tidwall/btree"

// root is one state of all tables. The head root is changed by transactions
// under the store's mutex; every other root is immutable.
type root struct {
	tables   []*tree // by table position in the schema
	dirty    []bool  // tables changed since the last snapshot; head only
	sequence uint64  // of the last transaction applied
	stamp    int64   // highest stamp given out, milliseconds since 1970
}

// entry is a row in a tree, which holds it behind a pointer: copying a node of
// the tree then copies words, whatever the size of a row.
type entry struct {
	key string
	row any // *R of a Table[R]
}

// entries are kept in order of a key.
type entries = btree.Map[string, *entry]

// tree holds one table's rows and indexes. Copies share nodes until one of
// them changes.
type tree struct {
	byKey   *entries
	indexes []*entries // by composite key, see indexKey
}

func newTree(indexes int) *tree {
	t := &tree{byKey: new(entries)}
	for range indexes {
		t.indexes = append(t.indexes, new(entries))
	}
	return t
}

func (t *tree) copy() *tree {
	c := &tree{byKey: t.byKey.Copy(), indexes: make([]*entries, len(t.indexes))}
	for i, index := range t.indexes {
		c.indexes[i] = index.Copy()
	}
	return c
}

// snapshot returns an immutable copy of the head. Tables that did not change
// since last, the snapshot before, are shared with it.
func (r *root) snapshot(last *root) *root {
	s := &root{tables: make([]*tree, len(r.tables)), sequence: r.sequence, stamp: r.stamp}
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
	table *rowTable // nil: a stamp
	key   string
	prev  *entry // nil if there was none
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
