package update

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// chunkSize is the unit of writing a slot, in octets: the erase block of common flash memory.
const chunkSize = 1 << 20

// writeSlot puts the content of a bundle into a slot and flushes it. told hears how far it is, in octets.
func writeSlot(path string, b *Bundle, told func(written int64)) (err error) {
	slot, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("slot: %w", err)
	}
	defer func() { err = errors.Join(err, slot.Close()) }()
	hash := sha256.New()
	chunk := make([]byte, chunkSize)
	for written := int64(0); written < b.Manifest.Size; {
		part := chunk[:min(chunkSize, b.Manifest.Size-written)]
		if _, err := io.ReadFull(b.content, part); err != nil {
			return fmt.Errorf("reading the bundle, %d of %d octets: %w", written, b.Manifest.Size, short(err))
		}
		hash.Write(part)
		if _, err := slot.Write(part); err != nil {
			return fmt.Errorf("writing the slot: %w", err)
		}
		// Kept small, what is not yet on the disk does not delay the flushes of the journal.
		if err := slot.Sync(); err != nil {
			return fmt.Errorf("flushing the slot: %w", err)
		}
		written += int64(len(part))
		told(written)
	}
	if hex.EncodeToString(hash.Sum(nil)) != b.Manifest.SHA256 {
		return errors.New("the bundle is damaged: its content does not have the hash that its manifest names")
	}
	return nil
}

// checkSlot reads a slot's content back from the disk, not from memory, and compares it with its manifest.
func checkSlot(path string, m Manifest) (err error) {
	slot, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("slot: %w", err)
	}
	defer func() { err = errors.Join(err, slot.Close()) }()
	if err := unix.Fadvise(int(slot.Fd()), 0, m.Size, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("dropping the slot from memory: %w", err)
	}
	hash := sha256.New()
	n, err := io.Copy(hash, bufio.NewReaderSize(io.LimitReader(slot, m.Size), chunkSize))
	if err != nil {
		return fmt.Errorf("reading the slot back: %w", err)
	}
	if n != m.Size || hex.EncodeToString(hash.Sum(nil)) != m.SHA256 {
		return fmt.Errorf("%w: %d octets of %s", ErrSlotDamaged, n, path)
	}
	return nil
}

// ErrSlotDamaged is returned when the disk does not hold what was written to a slot.
var ErrSlotDamaged = errors.New("the slot does not hold what its manifest says")
