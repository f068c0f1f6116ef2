package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// What a transaction did is a list of effects, one after the other:
//
//	put     1, table, row version, key, row as JSON
//	delete  2, table, key
//	stamp   3, milliseconds since 1970
//
// Numbers are unsigned varints; texts and rows are a length and their bytes.
type effect struct {
	op      byte
	table   string
	version int
	key     string
	data    []byte // aliases the decoded body
	stamp   int64
}

const (
	opPut    = 1
	opDelete = 2
	opStamp  = 3

	maxTableName = 64        // names are chosen by this program
	maxKeyBytes  = 4 << 10   // the longest keys are URLs; 4 KiB is generous
	maxVersion   = 1_000_000 // of a row; guards the conversion to int
)

var errEffect = errors.New("malformed effect")

func appendText(buf []byte, s string) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(s)))
	return append(buf, s...)
}

func appendPut(buf []byte, table string, version int, key string, data []byte) []byte {
	buf = append(buf, opPut)
	buf = appendText(buf, table)
	buf = binary.AppendUvarint(buf, uint64(version))
	buf = appendText(buf, key)
	buf = binary.AppendUvarint(buf, uint64(len(data)))
	return append(buf, data...)
}

func appendDelete(buf []byte, table, key string) []byte {
	buf = append(buf, opDelete)
	buf = appendText(buf, table)
	return appendText(buf, key)
}

func appendStamp(buf []byte, ms int64) []byte {
	buf = append(buf, opStamp)
	return binary.AppendUvarint(buf, uint64(ms))
}

// checkKey keeps line breaks out of keys. JSON has none either, so no text
// that a peer chose can look like the start of a journal record.
func checkKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: empty", ErrKey)
	case len(key) > maxKeyBytes:
		return fmt.Errorf("%w: %d bytes", ErrKey, len(key))
	case strings.ContainsAny(key, "\r\n"):
		return fmt.Errorf("%w: line break in %q", ErrKey, key)
	}
	return nil
}

// decodeEffects calls visit for each effect of body.
func decodeEffects(body []byte, visit func(effect)) error {
	d := decoder{rest: body}
	for len(d.rest) > 0 && !d.bad {
		e := effect{op: d.rest[0]}
		d.rest = d.rest[1:]
		switch e.op {
		case opPut:
			e.table = string(d.bytes(maxTableName))
			e.version = int(d.number(maxVersion))
			e.key = string(d.bytes(maxKeyBytes))
			e.data = d.bytes(maxBodyBytes)
		case opDelete:
			e.table = string(d.bytes(maxTableName))
			e.key = string(d.bytes(maxKeyBytes))
		case opStamp:
			e.stamp = int64(d.number(math.MaxInt64))
		default:
			d.bad = true
		}
		if !d.bad {
			visit(e)
		}
	}
	if d.bad {
		return errEffect
	}
	return nil
}

// decoder reads the primitive parts of a body; bad sticks.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number(limit uint64) uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > limit {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) bytes(limit uint64) []byte {
	n := d.number(limit)
	if d.bad || n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}
