package auth

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"furrow/appliance/keys"
	"furrow/sstp"
)

// State is how far the authentication of a connection has come. It is apart from
// the state of the SSTP connection, which stands before anybody has proved
// anything.
type State uint8

// The states of a Gate. Data may flow in StateAuthenticated only, and for a
// relay's own purposes in StateRelay.
const (
	StateNew           State = iota // nothing received
	StateRelay                      // a relay, which does not authenticate
	StateUnregistered               // asked to register
	StateRegistered                 // has registered and must connect anew
	StateChallenged                 // must answer the relay's nonce
	StateAuthenticated              // the device has proved itself
	StateFailed                     // refused; nothing more is accepted
)

// String returns the name of the state.
func (s State) String() string {
	switch s {
	case StateNew:
		return "new"
	case StateRelay:
		return "relay"
	case StateUnregistered:
		return "unregistered"
	case StateRegistered:
		return "registered"
	case StateChallenged:
		return "challenged"
	case StateAuthenticated:
		return "authenticated"
	case StateFailed:
		return "failed"
	default:
		return fmt.Sprintf("State(%d)", uint8(s))
	}
}

// Gate is the relay's side of SSTP Security on one connection: it is asked about
// every token and about nothing else ([MS-GRVSSTPS] 3.3.5). It is not safe for
// concurrent use. It keeps no part of a token that it is given.
type Gate struct {
	registry Registry
	private  *keys.RSAPrivateKey

	state      State
	deviceURL  string
	challenge  Challenge // the device's, which proves the key that it registers
	key        keys.SharedKey
	relayNonce []byte
	attached   map[uint32]*attachment // by EventId
	refused    int                    // registrations
}

// NewGate returns the Gate of a new connection. private is the key whose public
// half stands as encryption key in the relay's SSTP certificate.
func NewGate(registry Registry, private *keys.RSAPrivateKey) *Gate {
	return &Gate{registry: registry, private: private}
}

// State returns how far the authentication has come.
func (g *Gate) State() State { return g.state }

// Passed reports whether the peer may be served: it is an authenticated device,
// or a relay.
func (g *Gate) Passed() bool { return g.state == StateAuthenticated || g.state == StateRelay }

// DeviceURL returns the URL of the client device of the connection, which has
// proved it only in StateAuthenticated; empty for a relay.
func (g *Gate) DeviceURL() string { return g.deviceURL }

var (
	errState     = errors.New("message out of order")
	errUnknown   = errors.New("not known to the relay")
	errLockedOut = errors.New("locked out")
	errProof     = errors.New("proof does not verify")
)

// Connect judges the token of a Connect, after SSTP has accepted the rest of it
// ([MS-GRVSSTPS] 3.3.5.1; wire profile 1).
//
// The device of the connection is the first source that is a client device. A
// connection whose sources are all relays authenticates nobody and may bring no
// token.
func (g *Gate) Connect(sourceDeviceURLs []string, token []byte) sstp.Verdict {
	if g.state != StateNew {
		return g.violation(fmt.Errorf("auth: Connect: %w", errState))
	}
	for _, url := range sourceDeviceURLs {
		record, err := g.registry.Device(url)
		if err != nil {
			return g.tryLater(fmt.Errorf("auth: looking up device %s: %w", url, err))
		}
		if record.LockedOut {
			g.state = StateFailed
			return sstp.Verdict{
				Action:   sstp.ActAnswer,
				Response: sstp.ResponseConnectRejected,
				Err:      fmt.Errorf("auth: device %s: %w", url, errLockedOut),
			}
		}
	}
	if i := slices.IndexFunc(sourceDeviceURLs, isDevice); i >= 0 {
		g.deviceURL = sourceDeviceURLs[i]
		return g.connectDevice(token)
	}
	if len(token) > 0 || len(sourceDeviceURLs) == 0 || slices.ContainsFunc(sourceDeviceURLs, isNotRelay) {
		return g.connectFailed(errors.New("auth: no source of the connection can be authenticated"))
	}
	g.state = StateRelay
	return sstp.Verdict{Action: sstp.ActAnswer, Response: sstp.ResponseOk}
}

func isDevice(url string) bool   { return sstp.CheckDeviceURL(url) == nil }
func isNotRelay(url string) bool { return sstp.CheckRelayURL(url) != nil }

