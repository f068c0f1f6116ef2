package keys

import (
	"crypto/cipher"
	"crypto/rc4"
	"crypto/subtle"
	"fmt"
)

// marc4Drop is the number of keystream bytes discarded (MS-GRVSPCM 3.1.1).
const marc4Drop = 256

// NewMARC4 returns the cipher stream of MS-GRVSPCM 3.1.1 (the same in
// MS-GRVSPMR 3.1.2.1 and MS-GRVSSTPS 3.1.1.4): RC4 under key XOR iv, without
// the first 256 bytes of keystream. Encryption and decryption are the same
// operation. It fails if the key is not [MinSharedKeySize] to
// [MaxSharedKeySize] bytes long or the iv not exactly as long as the key.
//
// An iv serves one message; a second message under the same pair gives away
// the XOR of both. [SharedKey.Encrypt] makes a fresh one each time.
func NewMARC4(key, iv []byte) (cipher.Stream, error) {
	if err := checkSharedKeySize(len(key)); err != nil {
		return nil, err
	}
	if len(iv) != len(key) {
		return nil, fmt.Errorf("MARC4 IV of %d bytes with a key of %d", len(iv), len(key))
	}
	mixed := make([]byte, len(key))
	subtle.XORBytes(mixed, key, iv)
	stream, err := rc4.NewCipher(mixed)
	if err != nil {
		return nil, fmt.Errorf("starting RC4 for MARC4: %w", err)
	}
	var drop [marc4Drop]byte
	stream.XORKeyStream(drop[:], drop[:])
	return stream, nil
}
