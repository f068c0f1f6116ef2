// Package support opens a box that was started from the image to somebody who helps with it: by SSH with keys that end by
// themselves, and by a shell on the box's own screen. Nobody can log in otherwise.
//
//	Access   who, with which keys, until when; nothing in it is trusted before Check   access.go, key.go
//	Door     opens and closes it, with root's rights                                   door.go
//	Guard    the unit's program: runs sshd while it is open, and ends it               guard.go
//	Opened   what the rest of the box may know of it                                   opened.go
//
// That it ends does not hang on one clock: the guard counts the time that passes, whatever the clock is set to, it looks at
// the clock, too, and sshd itself refuses keys after their expiry-time. All that was begun meanwhile ends with the guard's
// unit, which has all processes of its control group.
package support

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"furrow/appliance/setting"
)

// ErrInvalid is the kind of all refusals of an Access; they are *setting.Error.
var ErrInvalid = errors.New("support access refused")

const (
	// Longest is how long access may be open: over a weekend.
	Longest = 72 * time.Hour
	// maxWho bounds the note, in octets, and maxKeys how many people one access is for.
	maxWho, maxKeys = 200, 5
)

// Access is what somebody wants to be opened.
type Access struct {
	// Who is a note about who gets in, and what for.
	Who string `json:"who"`
	// Keys are public keys in the form of authorized_keys(5), without options; none for the screen alone.
	Keys []string `json:"keys,omitempty"`
	// Shell offers a shell on the box's screen.
	Shell bool      `json:"shell,omitempty"`
	Until time.Time `json:"until"`
}

// Check refuses what must not be opened at a time.
func (a Access) Check(now time.Time) error {
	_, err := a.checked(now)
	return err
}

// checked is Check, and the keys.
func (a Access) checked(now time.Time) (keys []publicKey, err error) {
	refuse := func(field, format string, args ...any) ([]publicKey, error) {
		return nil, setting.Refuse(ErrInvalid, field, format, args...)
	}
	switch length := a.Until.Sub(now); {
	case strings.TrimSpace(a.Who) == "":
		return refuse("who", "is empty: say who gets in, and what for")
	case len(a.Who) > maxWho || !plain(a.Who):
		return refuse("who", "has more than %d octets, or characters that are not for reading", maxWho)
	case length <= 0:
		return refuse("until", "is over")
	case length > Longest:
		return refuse("until", "is more than %d hours away", Longest/time.Hour)
	case len(a.Keys) == 0 && !a.Shell:
		return refuse("publicKeys", "are none, and no shell on the screen is asked for")
	case len(a.Keys) > maxKeys:
		return refuse("publicKeys", "are more than %d", maxKeys)
	}
	for i, line := range a.Keys {
		key, err := parseKey(line)
		if err != nil {
			return refuse("publicKeys", "number %d is not taken: %v", i+1, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// plain says whether a text is one line of what people can read.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
