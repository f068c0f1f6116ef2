package access

import (
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	// ticketLifetime is how long somebody may take for the second step of something.
	ticketLifetime = 5 * time.Minute
	// ticketUses is how often the second step may be tried.
	ticketUses = 5
	// maxTickets bounds what waits for a second step; anybody may begin with a passkey.
	maxTickets = 1000
)

// purpose is what a ticket is good for.
type purpose string

const (
	forFactor       purpose = "second factor"
	forPasskey      purpose = "passkey"
	forPasskeyAlone purpose = "passkey alone"
	forNewPasskey   purpose = "new passkey"
	forTOTP         purpose = "authenticator app"
)

// ticket is something of which the first step was done. It lives in memory: after a restart one begins again.
type ticket struct {
	purpose       purpose
	administrator string // who has proved the first factor; empty for nobody yet
	totp          string // secret
	ceremony      *webauthn.SessionData
	origin        string
	expires       time.Time
	uses          int
}

type tickets struct {
	now func() time.Time

	mu   sync.Mutex
	held map[string]ticket // by digest; guarded by mu
}

func newTickets(now func() time.Time) *tickets {
	return &tickets{now: now, held: make(map[string]ticket)}
}

// issue keeps a ticket and returns the secret that is good for it.
func (t *tickets) issue(k ticket) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.held) >= maxTickets {
		for id, old := range t.held {
			if now.After(old.expires) {
				delete(t.held, id)
			}
		}
		if len(t.held) >= maxTickets {
			return "", ErrBusy
		}
	}
	secret := newSecret()
	k.expires = now.Add(ticketLifetime)
	t.held[digest(secret)] = k
	return secret, nil
}

// use returns a ticket for one try.
func (t *tickets) use(secret string, p purpose) (ticket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := digest(secret)
	k, ok := t.held[id]
	if !ok || k.purpose != p {
		return ticket{}, ErrSignedOut
	}
	if k.uses++; k.uses > ticketUses || t.now().After(k.expires) {
		delete(t.held, id)
		return ticket{}, ErrSignedOut
	}
	t.held[id] = k
	return k, nil
}

func (t *tickets) end(secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.held, digest(secret))
}
