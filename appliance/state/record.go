package state

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strconv"
)

// kind says what a record of a generation file is for. It is the first letter
// of the record's key.
type kind byte

const (
	kindHeader  kind = 'g' // first record; number: generation
	kindChunk   kind = 'c' // part of the checkpoint; number: 1, 2, 3, ...
	kindEnd     kind = 'e' // end of the checkpoint; number: how many chunks
	kindJournal kind = 'j' // one transaction; number: its sequence
	kindSeal    kind = 's' // last record of a replaced file; number: the generation that replaced it
)

// A record is one `set` command of BuntDB's file format,
//
//	*3 $3 set $22 <kind>/<number, 20 digits> $<length> <value>
//
// each part ended by CR LF. The value is a fixed header and a body:
//
//	offset 0   format version, 1
//	       1   kind
//	       2   number, 8 octets
//	      10   mark, 8 octets: the highest sequence that was durable when this
//	           record was written
//	      18   body length, 4 octets
//	      22   CRC-32C, 4 octets, of the generation number (8 octets), the
//	           header before this field, and the body
//	      26   body
//
// Numbers are big-endian. The length is written twice, in the command and in
// the header, so that a damaged length is not mistaken for a record cut short.
type record struct {
	kind   kind
	number uint64
	mark   uint64
	body   []byte // aliases the scanned bytes
}

