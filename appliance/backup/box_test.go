package backup

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/config"
	"furrow/appliance/keys"
	"furrow/appliance/spool"
	"furrow/appliance/state"
)

const password = "correct horse battery staple"

// tb is a test of either kind.
type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func check(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// document is a row that names a blob.
type document struct{ ID, Blob string }

// box has all kinds of parts that a real one has.
type box struct {
	dir       string
	store     *state.Store
	documents *state.Table[document]
	blobs     *blob.Store
	spool     *spool.Spool
	vault     *keys.Vault
}

// openBox opens what is in a folder. It must be closed.
func openBox(t tb, dir string) *box {
	t.Helper()
	b := &box{dir: dir}
	schema := state.NewSchema()
	b.documents = state.Define(schema, "document", state.TableOptions[document]{Version: 1, Key: func(d document) string { return d.ID }})
	check(t, os.MkdirAll(dir, 0o700))
	var err error
	var found *state.Report
	b.store, found, err = state.Open(filepath.Join(dir, "state"), schema, state.Options{})
	check(t, err)
	if found.Recovery != nil || found.Torn != nil {
		t.Fatalf("state: %+v", found)
	}
	b.blobs, err = blob.Open(blob.Options{Dir: filepath.Join(dir, "blobs"), ReserveBytes: 1})
	check(t, err)
	var report spool.Report
	b.spool, report, err = spool.Open(spool.Options{
		Dir: filepath.Join(dir, "spool"), ReserveBytes: 1, SegmentBytes: 256 << 10, InlineBytes: 32 << 10,
	})
	check(t, err)
	if !report.Sound() {
		t.Fatalf("spool: %+v", report)
	}
	b.vault, err = keys.OpenVault(dir)
	check(t, err)
	return b
}

func (b *box) close(t tb) {
	t.Helper()
	check(t, errors.Join(b.spool.Close(), b.store.Close()))
}

// source makes backups of the box with a key that costs next to nothing.
func (b *box) source() *Source {
	return &Source{
		Parts: []Part{
			{Dir: "spool", Hold: func() Held { return b.spool.Hold() }},
			{Dir: "blobs", Hold: func() Held { return b.blobs.Hold() }},
		},
		Store: b.store, StateDir: "state", Vault: b.vault, ConfigFile: filepath.Join(b.dir, config.FileName),
		Version: "test", Now: time.Now, cost: cost{threads: 1, passes: 1, memory: 8},
	}
}

// random are n octets that depend on seed and cannot be compressed.
func random(seed uint64, n int) []byte {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

func (b *box) addDocument(id string, contents []byte) error {
	name := "blob-" + id
	if err := b.blobs.Put(name, contents); err != nil {
		return err
	}
	return b.store.Update(context.Background(), func(tx *state.Tx) error { return b.documents.Put(tx, document{id, name}) })
}

func (b *box) removeDocument(id string) error {
	err := b.store.Update(context.Background(), func(tx *state.Tx) error {
		b.documents.Delete(tx, id)
		return nil
	})
	return errors.Join(err, b.blobs.Delete("blob-"+id))
}

func (b *box) send(to string, contents []byte) (spool.Position, error) {
	w, err := b.spool.Begin(spool.Envelope{Recipients: []spool.Recipient{{Key: to}}})
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(contents); err != nil {
		return 0, errors.Join(err, w.Abort())
	}
	return w.Commit(context.Background())
}

// contents are all documents and messages of a box.
type contents struct {
	documents map[string]string
	messages  map[spool.Position]string
}

// read reads all of a box; a document without its blob is an error.
func (b *box) read(t tb, recipient string) contents {
	t.Helper()
	c := contents{map[string]string{}, map[spool.Position]string{}}
	for d := range b.documents.All(b.store.Snapshot()) {
		r, err := b.blobs.Open(d.Blob)
		if err != nil {
			t.Fatalf("document %s: %v", d.ID, err)
		}
		data, err := io.ReadAll(r)
		check(t, errors.Join(err, r.Close()))
		c.documents[d.ID] = string(data)
	}
	for item := range b.spool.Queue(recipient, 0) {
		m, err := b.spool.Message(item.Position)
		check(t, err)
		data, err := io.ReadAll(m)
		check(t, errors.Join(err, m.Close()))
		c.messages[item.Position] = string(data)
	}
	return c
}

// restored makes a box of a backup.
func restored(t tb, data []byte, dir string) *box {
	t.Helper()
	_, err := Restore(context.Background(), bytes.NewReader(data), password, dir)
	check(t, err)
	return openBox(t, dir)
}

func TestRestoredBoxIsTheSame(t *testing.T) {
	b := openBox(t, t.TempDir())
	defer b.close(t)
	check(t, os.WriteFile(filepath.Join(b.dir, config.FileName), []byte("log_level = \"warn\"\n"), 0o600))
	for i := range 20 {
		check(t, b.addDocument(fmt.Sprint(i), random(uint64(i), i*1000)))
		_, err := b.send("ann", random(uint64(i), i*5000)) // some have files of their own
		check(t, err)
	}
	check(t, b.removeDocument("7"))
	stamp := time.Now().Add(time.Hour) // by a clock that was ahead
	check(t, b.store.Update(t.Context(), func(tx *state.Tx) error {
		stamp = tx.NextStamp(stamp)
		return b.documents.Put(tx, document{"0", "blob-0"})
	}))
	sealed, err := b.vault.Seal("test", []byte("secret"))
	check(t, err)
	want := b.read(t, "ann")

	var file bytes.Buffer
	var done, total int64
	made, err := b.source().Write(t.Context(), &file, password, func(d, n int64) { done, total = d, n })
	check(t, err)
	if done != made.Size() || total < done {
		t.Errorf("progress %d of %d, files have %d", done, total, made.Size())
	}
	for _, clear := range []string{"furrow", "blob-", "log_level", "ann"} {
		if bytes.Contains(file.Bytes(), []byte(clear)) {
			t.Errorf("the backup shows %q", clear)
		}
	}
	again, err := Verify(t.Context(), bytes.NewReader(file.Bytes()), password)
	check(t, err)
	if !slices.Equal(again.Files, made.Files) || again.Sequence != b.store.Snapshot().Sequence() || again.Version != "test" {
		t.Errorf("verified %+v, made %+v", again, made)
	}

	r := restored(t, file.Bytes(), filepath.Join(t.TempDir(), "var"))
	defer r.close(t)
	got := r.read(t, "ann")
	if !maps.Equal(got.documents, want.documents) || !maps.Equal(got.messages, want.messages) {
		t.Error("documents or messages differ")
	}
	if r.store.Snapshot().Sequence() != b.store.Snapshot().Sequence() {
		t.Error("the sequence differs")
	}
	check(t, r.store.Update(t.Context(), func(tx *state.Tx) error {
		if next := tx.NextStamp(time.Now()); !next.After(stamp) {
			t.Errorf("stamp %v after %v", next, stamp)
		}
		return nil
	}))
	if text, err := r.vault.Open("test", sealed); err != nil || string(text) != "secret" {
		t.Errorf("sealed by the box of before: %q, %v", text, err)
	}
	if p, err := r.send("ann", nil); err != nil || p <= slices.Max(slices.Collect(maps.Keys(want.messages))) {
		t.Errorf("the next position is %d, %v", p, err)
	}
	check(t, filepath.WalkDir(r.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	}))
	if text, err := os.ReadFile(filepath.Join(r.dir, config.FileName)); err != nil || string(text) != "log_level = \"warn\"\n" {
		t.Errorf("configuration %q, %v", text, err)
	}
}

// Writers of all kinds run while backups are made one after the other. Whatever was acknowledged before a backup began,
// and not taken back since, is in it.
func TestOnline(t *testing.T) {
	b := openBox(t, t.TempDir())
	defer b.close(t)
	type event struct {
		id       string
		position spool.Position
	}
	const writers, backups, long = 3, 4, 20_000
	var (
		mu       sync.Mutex
		alive    = map[event]uint64{} // acknowledged, and not about to go; its seed
		stop     = make(chan struct{})
		busy     sync.WaitGroup
		moved    = make(chan struct{}, 1) // a writer has done something
		failures = make(chan error, writers+1)
	)
	for w := range writers {
		busy.Go(func() {
			var mine []event
			for i := uint64(0); ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				seed := uint64(w)<<32 | i
				data := random(seed, int(seed*7919%long))
				e := event{id: fmt.Sprint(seed)}
				var err error
				if i%2 == 0 {
					err = b.addDocument(e.id, data)
				} else {
					e.id = ""
					e.position, err = b.send("ann", data)
				}
				if err != nil {
					failures <- err
					return
				}
				mu.Lock()
				alive[e] = seed
				mine = append(mine, e)
				var old *event
				if len(mine) > 40 {
					old, mine = &mine[0], mine[1:]
					delete(alive, *old)
				}
				mu.Unlock()
				if old != nil {
					if old.id != "" {
						err = b.removeDocument(old.id)
					} else {
						b.spool.Ack("ann", old.position)
					}
				}
				if err != nil {
					failures <- err
					return
				}
				select {
				case moved <- struct{}{}:
				default:
				}
			}
		})
	}
	busy.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := errors.Join(b.spool.Maintain(t.Context()), b.store.Compact(t.Context())); err != nil {
				failures <- err
				return
			}
		}
	})
	for n := range backups {
		for range 30 {
			select {
			case <-moved:
			case err := <-failures:
				t.Fatal(err)
			}
		}
		mu.Lock()
		before := maps.Clone(alive)
		mu.Unlock()
		var file bytes.Buffer
		_, err := b.source().Write(t.Context(), &file, password, nil)
		check(t, err)
		mu.Lock()
		after := maps.Clone(alive)
		mu.Unlock()
		r := restored(t, file.Bytes(), filepath.Join(t.TempDir(), fmt.Sprint(n)))
		got := r.read(t, "ann")
		lasting := 0
		for e, seed := range before {
			if _, still := after[e]; !still {
				continue
			}
			lasting++
			data := got.messages[e.position]
			if e.id != "" {
				data = got.documents[e.id]
			}
			if data != string(random(seed, int(seed*7919%long))) {
				t.Fatalf("backup %d: %+v is not in it as it was", n, e)
			}
		}
		t.Logf("backup %d: %d octets, %d of %d things lasted through it", n, file.Len(), lasting, len(before))
		r.close(t)
	}
	close(stop)
	busy.Wait()
	select {
	case err := <-failures:
		t.Fatal(err)
	default:
	}
	check(t, b.spool.Maintain(t.Context()))
	if names := b.blobs.Names(); len(names) != b.documents.Len(b.store.Snapshot()) {
		t.Errorf("%d blobs for %d documents", len(names), b.documents.Len(b.store.Snapshot()))
	}
	entries, err := os.ReadDir(filepath.Join(b.dir, "blobs"))
	check(t, err)
	if len(entries) != len(b.blobs.Names()) {
		t.Errorf("%d files for %d blobs: what went during a backup was not removed", len(entries), len(b.blobs.Names()))
	}
}
