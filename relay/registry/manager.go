package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
)

// Manager is a management server that the relay knows (MS-GRVSPMR 3.2.1).
type Manager struct {
	GUID         string `json:"guid"`
	Name         string `json:"name"` // as in its messages, hostname/gms.dll
	Organization string `json:"organization"`
	ServerURL    string `json:"serverURL"`
	Certificate  []byte `json:"certificate"` // DER
	// Registered is the time of the last Registration, zero without a shared key.
	Registered time.Time `json:"registered,omitzero"`
	// Epoch is 0 if the manager must build the user database.
	Epoch int32 `json:"epoch"`
	// Inactive says that the manager has made the relay inactive.
	Inactive bool `json:"inactive"`
	// Building says that the user database is being built.
	Building bool `json:"building"`
}

type managerRow struct {
	Manager
	// SealedKey is the shared key and KeyID its digest in hexadecimal digits;
	// empty without one.
	SealedKey []byte `json:"sealedKey,omitempty"`
	KeyID     string `json:"keyID,omitempty"`
	// Requests counts the notes of requests under this key.
	Requests int `json:"requests"`
	// Build counts the builds of the user database that have begun.
	Build int64 `json:"build"`
}

// spentKeyRow is a key that a manager once shared, so that the recording of its
// Registration cannot bring it back.
type spentKeyRow struct {
	Manager string `json:"manager"`
	KeyID   string `json:"keyID"`
}

func managerKeyPurpose(guid string) string { return "relay manager key/" + guid }

// Managers returns the managers in order of their GUIDs.
func (r *Registry) Managers() []Manager {
	var managers []Manager
	for row := range r.t.managers.All(r.store.Snapshot()) {
		managers = append(managers, row.Manager)
	}
	return managers
}

// ManagerByName returns the manager with this name in any spelling, or
// ErrManagerNotFound.
func (r *Registry) ManagerByName(name string) (Manager, error) {
	row, ok := r.t.managersByName.First(r.store.Snapshot(), spmr.FoldManagerName(name))
	if !ok {
		return Manager{}, fmt.Errorf("%w: %q", ErrManagerNotFound, name)
	}
	return row.Manager, nil
}

// ImportManager makes a management server known, or replaces what is known of
// the one with its GUID. With other keys it must register anew and build the user
// database; a new certificate of the same keys, or another name, changes nothing
// else.
func (r *Registry) ImportManager(ctx context.Context, id *spmr.ManagerIdentity) (Manager, error) {
	if err := id.Check(); err != nil {
		return Manager{}, fmt.Errorf("importing management server %q: %w", id.Name, err)
	}
	var row managerRow
	changed := false
	err := r.store.Update(ctx, func(tx *state.Tx) error {
		before, known := r.t.managers.Get(tx, id.GUID)
		row = before
		if known {
			same, err := sameKeys(row.Certificate, id.Certificate)
			if err != nil {
				return err
			}
			if !same {
				if err := r.dropKey(tx, &row); err != nil {
					return err
				}
				row.Epoch, row.Building = 0, false
			}
		}
		row.GUID, row.Name, row.Organization, row.ServerURL = id.GUID, id.Name, id.Organization, id.ServerURL
		row.Certificate = id.Certificate.DER()
		if changed = !reflect.DeepEqual(row, before); !changed {
			return nil
		}
		return r.t.managers.Put(tx, row)
	})
	if errors.Is(err, state.ErrConflict) {
		err = ErrManagerName
	}
	if err != nil {
		return Manager{}, fmt.Errorf("importing management server %q: %w", id.Name, err)
	}
	if changed {
		r.log.Info("management server imported", "manager", row.GUID, "name", row.Name)
	}
	return row.Manager, nil
}

// sameKeys reports whether two certificates, the first in DER, are of the same
// keys.
func sameKeys(der []byte, other *keys.Certificate) (bool, error) {
	known, err := keys.ParseCertificate(der)
	if err != nil {
		return false, fmt.Errorf("certificate of a management server: %w", err)
	}
	return known.SignatureKey().Equal(other.SignatureKey()) &&
		bytes.Equal(known.EncryptionKey().DER(), other.EncryptionKey().DER()), nil
}

// RemoveManager forgets a management server and the users it announced. What
// these have registered stays, locked out.
func (r *Registry) RemoveManager(ctx context.Context, guid string) error {
	err := r.store.Update(ctx, func(tx *state.Tx) error {
		row, ok := r.t.managers.Get(tx, guid)
		if !ok {
			return ErrManagerNotFound
		}
		if err := r.dropKey(tx, &row); err != nil {
			return err
		}
		for spent := range prefixed(r.t.spentKeys, tx, guid) {
			r.t.spentKeys.Delete(tx, joinKey(guid, spent.KeyID))
		}
		for user := range r.t.usersByManager.Find(tx, guid) {
			r.t.users.Delete(tx, user.Hash)
		}
		r.t.managers.Delete(tx, guid)
		return nil
	})
	if err != nil {
		return fmt.Errorf("removing management server %s: %w", guid, err)
	}
	r.log.Info("management server removed", "manager", guid)
	r.changed()
	return nil
}

