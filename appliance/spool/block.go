package spool

import (
	"encoding/binary"
	"hash/crc32"
)

// A body on disk is a run of blocks, each blockBytes of the body (the last one
// less) and a CRC-32C of the body's id, the block's number and its data. So
// delivery can start, or resume anywhere, without reading the whole body, and
// no octet leaves unchecked.

const (
	// blockBytes is what a reader holds in memory: a relay delivers to hundreds
	// of connections at once.
	blockBytes = 16 << 10
	sumBytes   = 4
	blockSpan  = blockBytes + sumBytes
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// bodySpan is the length on disk of a body of n octets.
func bodySpan(n int64) int64 {
	blocks := (n + blockBytes - 1) / blockBytes
	return n + blocks*sumBytes
}

// blockSeed starts the checksum of one block.
func blockSeed(bodyID, block uint64) uint32 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], bodyID)
	binary.BigEndian.PutUint64(b[8:], block)
	return crc32.Checksum(b[:], castagnoli())
}

// blockSum is the checksum stored behind a block's data.
func blockSum(bodyID, block uint64, data []byte) uint32 {
	return crc32.Update(blockSeed(bodyID, block), castagnoli(), data)
}

// blockEncoder turns a body into blocks, appended to a buffer of the caller.
type blockEncoder struct {
	bodyID uint64
	length int64 // of the body so far
	sum    uint32
}

// room is how much data still goes into the current block.
func (e *blockEncoder) room() int { return blockBytes - int(e.length%blockBytes) }

// add appends data, which fits in the current block, and the block's checksum
// if that fills it.
func (e *blockEncoder) add(buf, data []byte) []byte {
	if e.length%blockBytes == 0 {
		e.sum = blockSeed(e.bodyID, uint64(e.length/blockBytes))
	}
	e.sum = crc32.Update(e.sum, castagnoli(), data)
	e.length += int64(len(data))
	buf = append(buf, data...)
	if e.length%blockBytes == 0 {
		buf = binary.BigEndian.AppendUint32(buf, e.sum)
	}
	return buf
}

// finish appends the checksum of a last block that is not full.
func (e *blockEncoder) finish(buf []byte) []byte {
	if e.length%blockBytes != 0 {
		buf = binary.BigEndian.AppendUint32(buf, e.sum)
	}
	return buf
}
