package ldapsync

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxEntries bounds what a search returns: the largest domains have 10,000 members.
	maxEntries = 50_000
	// maxValue bounds a value, in octets: members' details have 256 characters.
	maxValue = 2048
	// maxValues bounds the values of an attribute that are looked at.
	maxValues = 32
	// maxKey bounds the stable key, in octets: objectGUID has 16, entryUUID 36.
	maxKey = 64
	// maxShown bounds a name that came from outside in a report, in octets.
	maxShown = 200
)

// Entry is one person as a directory server has it.
type Entry struct {
	DN string
	// Key is the value of the stable key in hexadecimal digits, because it may be binary; empty if the entry has none
	// that can be used.
	Key string
	// Attributes are the values of those attributes that were asked for, by name in lower case, as they came.
	Attributes map[string][]string
	// Disabled says that the entry is marked as disabled.
	Disabled bool
}

// keyOf is the Key of an entry with this value.
func keyOf(value []byte) string {
	if len(value) > maxKey {
		return ""
	}
	return hex.EncodeToString(value)
}

// userAccountControl has the flags of an account (MS-ADTS 2.2.16), of which disabledFlag is ADS_UF_ACCOUNT_DISABLE.
const (
	userAccountControl = "userAccountControl"
	disabledFlag       = 0x2
)

// accountDisabled reports whether Active Directory has the entry's account disabled.
func (e *Entry) accountDisabled() bool {
	values := e.Attributes[strings.ToLower(userAccountControl)]
	if len(values) == 0 {
		return false
	}
	flags, err := strconv.ParseInt(values[0], 10, 64)
	return err == nil && flags&disabledFlag != 0
}

// show makes text from outside fit to print: one line, of bounded length, without control characters.
func show(text string) string {
	if len(text) > maxShown {
		text = text[:maxShown] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