// RequestRebuild sets a manager's epoch to 0: the next response makes it build
// the user database anew.
func (r *Registry) RequestRebuild(ctx context.Context, guid string) error {
	return r.changeManager(ctx, guid, "rebuild requested", func(m *managerRow) { m.Epoch = 0 })
}

// Activate makes the relay active again where a manager has left it inactive and
// does not come back. An unfinished build has to be done anew.
func (r *Registry) Activate(ctx context.Context, guid string) error {
	return r.changeManager(ctx, guid, "made active", func(m *managerRow) {
		if m.Building {
			m.Epoch, m.Building = 0, false
		}
		m.Inactive = false
	})
}

func (r *Registry) changeManager(ctx context.Context, guid, what string, change func(*managerRow)) error {
	err := r.store.Update(ctx, func(tx *state.Tx) error {
		row, ok := r.t.managers.Get(tx, guid)
		if !ok {
			return ErrManagerNotFound
		}
		change(&row)
		return r.t.managers.Put(tx, row)
	})
	if err != nil {
		return fmt.Errorf("management server %s: %w", guid, err)
	}
	r.log.Info("management server "+what, "manager", guid)
	r.changed()
	return nil
}

// Quiescent reports whether a manager has made the relay inactive: then it serves
// no user (MS-GRVSPMR 3.2.4.4).
func (r *Registry) Quiescent() bool {
	for row := range r.t.managers.All(r.store.Snapshot()) {
		if row.Inactive {
			return true
		}
	}
	return false
}

// ShareKey records the key of a Registration whose sender has proved to be the
// manager (MS-GRVSPMR 3.2.4.1.3), and returns the epoch to answer. The key that
// the manager has already is confirmed; one it had before is ErrSpentKey.
func (r *Registry) ShareKey(ctx context.Context, manager string, key keys.SharedKey) (epoch int32, err error) {
	id := key.ID().String()
	sealed, err := r.vault.Seal(managerKeyPurpose(manager), key.Bytes())
	if err != nil {
		return 0, fmt.Errorf("sealing the key of management server %s: %w", manager, err)
	}
	err = r.store.Update(ctx, func(tx *state.Tx) error {
		row, ok := r.t.managers.Get(tx, manager)
		if !ok {
			return ErrManagerNotFound
		}
		if row.Building {
			row.Epoch, row.Building = 0, false
		}
		epoch = row.Epoch
		if row.KeyID == id {
			return r.t.managers.Put(tx, row)
		}
		if _, spent := r.t.spentKeys.Get(tx, joinKey(manager, id)); spent {
			return ErrSpentKey
		}
		if err := r.dropKey(tx, &row); err != nil {
			return err
		}
		row.SealedKey, row.KeyID, row.Registered = sealed, id, r.now().UTC()
		return r.t.managers.Put(tx, row)
	})
	if err != nil {
		return 0, fmt.Errorf("registering management server %s: %w", manager, err)
	}
	return epoch, nil
}

// dropKey takes the shared key from row, which the caller stores, with the notes
// of the requests that were secured with it.
func (r *Registry) dropKey(tx *state.Tx, row *managerRow) error {
	if row.KeyID != "" {
		if err := r.t.spentKeys.Put(tx, spentKeyRow{row.GUID, row.KeyID}); err != nil {
			return err
		}
	}
	for note := range prefixed(r.t.requests, tx, row.GUID) {
		r.t.requests.Delete(tx, joinKey(row.GUID, note.ID))
	}
	row.SealedKey, row.KeyID, row.Registered, row.Requests = nil, "", time.Time{}, 0
	return nil
}

// SharedKey returns the key shared with a manager, or ErrNotRegistered.
func (r *Registry) SharedKey(manager string) (keys.SharedKey, error) {
	row, ok := r.t.managers.Get(r.store.Snapshot(), manager)
	if !ok || row.KeyID == "" {
		return keys.SharedKey{}, fmt.Errorf("%w: %s", ErrNotRegistered, manager)
	}
	return r.openKey(managerKeyPurpose(manager), row.SealedKey)
}

func (r *Registry) openKey(purpose string, sealed []byte) (keys.SharedKey, error) {
	plain, err := r.vault.Open(purpose, sealed)
	if err != nil {
		return keys.SharedKey{}, fmt.Errorf("opening a shared key: %w", err)
	}
	return keys.NewSharedKey(plain)
}
