package blob

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The trailer of a file, integers big-endian:
//
//	length of the content   8
//	format, "FBL1"          4
//	CRC-32C of all before   4
//
// It is at the end because length and checksum are known only there.
const trailerSize = 16

const (
	formatFamily = "FBL"
	format       = formatFamily + "1"
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// appendTrailer appends the trailer of a content with this length and CRC-32C.
func appendTrailer(dst []byte, length int64, sum uint32) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint64(dst, uint64(length))
	dst = append(dst, format...)
	return binary.BigEndian.AppendUint32(dst, crc32.Update(sum, castagnoli(), dst[start:]))
}

// checkFormat reads what a trailer says before its content is known.
func checkFormat(trailer []byte, length int64) error {
	switch {
	case string(trailer[8:11]) != formatFamily:
		return fmt.Errorf("%w: no trailer at its end", ErrDamaged)
	case string(trailer[8:12]) != format:
		return fmt.Errorf("%w: format %q", ErrNewer, trailer[8:12])
	case binary.BigEndian.Uint64(trailer) != uint64(length):
		return fmt.Errorf("%w: %d bytes of %d", ErrDamaged, length, binary.BigEndian.Uint64(trailer))
	}
	return nil
}

// checkSum compares a trailer with the CRC-32C of the content before it.
func checkSum(trailer []byte, sum uint32) error {
	want := binary.BigEndian.Uint32(trailer[12:])
	if crc32.Update(sum, castagnoli(), trailer[:12]) != want {
		return fmt.Errorf("%w: checksum does not match", ErrDamaged)
	}
	return nil
}
