package backup

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// The header of a backup, integers big-endian:
//
//	offset 0   "FurrowBk"
//	       8   format version, 1
//	       9   Argon2id: threads, 1
//	      10   Argon2id: passes, 4
//	      14   Argon2id: memory in KiB, 4
//	      18   Argon2id: salt, 16
//	      34   verifier, 32: tells a wrong password from damage
//	      66   the first 8 octets of SHA-256 of all before: tells damage from a wrong password
//
// It is authenticated with every chunk of the stream that follows.
const (
	magic         = "FurrowBk"
	formatVersion = 1

	saltBytes     = 16
	verifierBytes = 32
	sumBytes      = 8

	verifierOffset = len(magic) + 1 + 1 + 4 + 4 + saltBytes
	sumOffset      = verifierOffset + verifierBytes
	headerBytes    = sumOffset + sumBytes
)

// cost is how hard it is to try a password.
type cost struct {
	threads uint8
	passes  uint32
	memory  uint32 // KiB
}

// usualCost is the second recommendation of RFC 9106 section 4: a second on a small machine, within its memory.
func usualCost() cost { return cost{threads: 4, passes: 3, memory: 64 << 10} }

// check bounds what a hostile file can make of a machine.
func (c cost) check() error {
	const maxThreads, maxPasses, maxMemory = 16, 32, 256 << 10
	if c.threads == 0 || c.threads > maxThreads || c.passes == 0 || c.passes > maxPasses || c.memory > maxMemory {
		return fmt.Errorf("%w: making the key would take %d passes over %d KiB by %d threads",
			ErrDamaged, c.passes, c.memory, c.threads)
	}
	return nil
}

// newHeader makes the header of a new backup and the cipher of its stream.
func newHeader(password string, c cost) ([]byte, cipher.AEAD, error) {
	if password == "" {
		return nil, nil, ErrNoPassword
	}
	h := append([]byte(magic), formatVersion, c.threads)
	h = binary.BigEndian.AppendUint32(h, c.passes)
	h = binary.BigEndian.AppendUint32(h, c.memory)
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails: crypto/rand ends the process instead
	h = append(h, salt...)
	verifier, aead, err := derive(password, h)
	if err != nil {
		return nil, nil, err
	}
	h = append(h, verifier...)
	sum := sha256.Sum256(h)
	return append(h, sum[:sumBytes]...), aead, nil
}

// readHeader reads the header of a backup and makes the cipher of its stream.
func readHeader(r io.Reader, password string) ([]byte, cipher.AEAD, error) {
	h := make([]byte, headerBytes)
	n, err := io.ReadFull(r, h)
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !cut {
		return nil, nil, err
	}
	if n < len(magic) || string(h[:len(magic)]) != magic {
		return nil, nil, ErrNotBackup
	}
	if cut {
		return nil, nil, ErrTruncated
	}
	if sum := sha256.Sum256(h[:sumOffset]); string(sum[:sumBytes]) != string(h[sumOffset:]) {
		return nil, nil, fmt.Errorf("%w in its header", ErrDamaged)
	}
	if h[len(magic)] > formatVersion {
		return nil, nil, ErrNewer
	}
	verifier, aead, err := derive(password, h[:verifierOffset])
	if err != nil {
		return nil, nil, err
	}
	if !hmac.Equal(verifier, h[verifierOffset:sumOffset]) {
		return nil, nil, ErrPassword
	}
	return h, aead, nil
}

// derive makes, of a password and the part of the header before the verifier, the verifier and the cipher.
func derive(password string, h []byte) (verifier []byte, aead cipher.AEAD, err error) {
	c := cost{threads: h[9], passes: binary.BigEndian.Uint32(h[10:]), memory: binary.BigEndian.Uint32(h[14:])}
	if err := c.check(); err != nil {
		return nil, nil, err
	}
	secret := argon2.IDKey([]byte(password), h[18:verifierOffset], c.passes, c.memory, c.threads, 32)
	if verifier, err = hkdf.Key(sha256.New, secret, h, "furrow backup verifier", verifierBytes); err != nil {
		return nil, nil, err
	}
	key, err := hkdf.Key(sha256.New, secret, h, "furrow backup stream", chacha20poly1305.KeySize)
	if err != nil {
		return nil, nil, err
	}
	aead, err = chacha20poly1305.NewX(key)
	return verifier, aead, err
}
