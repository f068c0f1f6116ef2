package spool

import (
	"bytes"
	"errors"
	"hash/crc32"
	"reflect"
	"testing"
)

// FuzzScan: whatever a segment holds, the scanner ends, accounts for every
// octet once and in order, and finds only records that check.
func FuzzScan(f *testing.F) {
	m := marker{1, 2, 3, 4, 5, 6, 7, 8}
	envelope, err := (&Envelope{Resource: "r", Recipients: []Recipient{{Key: "a"}, {Key: "b", Address: []byte("x")}}}).encode()
	if err != nil {
		f.Fatal(err)
	}
	var segment []byte
	for p := range Position(3) {
		h := header{position: p + 1, envelope: uint32(len(envelope)), envelopeSum: crc32.Checksum(envelope, castagnoli()), body: int64(p)}
		segment = h.append(segment, m)
		segment = append(segment, envelope...)
		segment = append(segment, make([]byte, bodySpan(h.body))...)
	}
	f.Add(segment)
	f.Add(segment[:len(segment)-5])
	f.Add(append(bytes.Clone(m[:]), segment...))
	f.Add(bytes.Repeat(m[:], 40))
	f.Fuzz(func(t *testing.T, data []byte) {
		counted := &countingReader{data: data}
		s := &scanner{file: counted, size: int64(len(data)), marker: m}
		end := int64(0)
		next := func(offset, n int64) {
			if offset != end || n <= 0 {
				t.Fatalf("%d octets at %d, after %d", n, offset, end)
			}
			end += n
		}
		err := s.scan(func(offset int64, h header, e Envelope) {
			next(offset, h.extent())
			encoded := h.append(nil, m)
			if !bytes.Equal(encoded, data[offset:offset+headerBytes]) {
				t.Fatalf("header at %d does not encode to itself", offset)
			}
			if len(e.Recipients) == 0 {
				t.Fatalf("record at %d without recipients", offset)
			}
		}, func(d Damage) { next(d.Offset, d.Bytes) })
		if err != nil && !errors.Is(err, ErrNewer) {
			t.Fatal(err)
		}
		if err == nil && end != int64(len(data)) {
			t.Fatalf("ended at %d of %d", end, len(data))
		}
		if limit := 4*len(data) + scanWindow; counted.read > limit {
			t.Fatalf("read %d octets of %d", counted.read, len(data))
		}
	})
}

type countingReader struct {
	data []byte
	read int
}

func (c *countingReader) ReadAt(p []byte, off int64) (int, error) {
	c.read += len(p)
	return bytes.NewReader(c.data).ReadAt(p, off)
}

// FuzzEnvelope: what decodes encodes again, to something that decodes to the
// same.
func FuzzEnvelope(f *testing.F) {
	e := Envelope{Resource: "r", Metadata: []byte("m"), Recipients: []Recipient{{Key: "a", Address: []byte("x")}}}
	data, err := e.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{0, 0, 0xff, 0xff, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		e, ok := decodeEnvelope(data)
		if !ok {
			return
		}
		encoded, err := e.encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, ok := decodeEnvelope(encoded); !ok || !reflect.DeepEqual(e, again) {
			t.Fatalf("%+v became %+v", e, again)
		}
	})
}

// FuzzCheckpoint: the same for checkpoints. The checksum is made right, so that
// the fuzzer gets behind it.
func FuzzCheckpoint(f *testing.F) {
	c := &checkpoint{
		next:     100,
		stamp:    5,
		segments: []segmentSize{{"segment", 7}},
		cursors:  []cursor{{"a", 3, nil}, {"b", 4, []Position{6, 9}}},
	}
	f.Add(c.encode())
	f.Add((&checkpoint{}).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= sumBytes {
			data = resum(bytes.Clone(data))
		}
		c, err := decodeCheckpoint(data)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
				t.Fatal(err)
			}
			return
		}
		again, err := decodeCheckpoint(c.encode())
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%+v became %+v, %v", c, again, err)
		}
	})
}
