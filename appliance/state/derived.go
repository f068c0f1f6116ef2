package state

import (
	"slices"
	"sync"
)

// Derived keeps what was computed from the rows of tables until one of the
// tables changes. The zero value has nothing yet. It is safe for concurrent
// use.
type Derived[T any] struct {
	mu    sync.Mutex
	from  []*tree // guarded by mu
	value T       // guarded by mu
}

// Source is a table that something is computed from.
type Source interface{ at(v *View) *tree }

func (t *Table[R]) at(v *View) *tree { return t.rows.of(v) }

// Of returns what compute makes of the tables as v shows them. compute runs
// only if one of them is not as it was the last time, and alone. What it
// returned is shared with other callers, who must not change it.
func (d *Derived[T]) Of(v *View, compute func() T, tables ...Source) T {
	from := make([]*tree, len(tables))
	for i, t := range tables {
		from[i] = t.at(v)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(from, d.from) {
		d.value, d.from = compute(), from
	}
	return d.value
}
