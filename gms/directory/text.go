package directory

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

const (
	// maxText bounds a name or address line, in characters: longer than any
	// real one, and it travels in each contact of the member.
	maxText = 256

	// maxDomainName and maxOrganization bound domain and organization names,
	// in characters. The organization becomes a name in the domain's
	// certificate, where X.520 allows 64; the domain's name stands in for it.
	maxDomainName   = 64
	maxOrganization = 64

	// maxEmail bounds an e-mail address, in bytes (RFC 5321 4.5.3.1.3, less
	// the angle brackets).
	maxEmail = 254

	// maxClientGUID bounds the account and device GUIDs that clients make, in
	// bytes; Groove's have 39.
	maxClientGUID = 96

	// maxURL bounds an identity URL, server URL or relay URL, in bytes.
	maxURL = 512
)

// checkText accepts text of at most limit characters that XML can carry and
// that stays on its line in a vCard, a log and a list.
func checkText(field, s string, limit int) error {
	if !utf8.ValidString(s) {
		return &ValidationError{field, "is not UTF-8"}
	}
	if utf8.RuneCountInString(s) > limit {
		return &ValidationError{field, fmt.Sprintf("is longer than %d characters", limit)}
	}
	for _, r := range s {
		// The two noncharacters are outside XML's Char production; line and
		// paragraph separators break lines without being control characters.
		if unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' || r == '\u2028' || r == '\u2029' {
			return &ValidationError{field, fmt.Sprintf("contains the control character %U", r)}
		}
	}
	return nil
}

func checkRequired(field, s string, limit int) error {
	if s == "" {
		return &ValidationError{field, "is missing"}
	}
	return checkText(field, s, limit)
}

// checkOpaque accepts a name made by a client: bounded and printable, nothing
// else is known of it.
func checkOpaque(field, s string, limit int) error {
	if len(s) > limit {
		return &ValidationError{field, fmt.Sprintf("is longer than %d bytes", limit)}
	}
	return checkRequired(field, s, limit)
}

// checkEmail accepts what looks like one address and no more: whether mail
// arrives there only sending shows.
func checkEmail(field, s string) error {
	if err := checkRequired(field, s, maxEmail); err != nil {
		return err
	}
	if len(s) > maxEmail {
		return &ValidationError{field, fmt.Sprintf("is longer than %d bytes", maxEmail)}
	}
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s || a.Name != "" {
		return &ValidationError{field, "is not an e-mail address"}
	}
	return nil
}

// foldName gives names that differ only in letter case, or in how accents are
// encoded, one form: the caseless match of Unicode 3.13, in NFC so that a letter
// is no part of the same letter with an accent.
func foldName(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	// A Caser has state, so that none can be shared.
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(s)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// joinKey makes one key of several names. None of them holds a control
// character, so no two lists of names make the same key.
func joinKey(parts ...string) string { return strings.Join(parts, "\x00") }
