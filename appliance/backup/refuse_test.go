package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// made makes a backup of a small box.
func made(t *testing.T, contents int) []byte {
	t.Helper()
	b := openBox(t, t.TempDir())
	defer b.close(t)
	check(t, b.addDocument("1", random(1, contents)))
	_, err := b.send("ann", random(2, 1000))
	check(t, err)
	var file bytes.Buffer
	_, err = b.source().Write(t.Context(), &file, password, nil)
	check(t, err)
	return file.Bytes()
}

// kinds are the findings that are told apart.
func kinds() []error {
	return []error{ErrNotBackup, ErrNewer, ErrPassword, ErrTruncated, ErrDamaged, ErrTrailing}
}

// wantKind wants the one kind of finding, of Verify and of Restore, which must leave nothing.
func wantKind(t *testing.T, what string, data []byte, with string, want error) {
	t.Helper()
	_, err := Verify(t.Context(), bytes.NewReader(data), with)
	for _, kind := range kinds() {
		if errors.Is(err, kind) != (kind == want) {
			t.Errorf("%s: %v; want %v", what, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	data := made(t, 150_000) // three chunks
	if len(data) <= headerBytes+2*chunkBytes || (len(data)-headerBytes)%chunkBytes != 0 {
		t.Fatalf("%d octets", len(data))
	}
	wantKind(t, "as it was made", data, password, nil)
	wantKind(t, "another password", data, password+"!", ErrPassword)
	wantKind(t, "no password", data, "", ErrPassword)
	wantKind(t, "another file", []byte("PK\x03\x04 and more of it, so that it is long enough for a header of a backup, nearly"), password, ErrNotBackup)
	wantKind(t, "nothing", nil, password, ErrNotBackup)

	flip := func(at int, bit byte) []byte {
		c := slices.Clone(data)
		c[at] ^= bit
		return c
	}
	for at := range headerBytes {
		want := ErrDamaged
		if at < len(magic) {
			want = ErrNotBackup
		}
		for bit := range 8 {
			wantKind(t, fmt.Sprintf("bit %d of octet %d of the header", bit, at), flip(at, 1<<bit), password, want)
		}
	}
	// Prime steps, so that they meet every part of a chunk.
	for at := headerBytes; at < len(data); at += 997 {
		wantKind(t, fmt.Sprintf("octet %d", at), flip(at, 0x10), password, ErrDamaged)
	}
	wantKind(t, "the last octet", flip(len(data)-1, 1), password, ErrDamaged)

	cuts := []int{len(magic), headerBytes - 1, headerBytes, headerBytes + 1, len(data) - 1}
	for end := headerBytes; end < len(data); end += chunkBytes {
		cuts = append(cuts, end)
	}
	for end := headerBytes; end < len(data); end += 7919 {
		cuts = append(cuts, end)
	}
	for _, end := range cuts {
		wantKind(t, fmt.Sprintf("cut at %d", end), data[:end], password, ErrTruncated)
	}
	wantKind(t, "an octet behind it", append(slices.Clone(data), 0), password, ErrTrailing)
	wantKind(t, "itself behind it", append(slices.Clone(data), data...), password, ErrTrailing)
	wantKind(t, "its last chunk twice", append(slices.Clone(data), data[len(data)-chunkBytes:]...), password, ErrTrailing)

	chunk := func(i int) []byte { return data[headerBytes+i*chunkBytes:][:chunkBytes] }
	wantKind(t, "two chunks in the other order",
		slices.Concat(data[:headerBytes], chunk(1), chunk(0), data[headerBytes+2*chunkBytes:]), password, ErrDamaged)
	wantKind(t, "a chunk twice",
		slices.Concat(data[:headerBytes], chunk(0), chunk(0), data[headerBytes+chunkBytes:]), password, ErrDamaged)
	wantKind(t, "a chunk left out", slices.Concat(data[:headerBytes], data[headerBytes+chunkBytes:]), password, ErrDamaged)
	other := made(t, 150_000)
	wantKind(t, "a chunk of another backup",
		slices.Concat(data[:headerBytes], other[headerBytes:][:chunkBytes], data[headerBytes+chunkBytes:]), password, ErrDamaged)
}

// What is refused changes nothing on the disk.
func TestRefusedRestoreLeavesNothing(t *testing.T) {
	data := made(t, 150_000)
	parent := t.TempDir()
	dir := filepath.Join(parent, "var")
	cut := data[:len(data)-chunkBytes]
	for _, existing := range []bool{false, true} {
		if existing {
			check(t, os.Mkdir(dir, 0o755))
		}
		if _, err := Restore(t.Context(), bytes.NewReader(cut), password, dir); !errors.Is(err, ErrTruncated) {
			t.Fatal(err)
		}
		failing := io.MultiReader(bytes.NewReader(cut), failingReader{})
		if _, err := Restore(t.Context(), failing, password, dir); !errors.Is(err, errReading) {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(parent)
		check(t, err)
		if (len(entries) == 1) != existing {
			t.Fatalf("left: %v", entries)
		}
	}
	_, err := Restore(t.Context(), bytes.NewReader(data), password, dir) // into the empty folder
	check(t, err)
	if _, err := Restore(t.Context(), bytes.NewReader(data), password, dir); !errors.Is(err, ErrNotEmpty) {
		t.Fatal(err)
	}
	openBox(t, dir).close(t)
}

var errReading = errors.New("the disk does not give it")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errReading }

// failingWriter takes so many octets.
type failingWriter struct{ room int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errReading
	}
	return len(p), nil
}

// A backup that fails lets everything go again, whenever it fails.
func TestFailedBackup(t *testing.T) {
	b := openBox(t, t.TempDir())
	defer b.close(t)
	check(t, b.addDocument("1", random(1, 300_000)))
	for room := 0; room < 300_000; room += 50_000 {
		if _, err := b.source().Write(t.Context(), &failingWriter{room}, password, nil); !errors.Is(err, errReading) {
			t.Fatalf("room for %d: %v", room, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.source().Write(ctx, io.Discard, password, func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := b.source().Write(t.Context(), io.Discard, "", nil); !errors.Is(err, ErrNoPassword) {
		t.Fatal(err)
	}
	check(t, b.removeDocument("1"))
	if entries, err := os.ReadDir(filepath.Join(b.dir, "blobs")); err != nil || len(entries) != 0 {
		t.Errorf("a blob is still held: %v, %v", entries, err)
	}
}

// The names in an archive cannot lead out of the data directory, even if somebody with the password made them.
func FuzzRead(f *testing.F) {
	f.Add([]byte("FurrowBk"))
	header, aead, err := newHeader(password, cost{threads: 1, passes: 1, memory: 8})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(header)
	f.Fuzz(func(t *testing.T, data []byte) {
		// As a file, and as the authentic contents of one.
		if _, err := Verify(t.Context(), bytes.NewReader(data), password); err == nil {
			t.Fatal("made without the password")
		}
		var file bytes.Buffer
		file.Write(header)
		s := newSealer(&file, aead, header)
		if _, err := s.Write(data); err != nil {
			t.Fatal(err)
		}
		check(t, s.Close())
		_, _ = read(t.Context(), &file, password, func(name string) (io.WriteCloser, error) {
			if !filepath.IsLocal(name) {
				t.Fatalf("%q", name)
			}
			return nobody{}, nil
		})
	})
}