// connectDevice follows the steps of [MS-GRVSSTPS] 3.3.5.1.
func (g *Gate) connectDevice(token []byte) sstp.Verdict {
	challenge := &Challenge{Layer: DeviceLayer}
	if err := parseInto(token, challenge); err != nil {
		return g.connectFailed(err)
	}
	record, err := g.registry.Device(g.deviceURL)
	if err != nil {
		return g.tryLater(fmt.Errorf("auth: looking up device %s: %w", g.deviceURL, err))
	}
	g.challenge = Challenge{
		IV:             bytes.Clone(challenge.IV),
		MAC:            bytes.Clone(challenge.MAC),
		EncryptedNonce: bytes.Clone(challenge.EncryptedNonce),
	}
	if record.Key.IsZero() {
		g.state = StateUnregistered
		return answer(sstp.ResponseOk, &RegistrationNeeded{Layer: DeviceLayer}, nil)
	}
	// Before any cryptography, as the specification has it.
	if len(record.AccountURLs) == 0 {
		return g.connectFailed(fmt.Errorf("auth: device %s has no account", g.deviceURL))
	}
	response, relayNonce, err := respond(challenge, record.Key)
	if err != nil {
		return g.connectFailed(fmt.Errorf("auth: device %s: %w", g.deviceURL, err))
	}
	g.state, g.key, g.relayNonce = StateChallenged, record.Key, relayNonce
	return answer(sstp.ResponseOk, response, nil)
}

// respond answers a challenge, if it was made with key, with one of the relay.
func respond(challenge *Challenge, key keys.SharedKey) (*Response, []byte, error) {
	nonce, ok := openNonce(key, challenge.IV, challenge.MAC, challenge.EncryptedNonce, challengeInput)
	if !ok {
		return nil, nil, errProof
	}
	relayNonce, iv, mac, encrypted, err := sealNonce(key, responseInput(nonce))
	if err != nil {
		return nil, nil, err
	}
	return &Response{
		Layer:               challenge.Layer,
		IV:                  iv,
		MAC:                 mac,
		Nonce:               nonce,
		EncryptedRelayNonce: encrypted,
	}, relayNonce, nil
}

// answered reports whether an answer proves key by the relay's nonce.
func answered(t *Answer, key keys.SharedKey, relayNonce []byte) bool {
	// Both are secrets until now, and both are compared, in constant time.
	sameNonce := constantTimeEqual(t.RelayNonce, relayNonce)
	return key.VerifyMAC(t.MAC, answerInput(relayNonce)...) && sameNonce
}

// ConnectAuthenticate judges the token of a ConnectAuthenticate. A wrong one
// closes the connection: no command answers it ([MS-GRVSSTPS] 1; wire profile 1).
func (g *Gate) ConnectAuthenticate(token []byte) sstp.Verdict {
	if g.state != StateChallenged {
		return g.violation(fmt.Errorf("auth: ConnectAuthenticate: %w", errState))
	}
	t := &Answer{Layer: DeviceLayer}
	if err := parseInto(token, t); err != nil {
		return g.violation(err)
	}
	if !answered(t, g.key, g.relayNonce) {
		g.state = StateFailed
		return closeConnection(sstp.ReasonDeviceAuthenticationFailed,
			fmt.Errorf("auth: device %s: %w", g.deviceURL, errProof))
	}
	g.state, g.relayNonce = StateAuthenticated, nil
	return sstp.Verdict{Action: sstp.ActProceed}
}

// connectFailed refuses a Connect. It tells the peer nothing of the reason.
func (g *Gate) connectFailed(err error) sstp.Verdict {
	g.state = StateFailed
	return answer(authenticationFailed, &AuthenticationFailed{Layer: DeviceLayer}, err)
}

// tryLater refuses a Connect because of trouble of the relay's own.
func (g *Gate) tryLater(err error) sstp.Verdict {
	g.state = StateFailed
	return sstp.Verdict{Action: sstp.ActAnswer, Response: sstp.ResponseTryLater, Err: err}
}

// violation ends a connection whose peer does not follow the protocol.
func (g *Gate) violation(err error) sstp.Verdict {
	g.state = StateFailed
	return closeConnection(sstp.ReasonProtocolError, err)
}
