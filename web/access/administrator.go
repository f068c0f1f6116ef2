package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"furrow/appliance/state"
)

const (
	maxName        = 64
	maxDisplayName = 128
	// maxAdministrators is more than any office needs.
	maxAdministrators = 1000
	// handleSize is the size of the identifier by which passkeys know an administrator (WebAuthn 5.4.3), in octets.
	handleSize = 32
)

// Administrator is a person who may administer the box.
type Administrator struct {
	Name        string // in lower case
	DisplayName string
	Role        Role
	Created     time.Time
	LastSignIn  time.Time // zero before the first
	// Disabled says that nobody may sign in as this one.
	Disabled bool
	// TOTP says that signing in needs a code beside the password; RecoveryCodes is how many of those are left.
	TOTP          bool
	RecoveryCodes int
	Passkeys      []Passkey
}

// NewAdministrator is what an administrator is made of.
type NewAdministrator struct {
	Name        string
	DisplayName string // empty for the name
	Role        Role
	Password    string
}

// administratorRow is an administrator as kept.
type administratorRow struct {
	Name        string    `json:"name"` // folded
	DisplayName string    `json:"displayName"`
	Role        Role      `json:"role"`
	Password    string    `json:"password"` // hash
	Handle      []byte    `json:"handle"`   // WebAuthn user handle
	Created     time.Time `json:"created"`
	LastSignIn  time.Time `json:"lastSignIn,omitzero"`
	Disabled    bool      `json:"disabled,omitempty"`
	// Networks are those that the administrator has signed in from, the last one first.
	Networks []string `json:"networks,omitempty"`
	TOTP     []byte   `json:"totp,omitempty"` // sealed secret
	// TOTPStep is the last interval whose code was used: none counts twice.
	TOTPStep int64        `json:"totpStep,omitempty"`
	Recovery []string     `json:"recovery,omitempty"` // digests
	Passkeys []passkeyRow `json:"passkeys,omitempty"`
}

func (r administratorRow) show() Administrator {
	shown := Administrator{
		Name: r.Name, DisplayName: r.DisplayName, Role: r.Role, Created: r.Created, LastSignIn: r.LastSignIn,
		Disabled: r.Disabled, TOTP: r.TOTP != nil, RecoveryCodes: len(r.Recovery),
	}
	for _, p := range r.Passkeys {
		shown.Passkeys = append(shown.Passkeys, p.show())
	}
	return shown
}

// fold is a name as it counts.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func checkName(name string) error {
	bad := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-@", r)
	}
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, bad) {
		return invalid("name", "a name has 1 to %d letters, digits, points, hyphens, underscores and @", maxName)
	}
	return nil
}

func checkDisplayName(name string) error {
	if len(name) > maxDisplayName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return invalid("displayName", "a displayed name has at most %d octets in one line", maxDisplayName)
	}
	return nil
}

// Administrators returns all, by name.
func (c *Control) Administrators() []Administrator {
	all := []Administrator{}
	for r := range c.Tables.administrators.All(c.Store.Snapshot()) {
		all = append(all, r.show())
	}
	return all
}

// Administrator returns one.
func (c *Control) Administrator(name string) (Administrator, error) {
	r, ok := c.Tables.administrators.Get(c.Store.Snapshot(), fold(name))
	if !ok {
		return Administrator{}, fmt.Errorf("administrator %s %w", name, ErrUnknown)
	}
	return r.show(), nil
}

// Add makes an administrator.
func (c *Control) Add(ctx context.Context, q NewAdministrator) (Administrator, error) {
	row, err := c.newRow(ctx, q)
	if err != nil {
		return Administrator{}, err
	}
	err = c.Store.Update(ctx, func(tx *state.Tx) error { return c.insert(tx, row) })
	if err != nil {
		return Administrator{}, err
	}
	return row.show(), nil
}

// newRow checks what an administrator is to be made of.
func (c *Control) newRow(ctx context.Context, q NewAdministrator) (administratorRow, error) {
	row := administratorRow{
		Name: fold(q.Name), DisplayName: strings.TrimSpace(q.DisplayName), Role: q.Role, Handle: make([]byte, handleSize),
		Created: c.Now(),
	}
	if row.DisplayName == "" {
		row.DisplayName = row.Name
	}
	if err := checkName(row.Name); err != nil {
		return row, err
	}
	if err := checkDisplayName(row.DisplayName); err != nil {
		return row, err
	}
	if _, err := ParseRole(string(row.Role)); err != nil {
		return row, err
	}
	if err := CheckPassword(row.Name, q.Password); err != nil {
		return row, err
	}
	rand.Read(row.Handle) // never fails
	var err error
	row.Password, err = c.hashPassword(ctx, q.Password)
	return row, err
}

