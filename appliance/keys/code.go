package keys

import (
	"crypto/rand"
	"fmt"
)

// NewConfigurationCode makes an account configuration code: "a unique GUID"
// (MS-GRVSPCM 3.2.1), written as the specification's examples write GUIDs made
// by a management server, in upper-case hexadecimal groups of 8-4-4-4-12. It
// is a version 4 UUID and so has 122 random bits. The code is the only secret
// that guards a member's activation, and its hash travels in the clear.
func NewConfigurationCode() string {
	var u [16]byte
	rand.Read(u[:]) // never fails: crypto/rand ends the process instead
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// CodeKey returns the 160-bit key derived from an account configuration code,
// the SHA-1 digest of its UTF-16LE form (MS-GRVSPCM 3.3.5.1.1.1). Its ID is
// the KeyID that indexes a member (MS-GRVSPCM 3.2.1, 3.2.5.1.1.2). The code is
// taken as it is: letter case and spaces count.
func CodeKey(code string) SharedKey {
	d := Sum(1, UTF16LE(code))
	return SharedKey{secret: hide(d[:])}
}
