package support

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// maxLine bounds a key's line, in octets: the longest key that is taken has 1,400.
	maxLine = 4 << 10
	// minRSA and maxRSA bound the modulus, in bits: as sshd is told, and what a small box can compute with.
	minRSA, maxRSA = 3072, 8192
)

// publicKey is a key that may get in.
type publicKey struct {
	ssh.PublicKey
	comment string
}

// parseKey reads a line of authorized_keys(5) that must have no options: those in force are the box's.
func parseKey(line string) (publicKey, error) {
	line = strings.TrimSpace(line)
	switch {
	case len(line) > maxLine:
		return publicKey{}, errors.New("it is too long for a key")
	case !plain(line):
		return publicKey{}, errors.New("it is more than one line, or has characters that no key has")
	case strings.Contains(line, "PRIVATE KEY"):
		return publicKey{}, errors.New("it is a private key: give the public one, whose file ends with .pub")
	}
	kinds := []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA}
	if kind, _, _ := strings.Cut(line, " "); !slices.Contains(kinds, kind) {
		return publicKey{}, errors.New("it does not begin with ssh-ed25519, ecdsa-sha2-nistp256, -384 or -521, or ssh-rsa; options are not taken")
	}
	key, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil:
		return publicKey{}, errors.New("it is no key, or not all of one") // in which way tells a person nothing
	case len(options) > 0 || len(rest) > 0 || !slices.Contains(kinds, key.Type()):
		return publicKey{}, errors.New("it is more than a key")
	}
	if crypto, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := crypto.CryptoPublicKey().(*rsa.PublicKey); ok && (r.N.BitLen() < minRSA || r.N.BitLen() > maxRSA) {
			return publicKey{}, fmt.Errorf("an RSA key has %d to %d bits, this one %d", minRSA, maxRSA, r.N.BitLen())
		}
	}
	return publicKey{key, comment}, nil
}

// authorized is the key's line for sshd: for a terminal and nothing else, and only until a time, in UTC.
func (k publicKey) authorized(until time.Time) string {
	return fmt.Sprintf("restrict,pty,expiry-time=\"%sZ\" %s", until.UTC().Format("20060102150405"), ssh.MarshalAuthorizedKey(k))
}

// name is the key as people compare it.
func (k publicKey) name() string {
	return strings.TrimSpace(ssh.FingerprintSHA256(k) + " " + k.comment)
}
