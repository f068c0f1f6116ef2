package blob

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"furrow/appliance/disk"
)

// Reader reads one blob from its beginning to its end. It must not be used
// concurrently, and must be closed.
type Reader struct {
	name    string
	file    disk.File
	size    int64
	at      int64
	sum     uint32
	trailer []byte
}

// Open opens a blob for reading. It fails with ErrNotFound, with ErrDamaged if
// the file is cut off, and with ErrNewer.
func (s *Store) Open(name string) (*Reader, error) {
	size, err := s.Size(name)
	if err != nil {
		return nil, err
	}
	file, err := s.files.OpenFile(s.path(name), os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("opening blob %s: %w", name, err)
	}
	r := &Reader{name: name, file: file, size: size, trailer: make([]byte, trailerSize)}
	if _, err = file.ReadAt(r.trailer, size); err == io.EOF {
		err = fmt.Errorf("%w: cut off", ErrDamaged)
	}
	if err == nil {
		err = checkFormat(r.trailer, size)
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("opening blob %s: %w", name, err)
	}
	return r, nil
}

// Size returns the length of the blob in bytes.
func (r *Reader) Size() int64 { return r.size }

// Read reads on. At the end of a blob that is not what was written it returns
// ErrDamaged instead of io.EOF.
func (r *Reader) Read(p []byte) (int, error) {
	if r.at == r.size {
		if err := checkSum(r.trailer, r.sum); err != nil {
			return 0, fmt.Errorf("reading blob %s: %w", r.name, err)
		}
		return 0, io.EOF
	}
	if left := r.size - r.at; int64(len(p)) > left {
		p = p[:left]
	}
	n, err := r.file.ReadAt(p, r.at)
	r.at += int64(n)
	r.sum = crc32.Update(r.sum, castagnoli(), p[:n])
	if err == io.EOF { // the trailer is behind this
		err = fmt.Errorf("%w: cut off", ErrDamaged)
	}
	if err != nil {
		return n, fmt.Errorf("reading blob %s: %w", r.name, err)
	}
	return n, nil
}

// Close closes the blob.
func (r *Reader) Close() error { return r.file.Close() }
