package registry

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"furrow/appliance/state"
	"furrow/sstp/auth"
)

// User is an entry of the user database (MS-GRVSPMR 3.2.1).
type User struct {
	ID        string    `json:"id"`      // the userId as announced, which is the pre-authentication token
	Manager   string    `json:"manager"` // GUID
	LockedOut bool      `json:"lockedOut"`
	Added     time.Time `json:"added"`
}

type userRow struct {
	Hash string `json:"hash"` // of auth.HashUser, in hexadecimal digits
	User
	Build int64 `json:"build"` // in which the user was announced last
}

func userKey(hash auth.UserHash) string { return hex.EncodeToString(hash[:]) }

// Users returns the users of a manager in no order that means anything.
func (r *Registry) Users(manager string) []User {
	var users []User
	for row := range r.t.usersByManager.Find(r.store.Snapshot(), manager) {
		users = append(users, row.User)
	}
	return users
}

// AddUsers announces users (MS-GRVSPMR 3.2.4.5). One that is known stays as it
// is, locked out or not; but in a build everybody starts enabled, because the
// manager says after it who is not. It fails with ErrUser if another manager has
// announced one of them.
func (r *Registry) AddUsers(ctx context.Context, q Request, ids []string) (epoch int32, err error) {
	return r.carryOut(ctx, q, func(tx *state.Tx, m *managerRow) error {
		m.count()
		for _, id := range ids {
			hash := userKey(auth.HashUser(id))
			row, known := r.t.users.Get(tx, hash)
			switch {
			case known && row.Manager != m.GUID:
				return ErrUser
			case known && row.Build == m.Build:
				continue
			case !known:
				row = userRow{Hash: hash, User: User{ID: id, Manager: m.GUID, Added: r.now().UTC()}}
			}
			if m.Building {
				row.LockedOut = false
			}
			row.Build = m.Build
			if err := r.t.users.Put(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// Lockout is the wanted state of a user.
type Lockout struct {
	UserID    string
	LockedOut bool
}

// ModifyUsers disables or enables users (MS-GRVSPMR 3.2.4.7), all or none. It
// fails with ErrUser if one is not this manager's: it would otherwise believe in
// a user that is not there.
func (r *Registry) ModifyUsers(ctx context.Context, q Request, wanted []Lockout) (epoch int32, err error) {
	return r.carryOut(ctx, q, func(tx *state.Tx, m *managerRow) error {
		m.count()
		for _, w := range wanted {
			row, known := r.t.users.Get(tx, userKey(auth.HashUser(w.UserID)))
			if !known || row.Manager != m.GUID {
				return ErrUser
			}
			if row.LockedOut == w.LockedOut {
				continue
			}
			row.LockedOut = w.LockedOut
			if err := r.t.users.Put(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// UserEnabled implements [auth.Registry].
func (r *Registry) UserEnabled(user auth.UserHash) (bool, error) {
	return r.userEnabled(r.store.Snapshot(), userKey(user)), nil
}

func (r *Registry) userEnabled(reader state.Reader, hash string) bool {
	row, ok := r.t.users.Get(reader, hash)
	return ok && !row.LockedOut
}

// Holding is what the relay keeps of a user in one account: the messages to
// these identities and, if nobody else uses the account, those to its devices.
type Holding struct {
	AccountURL   string
	IdentityURLs []string
	Devices      bool
}

// Holdings returns where messages for users of a manager are kept, for
// MS-GRVSPMR 3.2.4.6. For a user without an account there are none; one of
// another manager is ErrUser.
func (r *Registry) Holdings(manager string, ids []string) ([]Holding, error) {
	view := r.store.Snapshot()
	wanted := map[string]bool{}
	for _, id := range ids {
		hash := userKey(auth.HashUser(id))
		if row, known := r.t.users.Get(view, hash); known && row.Manager != manager {
			return nil, fmt.Errorf("purging: %w", ErrUser)
		} else if known {
			wanted[hash] = true
		}
	}
	var holdings []Holding
	seen := map[string]bool{}
	for hash := range wanted {
		for account := range r.t.accountsByUser.Find(view, hash) {
			if !seen[account.URL] {
				seen[account.URL] = true
				holdings = append(holdings, r.holding(view, account, wanted))
			}
		}
	}
	return holdings, nil
}

func (r *Registry) holding(reader state.Reader, account accountRow, wanted map[string]bool) Holding {
	h := Holding{AccountURL: account.URL, Devices: true}
	for _, user := range account.Users {
		h.Devices = h.Devices && wanted[user]
	}
	for identity := range r.t.identitiesByOwner.Find(reader, account.URL) {
		if wanted[identity.User] {
			h.IdentityURLs = append(h.IdentityURLs, identity.URL)
		}
	}
	return h
}
