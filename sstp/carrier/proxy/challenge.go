package proxy

import (
	"strings"

	"github.com/icholy/digest"
)

// scheme is a way to authenticate, weaker before stronger.
type scheme int

const (
	unknownScheme scheme = iota // the proxy has not been asked anything yet
	openScheme                  // it wants to know nothing
	basicScheme                 // RFC 7617
	digestScheme                // RFC 7616
	ntlmScheme                  // [MS-NTHT]
)

// offer is one challenge that a proxy makes and this package can answer.
type offer struct {
	scheme scheme
	digest *digest.Challenge
	token  string // of NTLM, empty to begin
}

// strongest returns the best of a proxy's challenges, of scheme unknownScheme if
// there is none that can be answered, and the names of all schemes.
func strongest(values []string) (best offer, names []string) {
	for _, value := range values {
		for _, text := range splitChallenges(value) {
			name, rest, _ := strings.Cut(text, " ")
			names = append(names, name)
			if o := readOffer(name, strings.TrimSpace(rest), text); o.beats(best) {
				best = o
			}
		}
	}
	return best, names
}

func readOffer(name, rest, text string) offer {
	switch strings.ToLower(name) {
	case "basic":
		return offer{scheme: basicScheme}
	case "digest":
		c, err := digest.ParseChallenge(text)
		if err != nil {
			return offer{}
		}
		for i := range c.QOP { // RFC 7616 3.3: a list
			c.QOP[i] = strings.TrimSpace(c.QOP[i])
		}
		// A quality of auth-int alone would have the answer depend on the body.
		if digest.CanDigest(c) && (len(c.QOP) == 0 || c.SupportsQOP("auth")) {
			return offer{scheme: digestScheme, digest: c}
		}
	case "ntlm":
		return offer{scheme: ntlmScheme, token: rest}
	}
	return offer{}
}

// beats reports whether o is stronger. Of two digests it is the one that is not of
// MD5, which is what a challenge without algorithm has.
func (o offer) beats(other offer) bool {
	if o.scheme != other.scheme {
		return o.scheme > other.scheme
	}
	return o.scheme == digestScheme && isMD5(other.digest) && !isMD5(o.digest)
}

func isMD5(c *digest.Challenge) bool {
	return c.Algorithm == "" || strings.HasPrefix(strings.ToUpper(c.Algorithm), "MD5")
}

// splitChallenges takes apart the challenges of one header line. A comma separates
// challenges as well as the parameters of one (RFC 9110 11.6.1); a challenge begins
// with a name that no = follows.
func splitChallenges(value string) []string {
	var list []string
	for _, piece := range splitList(value) {
		name, rest, more := strings.Cut(piece, " ")
		begins := !strings.Contains(name, "=") && !(more && strings.HasPrefix(strings.TrimSpace(rest), "="))
		switch {
		case piece == "":
		case begins || len(list) == 0:
			list = append(list, piece)
		default:
			list[len(list)-1] += ", " + piece
		}
	}
	return list
}

// splitList splits at commas that are not in a quoted string.
func splitList(value string) []string {
	var list []string
	quoted, escaped, begin := false, false, 0
	for i := range len(value) {
		switch b := value[i]; {
		case escaped:
			escaped = false
		case quoted && b == '\\':
			escaped = true
		case b == '"':
			quoted = !quoted
		case b == ',' && !quoted:
			list = append(list, strings.TrimSpace(value[begin:i]))
			begin = i + 1
		}
	}
	return append(list, strings.TrimSpace(value[begin:]))
}
