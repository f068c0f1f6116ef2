package state

import (
	"errors"
	"fmt"
)

// Schema is the list of tables that a store is opened with. Packages declare
// theirs with Define before Open; a schema serves one store.
type Schema struct {
	tables []*rowTable
	byName map[string]*rowTable
	errs   []error
	opened bool
}

// NewSchema returns a schema without tables.
func NewSchema() *Schema {
	return &Schema{byName: make(map[string]*rowTable)}
}

// rawRow is a row as stored.
type rawRow struct {
	version int
	data    []byte
}

func (s *Schema) add(t *rowTable) {
	switch name, version := t.name, t.version; {
	case s.opened:
		s.fail("table %q declared after Open", name)
	case name == "" || len(name) > maxTableName:
		s.fail("table name %q", name)
	case s.byName[name] != nil:
		s.fail("table %q declared twice", name)
	case version < 1 || version > maxVersion:
		s.fail("table %q has version %d", name, version)
	}
	s.tables = append(s.tables, t)
	s.byName[t.name] = t
}

func (s *Schema) fail(format string, args ...any) {
	s.errs = append(s.errs, fmt.Errorf("%w: "+format, append([]any{ErrSchema}, args...)...))
}

// use claims the schema for one store.
func (s *Schema) use() error {
	if s.opened {
		return fmt.Errorf("%w: used by a second store", ErrSchema)
	}
	s.opened = true
	return errors.Join(s.errs...)
}

// newHead returns an empty state.
func (s *Schema) newHead() *root {
	r := &root{tables: make([]*tree, len(s.tables)), dirty: make([]bool, len(s.tables))}
	for i, t := range s.tables {
		r.tables[i] = newTree(len(t.indexes))
	}
	return r
}
