package state

import (
	"errors"
	"fmt"
)

// Schema is the list of tables that a store is opened with. Packages declare
// theirs with Define before Open; a schema serves one store.
type Schema struct {
	tables []tableDef
	byName map[string]tableDef
	errs   []error
	opened bool
}

// NewSchema returns a schema without tables.
func NewSchema() *Schema {
	return &Schema{byName: make(map[string]tableDef)}
}

// tableDef is a Table without its row type.
type tableDef interface {
	tableName() string
	newTree() tree
	// load decodes a stored row into t, without its index keys.
	load(t tree, key string, raw rawRow) (upgraded bool, err error)
	// buildIndexes fills t's indexes from its rows.
	buildIndexes(t tree) error
	// restore puts prev, or nothing, back under key.
	restore(r *root, key string, prev any)
	// encode visits t's rows in key order as they are stored.
	encode(t tree, visit func(key string, version int, data []byte) error) error
}

// rawRow is a row as stored.
type rawRow struct {
	version int
	data    []byte
}

func (s *Schema) add(name string, version int, t tableDef) {
	switch {
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
	s.byName[name] = t
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
	r := &root{tables: make([]tree, len(s.tables)), dirty: make([]bool, len(s.tables))}
	for i, t := range s.tables {
		r.tables[i] = t.newTree()
	}
	return r
}
