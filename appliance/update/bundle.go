package update

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// A bundle, numbers big-endian:
//
//	magic 8 | length of manifest 4 | manifest, JSON | Ed25519 signature 64 | the slot's content
//
// All before the content is its header. A copy of it is kept beside each slot, so that a box can check a slot at any time.
const (
	magic = "furrowU1"
	// maxManifestLen bounds the manifest, in octets; a real one has some 250.
	maxManifestLen = 4096
	// MaxBundleSize bounds a bundle, and the form that it comes in, in octets.
	MaxBundleSize = MaxSlotSize + 1<<20
)

// WriteBundle makes a bundle of a slot's content. Size and hash are filled in.
func WriteBundle(w io.Writer, m Manifest, key ed25519.PrivateKey, slot io.ReadSeeker) error {
	hash := sha256.New()
	size, err := io.Copy(hash, slot)
	if err != nil {
		return fmt.Errorf("reading the slot: %w", err)
	}
	if _, err := slot.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the slot again: %w", err)
	}
	m.Format, m.Size, m.SHA256 = formatNumber, size, hex.EncodeToString(hash.Sum(nil))
	encoded, signature, err := m.sign(key)
	if err != nil {
		return err
	}
	if _, err := w.Write(header(encoded, signature)); err != nil {
		return fmt.Errorf("writing the bundle's header: %w", err)
	}
	if _, err := io.Copy(w, slot); err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	return nil
}

func header(encoded, signature []byte) []byte {
	h := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(encoded)))
	return append(append(h, encoded...), signature...)
}

// Bundle is one whose signature is good. Its content has not been read.
type Bundle struct {
	Manifest Manifest
	header   []byte
	content  io.Reader
}

// OpenBundle reads the header of a bundle and checks its signature.
func OpenBundle(r io.Reader, key ed25519.PublicKey) (*Bundle, error) {
	var start [len(magic) + 4]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", short(err))
	}
	if !bytes.HasPrefix(start[:], []byte(magic)) {
		return nil, errors.New("this is not an update of Furrow")
	}
	length := binary.BigEndian.Uint32(start[len(magic):])
	if length > maxManifestLen {
		return nil, fmt.Errorf("bundle with a manifest of %d octets, at most %d are allowed", length, maxManifestLen)
	}
	signed := make([]byte, length+ed25519.SignatureSize)
	if _, err := io.ReadFull(r, signed); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", short(err))
	}
	encoded, signature := signed[:length], signed[length:]
	manifest, err := parseManifest(encoded, signature, key)
	if err != nil {
		return nil, err
	}
	return &Bundle{Manifest: manifest, header: header(encoded, signature), content: r}, nil
}

// short calls an end in the middle by one name.
func short(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Header is all of the bundle before the slot's content.
func (b *Bundle) Header() []byte { return bytes.Clone(b.header) }
