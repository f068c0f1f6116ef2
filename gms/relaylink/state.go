package relaylink

import (
	"context"
	"encoding/json"
	"fmt"

	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
)

// phase is how far a build of a relay's user database has come (MS-GRVSPMR
// 3.3.4.4.1).
type phase string

const (
	built    phase = ""      // nothing to do
	buildDue phase = "due"   // the relay has to be made inactive
	building phase = "begun" // it is inactive, users are being added
)

// linkRow is what is known of the connection to a relay.
type linkRow struct {
	Relay string `json:"relay"` // GUID
	// SealedKey is the shared key, empty without one, and RelayKey the hash of the
	// relay's encryption key that it was sent under, in hexadecimal digits: a relay
	// that has other keys is another relay.
	SealedKey []byte `json:"sealedKey,omitempty"`
	RelayKey  string `json:"relayKey,omitempty"`
	Phase     phase  `json:"phase,omitempty"`
	// Wanted are the settings that the relay should have, nil to leave it its own;
	// Defaults are those that it has acknowledged, nil if that is not known.
	Wanted   *spmr.RelayDefault `json:"wanted,omitempty"`
	Defaults *spmr.RelayDefault `json:"defaults,omitempty"`
}

// userRow is what a relay knows of a user. It is there from before the relay first
// hears of the user; where an answer is outstanding, what it would say is
// not known.
type userRow struct {
	Relay string `json:"relay"` // GUID
	User  string `json:"user"`  // userId
	Added bool   `json:"added"` // acknowledged
	// Lockout is what the relay has acknowledged last, if LockoutKnown.
	Lockout      bool `json:"lockout"`
	LockoutKnown bool `json:"lockoutKnown"`
	// Purged says that the messages of the deleted member are gone.
	Purged bool `json:"purged,omitempty"`
}

// usersVersion is the version of a userRow's JSON form. In 1 the user was called
// member, whose GUID it was.
const usersVersion = 2

func upgradeUser(_ int, data []byte) (userRow, error) {
	var old struct {
		userRow
		Member string `json:"member"`
	}
	err := json.Unmarshal(data, &old)
	old.User = old.Member
	return old.userRow, err
}

func linkKeyPurpose(relay string) string { return "relay link key/" + relay }

func (l *Links) rowAt(r state.Reader, relay string) linkRow {
	row, ok := l.t.links.Get(r, relay)
	if !ok {
		return linkRow{Relay: relay}
	}
	return row
}

// change edits the row of a link.
func (l *Links) change(ctx context.Context, relay string, edit func(*linkRow)) error {
	err := l.store.Update(ctx, func(tx *state.Tx) error {
		row := l.rowAt(tx, relay)
		edit(&row)
		return l.t.links.Put(tx, row)
	})
	if err != nil {
		return fmt.Errorf("recording the state of relay %s: %w", relay, err)
	}
	return nil
}

// SetDefaults sets the settings that a relay is to have. Numbers must be positive
// (MS-GRVSPMR 2.2.3.6.1).
func (l *Links) SetDefaults(ctx context.Context, relay string, wanted spmr.RelayDefault) error {
	if min(wanted.DeviceLifetime, wanted.DeviceQuota, wanted.IdentityLifetime, wanted.IdentityQuota) <= 0 {
		return fmt.Errorf("settings of relay %s: lifetimes and quotas must be positive", relay)
	}
	if _, err := l.relayAt(relay); err != nil {
		return fmt.Errorf("settings of relay %s: %w", relay, err)
	}
	return l.change(ctx, relay, func(row *linkRow) { row.Wanted = &wanted })
}

// Rebuild makes the user database of a relay be built anew, though the relay has
// not asked for it. Meanwhile the relay is inactive.
func (l *Links) Rebuild(ctx context.Context, relay string) error {
	if _, err := l.relayAt(relay); err != nil {
		return fmt.Errorf("rebuilding the users of relay %s: %w", relay, err)
	}
	return l.change(ctx, relay, func(row *linkRow) { row.Phase = buildDue })
}

// beginBuild records that the relay is inactive, and forgets what it has
// acknowledged; what was purged stays purged.
func (l *Links) beginBuild(ctx context.Context, relay string) error {
	err := l.store.Update(ctx, func(tx *state.Tx) error {
		for user := range l.t.users.Range(tx, relay+"\x00", relay+"\x01") {
			user.Added, user.LockoutKnown = false, false
			if err := l.t.users.Put(tx, user); err != nil {
				return err
			}
		}
		row := l.rowAt(tx, relay)
		row.Phase, row.Defaults = building, nil
		return l.t.links.Put(tx, row)
	})
	if err != nil {
		return fmt.Errorf("recording the build of relay %s: %w", relay, err)
	}
	return nil
}

// forget removes the rows of users.
func (l *Links) forget(ctx context.Context, relay string, users []string) error {
	err := l.store.Update(ctx, func(tx *state.Tx) error {
		for _, user := range users {
			l.t.users.Delete(tx, userKey(relay, user))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forgetting users of relay %s: %w", relay, err)
	}
	return nil
}

// record edits the rows of users. Without a difference nothing is written.
func (l *Links) record(ctx context.Context, relay string, users []string, edit func(*userRow)) error {
	err := l.store.Update(ctx, func(tx *state.Tx) error {
		for _, user := range users {
			before, known := l.t.users.Get(tx, userKey(relay, user))
			row := before
			row.Relay, row.User = relay, user
			edit(&row)
			if known && row == before {
				continue
			}
			if err := l.t.users.Put(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording what relay %s knows: %w", relay, err)
	}
	return nil
}
