package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// secretSize is the size of session and API tokens before they are written as text, in octets.
const secretSize = 32

// codeSize is that of codes that people type: 80 bits are out of reach of guessing even for one who has the hashes.
const codeSize = 10

// newSecret returns random text that needs no typing.
func newSecret() string {
	var random [secretSize]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// newCode returns a random code that can be typed, such as abcd-efgh-2345-mnop.
func newCode() string {
	var random [codeSize]byte
	rand.Read(random[:])
	text := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:]))
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// plainCode is a code as it counts, however it was typed.
func plainCode(typed string) string {
	return strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(typed))
}

// digest is what is kept of a secret that is long and random. A search for it in a table tells by its time nothing that
// leads to the secret.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