func (c *Control) insert(tx *state.Tx, row administratorRow) error {
	if _, taken := c.Tables.administrators.Get(tx, row.Name); taken {
		return fmt.Errorf("administrator %s: %w", row.Name, ErrTaken)
	}
	if c.Tables.administrators.Len(tx) >= maxAdministrators {
		return invalid("name", "there are %d administrators already", maxAdministrators)
	}
	return c.Tables.administrators.Put(tx, row)
}

// Change changes what is not nil.
type Change struct {
	DisplayName *string
	Role        *Role
	Disabled    *bool
}

// Edit changes an administrator. A new role holds from the next request on; disabling ends all sessions.
func (c *Control) Edit(ctx context.Context, name string, q Change) (Administrator, error) {
	return c.edit(ctx, name, func(tx *state.Tx, row *administratorRow) error {
		if q.DisplayName != nil {
			if row.DisplayName = strings.TrimSpace(*q.DisplayName); row.DisplayName == "" {
				row.DisplayName = row.Name
			}
			if err := checkDisplayName(row.DisplayName); err != nil {
				return err
			}
		}
		if q.Role != nil && *q.Role != row.Role {
			if _, err := ParseRole(string(*q.Role)); err != nil {
				return err
			}
			if err := c.spare(tx, *row); err != nil {
				return err
			}
			row.Role = *q.Role
		}
		if q.Disabled != nil && *q.Disabled != row.Disabled {
			if *q.Disabled {
				if err := c.spare(tx, *row); err != nil {
					return err
				}
				c.endSessions(tx, row.Name, "")
			}
			row.Disabled = *q.Disabled
		}
		return nil
	})
}

// edit changes a row in a transaction.
func (c *Control) edit(ctx context.Context, name string, change func(*state.Tx, *administratorRow) error) (Administrator, error) {
	var row administratorRow
	err := c.Store.Update(ctx, func(tx *state.Tx) error {
		var ok bool
		if row, ok = c.Tables.administrators.Get(tx, fold(name)); !ok {
			return ErrUnknown
		}
		if err := change(tx, &row); err != nil {
			return err
		}
		return c.Tables.administrators.Put(tx, row)
	})
	if err != nil {
		return Administrator{}, fmt.Errorf("administrator %s: %w", name, err)
	}
	return row.show(), nil
}

// spare refuses to lose the last administrator who may do everything.
func (c *Control) spare(tx *state.Tx, row administratorRow) error {
	if row.Role != Server || row.Disabled {
		return nil
	}
	for other := range c.Tables.administrators.All(tx) {
		if other.Role == Server && other.Name != row.Name && !other.Disabled {
			return nil
		}
	}
	return ErrLastServer
}

// Remove removes an administrator with all sessions. API tokens stay: they are nobody's.
func (c *Control) Remove(ctx context.Context, name string) (Administrator, error) {
	var row administratorRow
	err := c.Store.Update(ctx, func(tx *state.Tx) error {
		var ok bool
		if row, ok = c.Tables.administrators.Get(tx, fold(name)); !ok {
			return ErrUnknown
		}
		if err := c.spare(tx, row); err != nil {
			return err
		}
		c.Tables.administrators.Delete(tx, row.Name)
		c.endSessions(tx, row.Name, "")
		return nil
	})
	if err != nil {
		return Administrator{}, fmt.Errorf("administrator %s: %w", name, err)
	}
	return row.show(), nil
}

// SetPassword gives an administrator another password and ends all their sessions. Unless keepFactors, second factors
// and passkeys go too, for somebody who has lost them.
func (c *Control) SetPassword(ctx context.Context, name, password string, keepFactors bool) (Administrator, error) {
	if err := CheckPassword(fold(name), password); err != nil {
		return Administrator{}, err
	}
	hash, err := c.hashPassword(ctx, password)
	if err != nil {
		return Administrator{}, err
	}
	return c.edit(ctx, name, func(tx *state.Tx, row *administratorRow) error {
		row.Password = hash
		if !keepFactors {
			row.TOTP, row.TOTPStep, row.Recovery, row.Passkeys = nil, 0, nil, nil
		}
		c.endSessions(tx, row.Name, "")
		return nil
	})
}

// ChangeOwnPassword gives an administrator who knows the old password another one, and ends their other sessions.
func (c *Control) ChangeOwnPassword(ctx context.Context, session, old, password string) error {
	s, row, err := c.session(session)
	if err != nil {
		return err
	}
	if err := CheckPassword(row.Name, password); err != nil {
		return err
	}
	if err := c.prove(ctx, row, old, s.Address); err != nil {
		return err
	}
	hash, err := c.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	_, err = c.edit(ctx, row.Name, func(tx *state.Tx, row *administratorRow) error {
		row.Password = hash
		c.endSessions(tx, row.Name, s.Hash)
		return nil
	})
	return err
}
