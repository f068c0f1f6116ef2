package signin

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	headerChallenge = "WWW-Authenticate"
	schemeNegotiate = "negotiate"
	schemeBasic     = "basic"

	// challengeBasic asks for UTF-8 (RFC 7617 2.1); clients of 2007 do not know that and send what they like.
	challengeBasic = `Basic realm="Furrow", charset="UTF-8"`

	// maxAuthorization bounds the header, in octets: a ticket of somebody in hundreds of groups has up to 48,000
	// (MaxTokenSize of Windows), a third more in base64.
	maxAuthorization = 65 << 10
	// maxPassword bounds a password, in octets, so that nobody makes the box hash long ones.
	maxPassword = 1024
	// maxLogin bounds a login name, in octets; the directory has none longer than 256 characters.
	maxLogin = 1024
)

// credentials are what a request claims to be allowed by.
type credentials struct {
	scheme          string // in lower case, "" for none
	token           []byte // of Negotiate
	login, password string // of Basic
}

// errAuthorization is returned for a header that is not one.
var errAuthorization = errors.New("malformed Authorization header")

// parseAuthorization reads the Authorization headers of a request. None is no error, and neither is a scheme that is
// not known; more than one is.
func parseAuthorization(values []string) (c credentials, err error) {
	if len(values) == 0 {
		return credentials{}, nil
	}
	if len(values) > 1 {
		return credentials{}, fmt.Errorf("%w: there are %d", errAuthorization, len(values))
	}
	if len(values[0]) > maxAuthorization {
		return credentials{}, fmt.Errorf("%w: %d octets", errAuthorization, len(values[0]))
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	c.scheme = strings.ToLower(scheme)
	if c.scheme != schemeNegotiate && c.scheme != schemeBasic {
		return c, nil
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return credentials{}, fmt.Errorf("%w: %w", errAuthorization, err)
	}
	if c.scheme == schemeNegotiate {
		c.token = data
		return c, nil
	}
	login, password, found := strings.Cut(text(data), ":")
	if !found || len(login) > maxLogin || len(password) > maxPassword {
		return credentials{}, fmt.Errorf("%w: no login name and password within their limits", errAuthorization)
	}
	c.login, c.password = login, password
	return c, nil
}

// text reads what old clients send in the code page of their country, of which the western one is the best guess.
func text(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	return string(runes)
}

// negotiate is a challenge or the end of an exchange with Negotiate (RFC 4559 4.1).
func negotiate(reply []byte) string {
	if reply == nil {
		return "Negotiate"
	}
	return "Negotiate " + base64.StdEncoding.EncodeToString(reply)
}

// checkName refuses what is no member's login name, and does not belong into a log either.
func checkName(login string) error {
	if login == "" || len(login) > maxLogin || !utf8.ValidString(login) || strings.ContainsFunc(login, unicode.IsControl) {
		return fmt.Errorf("%w: no login name", ErrRefused)
	}
	return nil
}
