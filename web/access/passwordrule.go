package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"furrow/appliance/passhash"
)

const (
	// MinPassword is the least number of characters of a password, as the OWASP says for one without rules about which.
	MinPassword = 12
	// maxPassword bounds a password, in octets.
	maxPassword = 1024
	// minDistinct is the least number of different characters.
	minDistinct = 5
	// maxHashing bounds the passwords that are hashed at once: each takes 19 MiB and a core.
	maxHashing = 2
	// hashingWait is how long one waits for that before the box is too busy.
	hashingWait = 10 * time.Second
)

// CheckPassword returns why a password is too weak for an administrator, nil if it is not. Length counts; beyond that
// only what is tried first is refused: repetitions, rows of keys, the name, and the common words with digits around them.
func CheckPassword(name, password string) error {
	switch {
	case len(password) > maxPassword || !utf8.ValidString(password):
		return invalid("password", "the password is longer than %d octets", maxPassword)
	case utf8.RuneCountInString(password) < MinPassword:
		return invalid("password", "the password has fewer than %d characters", MinPassword)
	case distinct(password) < minDistinct:
		return invalid("password", "the password repeats too few characters")
	}
	plain := undress(password)
	if len(plain) < 4 { // digits in a row, or little more
		return invalid("password", "the password is little more than a number")
	}
	for _, word := range append(commonWords(), undress(name)) {
		// Twice the same word is one word.
		if word != "" && len(strings.ReplaceAll(plain, word, "")) < 4 {
			return invalid("password", "the password is little more than %q, which is tried first", word)
		}
	}
	return nil
}

func distinct(s string) int {
	runes := []rune(s)
	slices.Sort(runes)
	return len(slices.Compact(runes))
}

// undress leaves the letters of a text, in lower case and with the usual figures read as letters unless they stand in
// a number.
func undress(s string) string {
	s = strings.TrimFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && r != '@' && r != '$' })
	s = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s").Replace(s)
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return r
	}, s)
}

// commonWords are the words in the passwords that are tried first, with those of this box.
func commonWords() []string {
	return []string{
		"password", "passwort", "passw", "kennwort", "geheim", "secret", "welcome", "willkommen", "letmein", "admin",
		"administrator", "root", "master", "login", "default", "changeme", "test", "guest", "user", "furrow", "groove",
		"sharepoint", "server", "office", "company", "qwerty", "qwertz", "qwertyuiop", "qwertzuiop", "asdfghjkl",
		"zxcvbnm", "yxcvbnm", "azerty", "abcdefghijklmnopqrstuvwxyz", "abcdefghijkl", "abc", "iloveyou", "ichliebedich",
		"sunshine", "princess", "football", "fussball", "baseball", "dragon", "monkey", "shadow", "superman", "batman",
		"trustno", "starwars", "whatever", "freedom", "hallo", "hello", "summer", "sommer", "winter", "spring", "autumn",
		"january", "january", "monday", "montag", "sunday", "michael", "jordan", "charlie", "computer", "internet",
		"correcthorsebatterystaple",
	}
}

// slot waits until a password may be hashed; done ends that.
func (c *Control) slot(ctx context.Context) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, hashingWait)
	defer cancel()
	select {
	case c.hashing <- struct{}{}:
		return func() { <-c.hashing }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
}

// hashPassword returns a password as it is kept.
func (c *Control) hashPassword(ctx context.Context, password string) (string, error) {
	done, err := c.slot(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return passhash.New(norm.NFC.String(password)).String(), nil
}

// matches takes as long for a person who does not exist, whose hash is "".
func (c *Control) matches(ctx context.Context, hash, password string) (bool, error) {
	if len(password) > maxPassword {
		password = "" // nobody has one that long, and hashing it takes time
	}
	done, err := c.slot(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	password = norm.NFC.String(password)
	if hash == "" {
		passhash.Pretend(password)
		return false, nil
	}
	kept, err := passhash.Parse(hash)
	if err != nil {
		return false, fmt.Errorf("reading the hash of a password: %w", err)
	}
	return kept.Matches(password), nil
}
