package auth

import (
	"crypto/subtle"
	"fmt"
	"slices"

	"furrow/appliance/keys"
	"furrow/sstp"
)

// maxAttachments bounds the attach sessions of a connection. Each costs memory,
// and a device has a handful of accounts.
const maxAttachments = 64

// attachment is one attach session whose account has sent a good challenge.
type attachment struct {
	accountURL string
	key        keys.SharedKey
	relayNonce []byte // nil once the account has proved itself
}

// Attach judges the token of an Attach for an account (wire profile 1). The
// caller has found that no other session has the EventId.
//
// An account that is not on the device needs a registration there, even if the
// relay knows its key.
func (g *Gate) Attach(eventID uint32, accountURL string, token []byte) sstp.Verdict {
	if g.state != StateAuthenticated {
		return g.violation(fmt.Errorf("auth: Attach: %w", errState))
	}
	if _, used := g.attached[eventID]; used { // [MS-GRVSSTP] 3.3.5.14
		g.state = StateFailed
		return closeConnection(sstp.ReasonTooManyUnknownSessionCmds,
			fmt.Errorf("auth: Attach: EventId %d is in use", eventID))
	}
	challenge := &Challenge{Layer: AccountLayer}
	if err := parseInto(token, challenge); err != nil {
		return closeSession(sstp.ReasonProtocolError, err)
	}
	account, err := g.registry.Account(accountURL)
	if err != nil {
		return internalError(fmt.Errorf("auth: looking up account %s: %w", accountURL, err))
	}
	device, err := g.registry.Device(g.deviceURL)
	if err != nil {
		return internalError(fmt.Errorf("auth: looking up device %s: %w", g.deviceURL, err))
	}
	switch {
	case account.Key.IsZero() || !slices.Contains(device.AccountURLs, accountURL):
		return answer(sstp.ResponseOk, &RegistrationNeeded{Layer: AccountLayer}, nil)
	case account.LockedOut:
		return attachFailed(accountURL, errLockedOut)
	case len(g.attached) >= maxAttachments:
		return internalError(fmt.Errorf("auth: more than %d attach sessions on a connection", maxAttachments))
	}
	response, relayNonce, err := respond(challenge, account.Key)
	if err != nil {
		return attachFailed(accountURL, err)
	}
	if g.attached == nil {
		g.attached = make(map[uint32]*attachment)
	}
	g.attached[eventID] = &attachment{accountURL, account.Key, relayNonce}
	return answer(sstp.ResponseOk, response, nil)
}

func attachFailed(accountURL string, err error) sstp.Verdict {
	return answer(authenticationFailed, &AuthenticationFailed{Layer: AccountLayer},
		fmt.Errorf("auth: account %s: %w", accountURL, err))
}

// AttachAuthenticate judges the token of an AttachAuthenticate and returns the
// account that has proved itself with it. A wrong token ends the attach session.
func (g *Gate) AttachAuthenticate(eventID uint32, token []byte) (accountURL string, v sstp.Verdict) {
	if g.state != StateAuthenticated {
		return "", g.violation(fmt.Errorf("auth: AttachAuthenticate: %w", errState))
	}
	a := g.attached[eventID]
	if a == nil {
		g.state = StateFailed
		return "", closeConnection(sstp.ReasonTooManyUnknownSessionCmds,
			fmt.Errorf("auth: AttachAuthenticate: EventId %d is no attach session", eventID))
	}
	if a.relayNonce == nil {
		g.Detach(eventID)
		return "", closeSession(sstp.ReasonProtocolError, fmt.Errorf("auth: AttachAuthenticate: %w", errState))
	}
	t := &Answer{Layer: AccountLayer}
	if err := parseInto(token, t); err != nil {
		g.Detach(eventID)
		return "", closeSession(sstp.ReasonProtocolError, err)
	}
	if !answered(t, a.key, a.relayNonce) {
		g.Detach(eventID)
		return "", closeSession(sstp.ReasonStaleAttachAuthenticate,
			fmt.Errorf("auth: account %s: %w", a.accountURL, errProof))
	}
	a.relayNonce = nil
	return a.accountURL, sstp.Verdict{Action: sstp.ActProceed}
}

// Attached reports whether an account has proved itself on the connection and
// its attach session still stands.
func (g *Gate) Attached(accountURL string) bool {
	for _, a := range g.attached {
		if a.accountURL == accountURL && a.relayNonce == nil {
			return true
		}
	}
	return false
}

// Detach forgets an attach session that either end has closed.
func (g *Gate) Detach(eventID uint32) { delete(g.attached, eventID) }

func constantTimeEqual(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
