package spool

import (
	"encoding/binary"
	"hash/crc32"
	"time"
)

// A record in a segment is a header, the envelope, and, if the body has no file
// of its own, the body's blocks. The header:
//
//	offset 0   marker of the segment, 8 octets
//	       8   format version, 1
//	       9   1 if the body has a file of its own, else 0
//	      10   the sender's message flags
//	      11   0
//	      12   envelope length, 4 octets
//	      16   position, 8 octets
//	      24   time of storing, milliseconds since 1970, 8 octets
//	      32   lifetime in seconds, 4 octets
//	      36   CRC-32C of the envelope, 4 octets
//	      40   body id, 8 octets
//	      48   body length, 8 octets
//	      56   CRC-32C of the header before this field, 4 octets
//
// Numbers are big-endian.
type header struct {
	position    Position
	stored      int64 // milliseconds since 1970
	lifetime    uint32
	flags       byte
	ownFile     bool
	envelope    uint32 // length
	envelopeSum uint32
	bodyID      uint64
	body        int64 // length, without checksums
}

const (
	headerBytes   = 60
	headerVersion = 1

	// maxBodyBytes keeps sums of lengths far from overflow; the relay's own
	// limit is much lower.
	maxBodyBytes = 1 << 40
)

// marker begins every record of one segment. It is random and known to nobody
// who can send a message, so that a body cannot pose as a record when the
// scanner looks for the next one after damage.
type marker [8]byte

// extent is the length of the whole record in its segment.
func (h *header) extent() int64 {
	n := headerBytes + int64(h.envelope)
	if !h.ownFile {
		n += bodySpan(h.body)
	}
	return n
}

// expires is when the message is worthless, in milliseconds since 1970; 0 if
// never.
func (h *header) expires() int64 {
	if h.lifetime == 0 {
		return 0
	}
	return h.stored + int64(h.lifetime)*time.Second.Milliseconds()
}

func (h *header) append(buf []byte, m marker) []byte {
	start := len(buf)
	buf = append(buf, m[:]...)
	own := byte(0)
	if h.ownFile {
		own = 1
	}
	buf = append(buf, headerVersion, own, h.flags, 0)
	buf = binary.BigEndian.AppendUint32(buf, h.envelope)
	buf = binary.BigEndian.AppendUint64(buf, uint64(h.position))
	buf = binary.BigEndian.AppendUint64(buf, uint64(h.stored))
	buf = binary.BigEndian.AppendUint32(buf, h.lifetime)
	buf = binary.BigEndian.AppendUint32(buf, h.envelopeSum)
	buf = binary.BigEndian.AppendUint64(buf, h.bodyID)
	buf = binary.BigEndian.AppendUint64(buf, uint64(h.body))
	return binary.BigEndian.AppendUint32(buf, crc32.Checksum(buf[start:], castagnoli()))
}

// parseHeader reads a header. A sound one of a later format is reported as
// newer, and nothing else of it is known.
func parseHeader(data []byte, m marker) (h header, newer, ok bool) {
	if len(data) < headerBytes || marker(data[:8]) != m ||
		binary.BigEndian.Uint32(data[56:]) != crc32.Checksum(data[:56], castagnoli()) {
		return header{}, false, false
	}
	if data[8] > headerVersion {
		return header{}, true, false
	}
	h = header{
		ownFile:     data[9] == 1,
		flags:       data[10],
		envelope:    binary.BigEndian.Uint32(data[12:]),
		position:    Position(binary.BigEndian.Uint64(data[16:])),
		stored:      int64(binary.BigEndian.Uint64(data[24:])),
		lifetime:    binary.BigEndian.Uint32(data[32:]),
		envelopeSum: binary.BigEndian.Uint32(data[36:]),
		bodyID:      binary.BigEndian.Uint64(data[40:]),
		body:        int64(binary.BigEndian.Uint64(data[48:])),
	}
	ok = data[8] == headerVersion && data[9] <= 1 && data[11] == 0 && h.position != 0 &&
		h.envelope <= maxEnvelopeBytes && h.body >= 0 && h.body <= maxBodyBytes
	return h, false, ok
}
