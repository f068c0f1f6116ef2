package proxy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/go-ntlmssp"
	"github.com/icholy/digest"
)

var (
	// ErrUserWanted says that a proxy wants a user and password, and none is known.
	ErrUserWanted = errors.New("it wants a user and password: name them as in http://user:password@proxy.example:3128")
	// ErrRejected says that a proxy does not take the user and password.
	ErrRejected = errors.New("it does not take the user and password")
	// ErrScheme says that a proxy wants a proof of a kind that is not known here.
	ErrScheme = errors.New("it does not take NTLM, Digest or Basic")
)

// login answers the challenges of a proxy in one conversation.
type login struct {
	proxy *Proxy
	sent  scheme // of what was last sent; openScheme for nothing
	first bool   // that was the first use of a digest's nonce
	token string // of NTLM, to be answered
}

// authorize returns the value of Proxy-Authorization for the next request, empty
// for none.
func (l *login) authorize(method, uri string) (string, error) {
	p := l.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	l.sent = p.scheme
	switch p.scheme {
	case basicScheme:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password)), nil
	case digestScheme:
		p.count++
		l.first = p.count == 1
		c, err := digest.Digest(p.challenge, digest.Options{
			Method: method, URI: uri, Count: p.count, Username: p.user, Password: p.password,
		})
		if err != nil {
			return "", fmt.Errorf("proxy %s: Digest: %w", p, err)
		}
		return c.String(), nil
	case ntlmScheme:
		message, err := l.ntlm()
		if err != nil {
			return "", fmt.Errorf("proxy %s: NTLM: %w", p, err)
		}
		return "NTLM " + base64.StdEncoding.EncodeToString(message), nil
	}
	return "", nil
}

// ntlm is the message that begins, or that answers the proxy's.
func (l *login) ntlm() ([]byte, error) {
	if l.token == "" {
		return ntlmssp.NewNegotiateMessage("", "")
	}
	token, err := base64.StdEncoding.DecodeString(l.token)
	if err != nil {
		return nil, err
	}
	return ntlmssp.NewAuthenticateMessage(token, l.proxy.user, l.proxy.password, nil)
}

// challenged takes the challenges of a 407 answer. Nil means to try again.
func (l *login) challenged(values []string) error {
	p := l.proxy
	o, names := strongest(values)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case o.scheme == unknownScheme:
		return fmt.Errorf("proxy %s: 407: %w, but %s", p, ErrScheme, strings.Join(names, ", "))
	case !p.named:
		return fmt.Errorf("proxy %s: 407: %w", p, ErrUserWanted)
	case l.rejected(o):
		return fmt.Errorf("proxy %s: 407: %w", p, ErrRejected)
	}
	p.scheme, l.token = o.scheme, o.token
	if o.digest != nil {
		p.challenge, p.count = o.digest, 0
	}
	return nil
}

// rejected reports whether a challenge says that what was sent is wrong. It does
// not if the nonce is too old, or has been used up. p.mu is held.
func (l *login) rejected(o offer) bool {
	switch l.sent {
	case basicScheme:
		return true
	case digestScheme:
		return o.scheme != digestScheme || l.first && !o.digest.Stale
	case ntlmScheme:
		return l.token != "" || o.token == "" // the second message is not answered by a third
	}
	return false
}

// bound reports whether the next request must be on the same connection.
func (l *login) bound() bool { return l.token != "" }
