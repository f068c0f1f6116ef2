package directory

import (
	"crypto/rand"

	"furrow/appliance/keys"
)

// newGUID makes the GUID of a member, object or template: a version 4 UUID in
// the spelling of the examples (MS-GRVSPCM 4.3.2), the same in which an account
// configuration code is "a unique GUID" (3.2.1).
func newGUID() string { return keys.NewConfigurationCode() }

const (
	// clientAlphabet is the base-32 alphabet of the GUIDs in the examples
	// (MS-GRVSPCM 4.1.1): no l and o, no 0 and 1.
	clientAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

	// clientGUIDLength is the number of characters of those GUIDs.
	clientGUIDLength = 39
)

// newDomainGUID makes the GUID of a domain in the form of the examples
// (MS-GRVSPCM 4.1.1), 195 random bits.
func newDomainGUID() string {
	b := make([]byte, clientGUIDLength)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	for i, v := range b {
		b[i] = clientAlphabet[v%byte(len(clientAlphabet))] // 32 divides 256: no bias
	}
	return string(b)
}
