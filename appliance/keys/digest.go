package keys

import (
	"crypto/sha1"
	"encoding/hex"
	"unicode/utf16"
)

// Digest is a SHA-1 digest (RFC 3174), the only one the protocols know.
type Digest [sha1.Size]byte

// String returns d in lower-case hexadecimal digits. Digests are no secrets:
// they travel in the clear.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Sum returns the SHA-1 digest of the concatenated parts, hashed again until
// it was taken rounds times in all; the protocols ask for one or two rounds
// (MS-GRVSPCM 3.1.5.4, 3.2.5.2.2.6). Fewer than one round counts as one.
func Sum(rounds int, parts ...[]byte) Digest {
	h := sha1.New()
	for _, p := range parts {
		h.Write(p)
	}
	var d Digest
	h.Sum(d[:0])
	for range rounds - 1 {
		d = sha1.Sum(d[:])
	}
	return d
}

// UTF16LE returns the bytes of s as the protocols hash a "Unicode string":
// UTF-16, little-endian, without a byte order mark and without the terminating
// NULL (MS-GRVSPCM 3.2.1). Bytes of s that are not UTF-8 become U+FFFD.
func UTF16LE(s string) []byte {
	b := make([]byte, 0, 2*len(s))
	for _, r := range s {
		for _, u := range utf16.AppendRune(nil, r) {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}