const (
	formatVersion = 1
	headerBytes   = 26
	crcOffset     = 22

	keyBytes     = 22
	framePrefix  = "*3\r\n$3\r\nset\r\n$22\r\n"
	lengthPrefix = "\r\n$"
	lineEnd      = "\r\n"

	// maxBodyBytes bounds one transaction: a change of every member of a large
	// domain fits many times over.
	maxBodyBytes  = 32 << 20
	maxValueBytes = headerBytes + maxBodyBytes
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// recordKey is the BuntDB key of a record.
func recordKey(k kind, number uint64) string {
	key := [keyBytes]byte{byte(k), '/'}
	for i := keyBytes - 1; i > 1; i-- {
		key[i] = byte('0' + number%10)
		number /= 10
	}
	return string(key[:])
}

// recordBytes is the length in the file of a record whose value has n bytes.
func recordBytes(n int) int64 {
	digits := len(strconv.Itoa(n))
	return int64(len(framePrefix) + keyBytes + len(lengthPrefix) + digits + 2*len(lineEnd) + n)
}

// sealValue fills the header of value, whose body is already in place.
func sealValue(value []byte, generation uint64, r record) {
	value[0] = formatVersion
	value[1] = byte(r.kind)
	binary.BigEndian.PutUint64(value[2:], r.number)
	binary.BigEndian.PutUint64(value[10:], r.mark)
	binary.BigEndian.PutUint32(value[18:], uint32(len(value)-headerBytes))
	putSum(value, generation)
}

func putSum(value []byte, generation uint64) {
	binary.BigEndian.PutUint32(value[crcOffset:], valueSum(value, generation))
}

func valueSum(value []byte, generation uint64) uint32 {
	var g [8]byte
	binary.BigEndian.PutUint64(g[:], generation)
	table := castagnoli()
	sum := crc32.Checksum(g[:], table)
	sum = crc32.Update(sum, table, value[:crcOffset])
	return crc32.Update(sum, table, value[headerBytes:])
}

// appendRecord appends r as BuntDB would write it.
func appendRecord(buf []byte, generation uint64, r record) []byte {
	n := headerBytes + len(r.body)
	buf = append(buf, framePrefix...)
	buf = append(buf, recordKey(r.kind, r.number)...)
	buf = append(buf, lengthPrefix...)
	buf = strconv.AppendInt(buf, int64(n), 10)
	buf = append(buf, lineEnd...)
	start := len(buf)
	buf = append(buf, make([]byte, headerBytes)...)
	buf = append(buf, r.body...)
	sealValue(buf[start:], generation, r)
	return append(buf, lineEnd...)
}

// verdict is what the bytes at one place of a file are.
type verdict int

const (
	recordWhole verdict = iota // a complete record, every check passed
	recordShort                // the beginning of a record, cut short by the end of the file
	recordBad                  // neither
	recordNewer                // a complete record of a later format
)

// parseRecord reads the record at the start of data. It looks at no more than
// the record's claimed length, which it checks against data first, and returns
// how many bytes it summed.
func parseRecord(data []byte, generation uint64) (record, int, verdict) {
	p := frame{rest: data}
	p.literal(framePrefix)
	key := p.take(keyBytes)
	p.literal(lengthPrefix)
	length := p.length()
	if p.verdict != recordWhole {
		return record{}, 0, p.verdict
	}
	k, number, ok := parseKey(key)
	if !ok {
		return record{}, 0, recordBad
	}
	if len(p.rest) >= headerBytes && !headerFits(p.rest, k, number, length) {
		return record{}, 0, recordBad
	}
	value := p.take(length)
	p.literal(lineEnd)
	if p.verdict != recordWhole {
		return record{}, 0, p.verdict
	}
	n := len(data) - len(p.rest)
	if binary.BigEndian.Uint32(value[crcOffset:]) != valueSum(value, generation) {
		return record{}, n, recordBad
	}
	if value[0] > formatVersion {
		return record{}, n, recordNewer
	}
	r := record{kind: k, number: number, mark: binary.BigEndian.Uint64(value[10:]), body: value[headerBytes:]}
	return r, n, recordWhole
}

func headerFits(header []byte, k kind, number uint64, length int) bool {
	return header[0] >= formatVersion && header[1] == byte(k) &&
		binary.BigEndian.Uint64(header[2:]) == number &&
		uint64(binary.BigEndian.Uint32(header[18:])) == uint64(length-headerBytes)
}

func parseKey(key []byte) (kind, uint64, bool) {
	switch kind(key[0]) {
	case kindHeader, kindChunk, kindEnd, kindJournal, kindSeal:
	default:
		return 0, 0, false
	}
	if key[1] != '/' {
		return 0, 0, false
	}
	for _, c := range key[2:] {
		if c < '0' || c > '9' {
			return 0, 0, false
		}
	}
	number, err := strconv.ParseUint(string(key[2:]), 10, 64)
	return kind(key[0]), number, err == nil
}

// frame reads the parts of a command. The first part that is cut short or
// wrong decides the verdict, and nothing is read behind it.
type frame struct {
	rest    []byte
	verdict verdict
}

func (p *frame) literal(want string) {
	got := p.rest[:min(len(want), len(p.rest))]
	if p.verdict == recordWhole && string(got) != want[:len(got)] {
		p.verdict = recordBad
	}
	p.take(len(want))
}

func (p *frame) take(n int) []byte {
	if p.verdict == recordWhole && n > len(p.rest) {
		p.verdict = recordShort
	}
	if p.verdict != recordWhole {
		return nil
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b
}

// length reads the value's length: decimal without leading zeros, as BuntDB
// writes it, and within the limits of a record.
func (p *frame) length() int {
	const maxDigits = 8 // len("33554458"), maxValueBytes
	if p.verdict != recordWhole {
		return 0
	}
	line := p.rest[:min(maxDigits+len(lineEnd), len(p.rest))]
	digits := len(line) - len(bytes.TrimLeft(line, "0123456789"))
	switch {
	case digits == len(line) && digits <= maxDigits:
		p.verdict = recordShort
		return 0
	case digits == 0 || digits > maxDigits || line[0] == '0':
		p.verdict = recordBad
		return 0
	}
	n, err := strconv.Atoi(string(p.take(digits)))
	if err != nil || n < headerBytes || n > maxValueBytes {
		p.verdict = recordBad
		return 0
	}
	p.literal(lineEnd)
	return n
}
