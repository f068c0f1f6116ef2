package state

import (
	"bufio"
	"fmt"
	"io"
)

// snapshotGeneration is the number of a generation file that stands alone.
const snapshotGeneration = 1

// SnapshotFile is the name under which a folder that has nothing else must hold
// what WriteSnapshot wrote.
func SnapshotFile() string { return fileName(snapshotGeneration) }

// WriteSnapshot writes v, a snapshot of this store, as the first generation of
// a store of its own. That has the same rows, also of tables that this binary
// does not know, the same sequence, and the same last stamp. The same view
// always gives the same octets. Neither readers nor writers wait for it.
func (s *Store) WriteSnapshot(w io.Writer, v *View) error {
	c := checkpoint{
		schema: s.schema, root: v.root, unknown: s.unknown,
		generation: snapshotGeneration, base: v.root.sequence,
	}
	out := &limitedWriter{to: bufio.NewWriterSize(w, chunkBytes)}
	if err := c.writeRecords(out); err != nil {
		return fmt.Errorf("write snapshot of state store %s: %w", s.dir, err)
	}
	if err := out.to.Flush(); err != nil {
		return fmt.Errorf("write snapshot of state store %s: %w", s.dir, err)
	}
	return nil
}
