package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// LockoutAccount at the end of a [LockoutVector] locks the account.
	LockoutAccount = -1
	// LockoutMessage in a [LockoutVector] makes the client show a message.
	LockoutMessage = -3

	// maxLockoutEntry has the nine characters an entry may have.
	maxLockoutEntry = 999_999_999

	// maxLockoutVector bounds the entries of a vector: one for each wrong
	// passphrase that a threshold can count, and the two marks.
	maxLockoutVector = maxLockoutThreshold + 2
)

// LockoutVector says how long a client waits after wrong passphrases
// (MS-GRVSPCM 3.2.5.1.4). Its positive entries are seconds, the first for the
// first wrong passphrase and the last for all that it does not reach; they
// rise. [LockoutMessage] and [LockoutAccount] may stand in it once each, the
// latter at its end, and count for no passphrase.
type LockoutVector []int

// ParseLockoutVector reads what [LockoutVector.String] writes, at least one
// entry.
func ParseLockoutVector(s string) (LockoutVector, error) {
	if n := strings.Count(s, ",") + 1; n > maxLockoutVector {
		return nil, fmt.Errorf("lockout vector of %d entries, at most %d are read", n, maxLockoutVector)
	}
	var v LockoutVector
	for word := range strings.SplitSeq(s, ",") {
		// What ParseInt takes beyond "-1" and digits is no entry.
		if len(word) > 9 || strings.HasPrefix(word, "+") {
			return nil, fmt.Errorf("lockout vector: entry %.16q", word)
		}
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("lockout vector: entry %.16q is not an integer", word)
		}
		v = append(v, int(n))
	}
	if err := v.Validate(); err != nil {
		return nil, err
	}
	return v, nil
}

// String returns the entries separated by commas.
func (v LockoutVector) String() string {
	var b []byte
	for i, n := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(b)
}

// Validate checks the rules of MS-GRVSPCM 3.2.5.1.4. "Monotonically" is read
// as rising from each positive entry to the next, which satisfies the weaker
// reading too. An empty vector is valid: none is sent.
func (v LockoutVector) Validate() error {
	if reason := v.fault(); reason != "" {
		return errors.New("lockout vector " + reason)
	}
	return nil
}

// fault says which rule v breaks, as the end of a sentence, or nothing.
func (v LockoutVector) fault() string {
	if len(v) > maxLockoutVector {
		return fmt.Sprintf("has more than %d entries", maxLockoutVector)
	}
	last := 0 // the last positive entry
	for i, n := range v {
		switch {
		case n == LockoutAccount && i != len(v)-1:
			return "has -1 before its end"
		case n == LockoutMessage && slices.Contains(v[:i], n):
			return "has -3 twice"
		case n == LockoutAccount || n == LockoutMessage:
		case n <= 0:
			return fmt.Sprintf("has the entry %d, which has no meaning", n)
		case n > maxLockoutEntry:
			return fmt.Sprintf("has the entry %d, at most %d are allowed", n, maxLockoutEntry)
		case n <= last:
			return fmt.Sprintf("has %d after %d, but seconds must rise", n, last)
		default:
			last = n
		}
	}
	return ""
}
