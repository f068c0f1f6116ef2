// Package passhash keeps passwords as hashes by Argon2id: those of people's logins and of administrators.
package passhash

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	saltSize = 16
	sumSize  = 32
	// maxMemory, maxPasses and maxThreads bound what a line of the file may ask for, so that a slip of an editor does
	// not stop the box: 256 MiB, in KiB, and a few seconds.
	maxMemory  = 256 << 10
	maxPasses  = 32
	maxThreads = 16
)

// usual is the work for new passwords (RFC 9106 with less memory, as the OWASP recommends for small machines): 19 MiB
// and some tens of milliseconds.
var usual = work{memory: 19 << 10, passes: 2, threads: 1}

// work is what computing a hash costs; memory in KiB.
type work struct {
	memory, passes uint32
	threads        uint8
}

// Hash is a password as it is kept.
type Hash struct {
	work
	salt, sum []byte
}

// New hashes a password with a new salt.
func New(password string) Hash {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails: crypto/rand ends the process instead
	return Hash{usual, salt, usual.sum(password, salt, sumSize)}
}

func (w work) sum(password string, salt []byte, size uint32) []byte {
	return argon2.IDKey([]byte(password), salt, w.passes, w.memory, w.threads, size)
}

// Pretend takes as long as checking a password that New has hashed, for a person who does not exist.
func Pretend(password string) { usual.sum(password, make([]byte, saltSize), sumSize) }

// Matches takes as long for a wrong password as for the right one.
func (h Hash) Matches(password string) bool {
	return subtle.ConstantTimeCompare(h.work.sum(password, h.salt, uint32(len(h.sum))), h.sum) == 1
}

// String is the usual form of Argon2 hashes: $argon2id$v=19$m=19456,t=2,p=1$salt$sum.
func (h Hash) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.threads, b64(h.salt), b64(h.sum))
}

// ErrForm says that a text is no hash.
var ErrForm = errors.New("no hash of the form $argon2id$v=19$m=MEMORY,t=PASSES,p=THREADS$SALT$SUM")

// Parse reads what String writes, whatever work that asks for within bounds.
func Parse(text string) (h Hash, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return Hash{}, ErrForm
	}
	fields := strings.Split(parts[3], ",")
	if len(fields) != 3 {
		return Hash{}, ErrForm
	}
	var numbers [3]uint32
	for i, limit := range []struct {
		name string
		most uint64
	}{{"m=", maxMemory}, {"t=", maxPasses}, {"p=", maxThreads}} {
		digits, found := strings.CutPrefix(fields[i], limit.name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !found || err != nil || n < 1 || n > limit.most {
			return Hash{}, fmt.Errorf("%w: %s is not 1 to %d", ErrForm, limit.name, limit.most)
		}
		numbers[i] = uint32(n)
	}
	h.work = work{memory: numbers[0], passes: numbers[1], threads: uint8(numbers[2])}
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return Hash{}, fmt.Errorf("%w: the salt is not 8 to 64 octets", ErrForm)
	}
	if h.sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(h.sum) < 16 || len(h.sum) > 64 {
		return Hash{}, fmt.Errorf("%w: the sum is not 16 to 64 octets", ErrForm)
	}
	return h, nil
}
