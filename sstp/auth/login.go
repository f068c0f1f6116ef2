package auth

import (
	"crypto/subtle"
	"errors"
	"fmt"

	"furrow/appliance/keys"
	"furrow/sstp"
)

// What a relay's answer to a client can mean besides success.
var (
	// ErrAuthenticationFailed says that the relay refuses the client's proof. The
	// client should close the connection ([MS-GRVSSTPS] 3.2.5.4).
	ErrAuthenticationFailed = errors.New("auth: the relay refuses the authentication")

	// ErrRegistrationNeeded says that the relay has no key: the client registers.
	ErrRegistrationNeeded = errors.New("auth: the relay asks for a registration")

	// ErrNotGenuine says that the peer has not shown that it holds the shared
	// key: it is not the relay the client has registered with.
	ErrNotGenuine = errors.New("auth: the peer does not prove that it is the relay")

	errOutOfOrder = errors.New("auth: message out of order")
)

// Login is a client's side of one authentication: of its device, once on a
// connection, or of an account, once on an attach session. It is not safe for
// concurrent use.
type Login struct {
	layer Layer
	key   keys.SharedKey
	nonce []byte // nil once the relay has answered
}

// NewLogin starts an authentication under key and returns the token for Connect
// or Attach.
func NewLogin(layer Layer, key keys.SharedKey) (*Login, []byte, error) {
	nonce, iv, mac, encrypted, err := sealNonce(key, challengeInput)
	if err != nil {
		return nil, nil, err
	}
	token, err := Append(nil, &Challenge{Layer: layer, IV: iv, MAC: mac, EncryptedNonce: encrypted})
	if err != nil {
		return nil, nil, err
	}
	return &Login{layer: layer, key: key, nonce: nonce}, token, nil
}

// Receive takes the relay's answer, from ConnectResponse or AttachResponse, and
// returns the token for ConnectAuthenticate or AttachAuthenticate, after which
// the client is authenticated unless the relay closes. The error is
// ErrAuthenticationFailed, ErrRegistrationNeeded, ErrNotGenuine, a
// [*sstp.ParseError], or says that the response was none of these.
func (l *Login) Receive(response sstp.ResponseID, token []byte) ([]byte, error) {
	if l.nonce == nil {
		return nil, errOutOfOrder
	}
	nonce := l.nonce
	l.nonce = nil
	if len(token) == 0 {
		return nil, fmt.Errorf("auth: the relay answers %v without a token", response)
	}
	parsed, err := Parse(token)
	if err != nil {
		return nil, err
	}
	switch t := parsed.(type) {
	case *AuthenticationFailed:
		if t.Layer == l.layer {
			return nil, ErrAuthenticationFailed
		}
	case *RegistrationNeeded:
		if t.Layer == l.layer && response == sstp.ResponseOk {
			return nil, ErrRegistrationNeeded
		}
	case *Response:
		if t.Layer == l.layer && response == sstp.ResponseOk {
			return l.answer(t, nonce)
		}
	}
	return nil, fmt.Errorf("auth: the relay answers %v with %v: %w", response, parsed.ID(), errOutOfOrder)
}

func (l *Login) answer(t *Response, nonce []byte) ([]byte, error) {
	relayNonce, ok := openNonce(l.key, t.IV, t.MAC, t.EncryptedRelayNonce, responseInput(nonce))
	if !ok || subtle.ConstantTimeCompare(t.Nonce, nonce) != 1 {
		return nil, ErrNotGenuine
	}
	return Append(nil, &Answer{
		Layer:      l.layer,
		MAC:        l.key.MAC(answerInput(relayNonce)...),
		RelayNonce: relayNonce,
	})
}
