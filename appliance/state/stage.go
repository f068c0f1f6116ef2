package state

import (
	"fmt"
	"maps"
	"slices"
)

// stage collects stored rows while files are replayed. Rows are decoded once,
// at the end, so that history costs little and unknown tables nothing.
type stage struct {
	tables   map[string]map[string]rawRow
	sequence uint64
	stamp    int64
	effects  []effect // scratch
}

func newStage() *stage {
	return &stage{tables: make(map[string]map[string]rawRow)}
}

// apply replays a record completely or not at all.
func (st *stage) apply(r record) bool {
	st.effects = st.effects[:0]
	if err := decodeEffects(r.body, func(e effect) { st.effects = append(st.effects, e) }); err != nil {
		return false
	}
	for _, e := range st.effects {
		switch e.op {
		case opPut:
			if st.tables[e.table] == nil {
				st.tables[e.table] = make(map[string]rawRow)
			}
			st.tables[e.table][e.key] = rawRow{version: e.version, data: e.data}
		case opDelete:
			delete(st.tables[e.table], e.key)
		case opStamp:
			st.stamp = max(st.stamp, e.stamp)
		}
	}
	if r.kind == kindJournal {
		st.sequence = r.number
	}
	return true
}

func (st *stage) rows() int {
	n := 0
	for _, rows := range st.tables {
		n += len(rows)
	}
	return n
}

// orphans are the rows of tables that this binary does not declare, by table
// and key. They are carried from generation to generation as they are, for the
// newer binary that will come back. They do not change while the store is open.
type orphans map[string]map[string]rawRow

// build decodes the rows into a new head and returns, beside it, the tables
// that the schema does not know and how many rows were upgraded.
func (st *stage) build(s *Schema) (head *root, unknown orphans, upgraded int, err error) {
	head = s.newHead()
	head.sequence, head.stamp = st.sequence, st.stamp
	unknown = make(orphans)
	for name, rows := range st.tables {
		if s.byName[name] == nil && len(rows) > 0 {
			unknown[name] = make(map[string]rawRow, len(rows))
			for key, row := range rows { // cloned: the file's bytes must not stay
				unknown[name][key] = rawRow{version: row.version, data: slices.Clone(row.data)}
			}
		}
	}
	for i, t := range s.tables {
		rows := st.tables[t.name]
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			up, err := t.load(head.tables[i], key, rows[key])
			if err != nil {
				return nil, nil, 0, err
			}
			if up {
				upgraded++
			}
		}
		if err := t.buildIndexes(head.tables[i]); err != nil {
			return nil, nil, 0, fmt.Errorf("build indexes: %w", err)
		}
	}
	return head, unknown, upgraded, nil
}

// encode visits all rows of a state as they are stored.
func (s *Schema) encode(r *root, unknown orphans, visit func(table, key string, version int, data []byte) error) error {
	for i, t := range s.tables {
		err := t.encode(r.tables[i], func(key string, version int, data []byte) error {
			return visit(t.name, key, version, data)
		})
		if err != nil {
			return fmt.Errorf("encode table %s: %w", t.name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		for _, key := range slices.Sorted(maps.Keys(unknown[name])) {
			row := unknown[name][key]
			if err := visit(name, key, row.version, row.data); err != nil {
				return err
			}
		}
	}
	return nil
}
