package state

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"furrow/appliance/disk"
)

const (
	filePrefix = "state."
	tempName   = "state.tmp"

	// chunkBytes is the usual body of a checkpoint chunk; a larger row gets a
	// chunk of its own.
	chunkBytes = 256 << 10
	// maxFileBytes is the largest file that is opened, and so the largest that
	// is written: opening needs a small multiple of it in memory.
	maxFileBytes = 1 << 30
	// keptGenerations are the current one and two older.
	keptGenerations = 3
)

func fileName(generation uint64) string {
	return fmt.Sprintf("%s%08d", filePrefix, generation)
}

// generations returns the numbers of the generation files among names, lowest
// first.
func generations(names []string) []uint64 {
	var found []uint64
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, filePrefix)
		if n, err := strconv.ParseUint(digits, 10, 64); ok && err == nil && fileName(n) == name {
			found = append(found, n)
		}
	}
	slices.Sort(found)
	return found
}

// checkpoint is a state to be written as the start of a generation file.
type checkpoint struct {
	schema     *Schema
	root       *root
	unknown    orphans
	generation uint64
	base       uint64 // sequence; root's own, or above what a recovery lost
}

// writeTemp writes c to the temporary file of dir, flushes it, reads it back,
// and returns its size. The file gets its name from the caller.
func (c checkpoint) writeTemp(fs disk.FS, dir string) (size int64, err error) {
	name := filepath.Join(dir, tempName)
	defer func() {
		if err != nil {
			err = fmt.Errorf("write generation %d: %w", c.generation, err)
			if rerr := fs.Remove(name); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
	}()
	sum := sha256.New()
	size, err = c.writeFile(fs, name, sum)
	if err != nil {
		return 0, err
	}
	data, err := readFile(fs, name)
	if err != nil {
		return 0, err
	}
	again := sha256.Sum256(data)
	if !bytes.Equal(again[:], sum.Sum(nil)) {
		return 0, errors.New("file reads back differently")
	}
	if s := scanGeneration(data, c.generation, newStage()); !s.checkpoint || s.end != size {
		return 0, fmt.Errorf("file does not scan: %s", s.finding.cause)
	}
	return size, nil
}

func (c checkpoint) writeFile(fs disk.FS, name string, sum io.Writer) (size int64, err error) {
	f, err := fs.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, disk.FileMode)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(disk.FileMode); err != nil {
		return 0, err
	}
	out := &limitedWriter{to: bufio.NewWriterSize(io.MultiWriter(f, sum), chunkBytes)}
	if err := c.writeRecords(out); err != nil {
		return 0, err
	}
	if err := out.to.Flush(); err != nil {
		return 0, err
	}
	return out.written, f.Sync()
}

func (c checkpoint) writeRecords(out *limitedWriter) error {
	var line, body []byte
	write := func(k kind, number uint64, body []byte) error {
		line = appendRecord(line[:0], c.generation, record{kind: k, number: number, mark: c.base, body: body})
		_, err := out.Write(line)
		return err
	}
	if err := write(kindHeader, c.generation, nil); err != nil {
		return err
	}
	rows, chunks := uint64(0), uint64(0)
	flush := func() error {
		if len(body) == 0 {
			return nil
		}
		chunks++
		err := write(kindChunk, chunks, body)
		body = body[:0]
		return err
	}
	if c.root.stamp > 0 {
		body = appendStamp(body, c.root.stamp)
	}
	err := c.schema.encode(c.root, c.unknown, func(table, key string, version int, data []byte) error {
		if len(body) > 0 && len(body)+len(table)+len(key)+len(data) > chunkBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		rows++
		body = appendPut(body, table, version, key, data)
		return nil
	})
	if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	return write(kindEnd, chunks, binary.AppendUvarint(nil, rows))
}

// limitedWriter keeps a file below the size that can be opened again.
type limitedWriter struct {
	to      *bufio.Writer
	written int64
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.written+int64(len(p)) > maxFileBytes {
		return 0, fmt.Errorf("state of more than %d bytes: %w", maxFileBytes, ErrFull)
	}
	n, err := w.to.Write(p)
	w.written += int64(n)
	return n, err
}

// readFile reads a whole file of bounded size. After a read error it returns
// what it got beside the error.
func readFile(fs disk.FS, name string) (_ []byte, err error) {
	f, err := fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s has %d bytes, limit %d: %w", name, info.Size(), maxFileBytes, ErrTooLarge)
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(f, data)
	if err != nil {
		return data[:n], fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}
