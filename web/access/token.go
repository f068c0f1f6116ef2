package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"furrow/appliance/state"
)

const (
	// tokenPrefix lets secret scanners and people know what they see.
	tokenPrefix = "furrow_"
	// maxTokens is more than any office needs.
	maxTokens = 1000
	// tokenID is how much of its digest names a token, in characters.
	tokenID = 16
)

// Token lets a program in.
type Token struct {
	ID      string
	Name    string
	Role    Role
	Created time.Time
	// Expires is zero for one that does not.
	Expires time.Time
	// LastUsed is to the minute, zero for never.
	LastUsed time.Time
}

type tokenRow struct {
	ID       string    `json:"id"`
	Hash     string    `json:"hash"` // digest
	Name     string    `json:"name"`
	Role     Role      `json:"role"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
	LastUsed time.Time `json:"lastUsed,omitzero"`
}

func (r tokenRow) show() Token {
	return Token{ID: r.ID, Name: r.Name, Role: r.Role, Created: r.Created, Expires: r.Expires, LastUsed: r.LastUsed}
}

func (r tokenRow) over(now time.Time) bool { return !r.Expires.IsZero() && now.After(r.Expires) }

// AddToken makes an API token, good until expires, or for ever when that is zero. The secret is returned this once.
func (c *Control) AddToken(ctx context.Context, name string, role Role, expires time.Time) (_ Token, secret string, err error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxDisplayName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return Token{}, "", invalid("name", "a token's name has 1 to %d octets in one line", maxDisplayName)
	}
	if !slices.Contains(TokenRoles(), role) {
		return Token{}, "", invalid("role", "%q is no role of a token: want server, domain, member, auditor or metrics", role)
	}
	if !expires.IsZero() && !expires.After(c.Now()) {
		return Token{}, "", invalid("expires", "the token would have expired already")
	}
	secret = tokenPrefix + newSecret()
	hash := digest(secret)
	row := tokenRow{ID: hash[:tokenID], Hash: hash, Name: name, Role: role, Created: c.Now(), Expires: expires}
	err = c.Store.Update(ctx, func(tx *state.Tx) error {
		if c.Tables.tokens.Len(tx) >= maxTokens {
			return invalid("name", "there are %d tokens already", maxTokens)
		}
		return c.Tables.tokens.Put(tx, row)
	})
	if err != nil {
		return Token{}, "", err
	}
	return row.show(), secret, nil
}

// Tokens returns all, those that have expired too.
func (c *Control) Tokens() []Token {
	all := []Token{}
	for r := range c.Tables.tokens.All(c.Store.Snapshot()) {
		all = append(all, r.show())
	}
	return all
}

// RemoveToken removes one.
func (c *Control) RemoveToken(ctx context.Context, id string) (Token, error) {
	var row tokenRow
	err := c.Store.Update(ctx, func(tx *state.Tx) error {
		var ok bool
		if row, ok = c.Tables.tokens.Get(tx, id); !ok {
			return ErrUnknown
		}
		c.Tables.tokens.Delete(tx, id)
		return nil
	})
	if err != nil {
		return Token{}, fmt.Errorf("token %s: %w", id, err)
	}
	return row.show(), nil
}

// TokenActor returns who asks with a token, and notes that it is used. It answers ErrSignedOut for a token that is not
// good and *WaitError after too many of those from one address.
func (c *Control) TokenActor(ctx context.Context, secret, address string) (Actor, error) {
	key := "token " + network(address)
	row, ok := c.Tables.byToken.First(c.Store.Snapshot(), digest(secret))
	if !ok || row.over(c.Now()) {
		c.failures.Add(1)
		if wait := c.throttle.enter(key); wait > 0 {
			return Actor{}, &WaitError{wait}
		}
		c.Log.Warn("API token refused", "address", address)
		return Actor{}, ErrSignedOut
	}
	if now := c.Now(); now.Sub(row.LastUsed) >= touchInterval {
		err := c.Store.Update(ctx, func(tx *state.Tx) error {
			if _, ok := c.Tables.tokens.Get(tx, row.ID); !ok {
				return ErrSignedOut
			}
			row.LastUsed = now
			return c.Tables.tokens.Put(tx, row)
		})
		if errors.Is(err, ErrSignedOut) {
			return Actor{}, err
		}
		if err != nil {
			c.Log.Warn("use of an API token not noted", "token", row.Name, "error", err)
		}
	}
	return Actor{Name: row.Name, Role: row.Role, Origin: API, Address: address}, nil
}
