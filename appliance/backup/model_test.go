package backup

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"furrow/appliance/spool"
)

// machine does random things to a box, also while a backup is being made: it is what the backup is written to.
type machine struct {
	t       *rapid.T
	box     *box
	now     contents
	ever    contents // what there was at some time since the backup began
	next    int
	backups int
	file    bytes.Buffer
	chunks  int
}

func newContents() contents {
	return contents{map[string]string{}, map[spool.Position]string{}}
}

func (m *machine) step() {
	size := rapid.IntRange(0, 60_000).Draw(m.t, "size")
	switch rapid.IntRange(0, 6).Draw(m.t, "step") {
	case 0, 1:
		m.next++
		id, data := fmt.Sprint(m.next), random(uint64(m.next), size)
		check(m.t, m.box.addDocument(id, data))
		m.now.documents[id], m.ever.documents[id] = string(data), string(data)
	case 2, 3:
		m.next++
		data := random(uint64(m.next), size)
		p, err := m.box.send("ann", data)
		check(m.t, err)
		m.now.messages[p], m.ever.messages[p] = string(data), string(data)
	case 4:
		if len(m.now.documents) > 0 {
			id := rapid.SampledFrom(slices.Sorted(maps.Keys(m.now.documents))).Draw(m.t, "document")
			check(m.t, m.box.removeDocument(id))
			delete(m.now.documents, id)
		}
	case 5:
		if len(m.now.messages) > 0 {
			p := rapid.SampledFrom(slices.Sorted(maps.Keys(m.now.messages))).Draw(m.t, "message")
			m.box.spool.Ack("ann", p)
			delete(m.now.messages, p)
		}
	case 6:
		check(m.t, m.box.spool.Maintain(context.Background()))
		check(m.t, m.box.store.Compact(context.Background()))
	}
}

func (m *machine) Write(p []byte) (int, error) {
	for range rapid.IntRange(0, 4).Draw(m.t, "steps during the backup") {
		m.step()
	}
	m.chunks++
	return m.file.Write(p)
}

func (m *machine) backup() {
	before := contents{maps.Clone(m.now.documents), maps.Clone(m.now.messages)}
	m.ever = contents{maps.Clone(m.now.documents), maps.Clone(m.now.messages)}
	m.file.Reset()
	_, err := m.box.source().Write(context.Background(), m, password, nil)
	check(m.t, err)
	m.backups++
	dir := filepath.Join(filepath.Dir(m.box.dir), fmt.Sprint("restored", m.backups))
	r := restored(m.t, m.file.Bytes(), dir)
	got := r.read(m.t, "ann")
	r.close(m.t)
	check(m.t, os.RemoveAll(dir))
	compare(m.t, "document", got.documents, before.documents, m.now.documents, m.ever.documents)
	compare(m.t, "message", got.messages, before.messages, m.now.messages, m.ever.messages)
}

// compare finds in a backup all that was there before and after it, and nothing that was not there at some time.
func compare[K comparable](t *rapid.T, what string, got, before, after, ever map[K]string) {
	for key, data := range before {
		if _, still := after[key]; still && got[key] != data {
			t.Fatalf("%s %v is not in the backup as it was", what, key)
		}
	}
	for key, data := range got {
		if ever[key] != data {
			t.Fatalf("%s %v of the backup was never so", what, key)
		}
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "furrow-backup-")
		check(t, err)
		m := &machine{t: t, box: openBox(t, filepath.Join(dir, "box")), now: newContents(), ever: newContents()}
		defer func() {
			m.box.close(t)
			check(t, os.RemoveAll(dir))
		}()
		for range rapid.IntRange(1, 3).Draw(t, "backups") {
			for range rapid.IntRange(0, 15).Draw(t, "steps") {
				m.step()
			}
			m.backup()
		}
	})
}
