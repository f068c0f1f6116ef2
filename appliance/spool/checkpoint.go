package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"furrow/appliance/disk"
)

// checkpoint is what the segments do not tell by themselves. Losing it costs
// duplicates, never a message.
//
// On disk: the magic octets, a version octet, then unsigned varints: next,
// stamp, number of segments, for each its name (length and octets) and size,
// number of cursors, for each its recipient (length and octets), position,
// number of positions beyond, and those as differences; last a CRC-32C of all
// before it, 4 octets, big-endian.
type checkpoint struct {
	next     Position // no record has this position or a higher one
	stamp    int64    // no record was stored later, milliseconds since 1970
	segments []segmentSize
	cursors  []cursor
}

// segmentSize is how much of a segment was durable.
type segmentSize struct {
	name string
	size int64
}

type cursor struct {
	recipient string
	position  Position
	beyond    []Position // ascending, above position
}

const (
	checkpointMagic   = "fspoolck"
	checkpointVersion = 1
	// A million queues with long keys; more is damage.
	maxCheckpointBytes = 256 << 20
)

func (c *checkpoint) encode() []byte {
	buf := append([]byte(checkpointMagic), checkpointVersion)
	buf = binary.AppendUvarint(buf, uint64(c.next))
	buf = binary.AppendUvarint(buf, uint64(c.stamp))
	buf = binary.AppendUvarint(buf, uint64(len(c.segments)))
	for _, s := range c.segments {
		buf = appendBlob(buf, s.name)
		buf = binary.AppendUvarint(buf, uint64(s.size))
	}
	buf = binary.AppendUvarint(buf, uint64(len(c.cursors)))
	for _, q := range c.cursors {
		buf = appendBlob(buf, q.recipient)
		buf = binary.AppendUvarint(buf, uint64(q.position))
		buf = binary.AppendUvarint(buf, uint64(len(q.beyond)))
		last := q.position
		for _, p := range q.beyond {
			buf = binary.AppendUvarint(buf, uint64(p-last))
			last = p
		}
	}
	return binary.BigEndian.AppendUint32(buf, crc32.Checksum(buf, castagnoli()))
}

// decodeCheckpoint reads what encode wrote: ErrDamaged or ErrNewer if it cannot.
func decodeCheckpoint(data []byte) (*checkpoint, error) {
	end := len(data) - sumBytes
	if end < len(checkpointMagic)+1 || string(data[:len(checkpointMagic)]) != checkpointMagic ||
		binary.BigEndian.Uint32(data[end:]) != crc32.Checksum(data[:end], castagnoli()) {
		return nil, ErrDamaged
	}
	switch version := data[len(checkpointMagic)]; {
	case version > checkpointVersion:
		return nil, ErrNewer
	case version < checkpointVersion:
		return nil, ErrDamaged
	}
	d := decoder{rest: data[len(checkpointMagic)+1 : end]}
	c := &checkpoint{next: Position(d.number()), stamp: int64(d.number())}
	for n := d.number(); n > 0 && !d.bad; n-- {
		s := segmentSize{name: string(d.blob()), size: int64(d.number())}
		d.bad = d.bad || s.size < 0
		c.segments = append(c.segments, s)
	}
	for n := d.number(); n > 0 && !d.bad; n-- {
		q := cursor{recipient: string(d.blob()), position: Position(d.number())}
		last := q.position
		for m := d.number(); m > 0 && !d.bad; m-- {
			step := Position(d.number())
			d.bad = d.bad || step == 0 || last+step < last
			last += step
			q.beyond = append(q.beyond, last)
		}
		d.bad = d.bad || len(q.recipient) == 0 || len(q.recipient) > maxKeyBytes || last >= c.next
		c.cursors = append(c.cursors, q)
	}
	if d.bad || len(d.rest) != 0 || c.stamp < 0 {
		return nil, ErrDamaged
	}
	return c, nil
}

// loadCheckpoint reads the checkpoint. Without one it returns an empty one.
func loadCheckpoint(files disk.FS, dir string) (c *checkpoint, err error) {
	name := filepath.Join(dir, checkpointName)
	size, err := files.Size(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &checkpoint{}, nil
	}
	if err != nil {
		return nil, err
	}
	if size > maxCheckpointBytes {
		return nil, fmt.Errorf("%w: %d octets", ErrDamaged, size)
	}
	f, err := files.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data := make([]byte, size)
	if n, err := f.ReadAt(data, 0); n < len(data) {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	return decodeCheckpoint(data)
}
