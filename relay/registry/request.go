package registry

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"math"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
)

// maxRequests bounds the notes of requests under one key. A manager that has sent
// as many must register anew, which makes them worthless; at a change each
// minute that is after six weeks.
const maxRequests = 1 << 16

// Request names a request of a manager, opened and proven.
type Request struct {
	Manager string         // GUID
	Key     keys.SharedKey // under which it was secured
	// ID is the request's IV: the same for no other request under the key, and for
	// every copy of this one.
	ID [spmr.SharedKeySize]byte
}

// requestRow is the note of a request that was carried out.
type requestRow struct {
	Manager string `json:"manager"`
	ID      string `json:"id"`
}

// carryOut applies change to the manager's row and other tables in one
// transaction with the note of the request, and returns the epoch to answer. A
// request that was carried out before changes nothing. It fails with
// ErrNotRegistered if the key is not, or no longer, the manager's.
func (r *Registry) carryOut(ctx context.Context, q Request, change func(*state.Tx, *managerRow) error) (epoch int32, err error) {
	id, key := hex.EncodeToString(q.ID[:]), q.Key.ID().String()
	exhausted := false
	err = r.store.Update(ctx, func(tx *state.Tx) error {
		row, ok := r.t.managers.Get(tx, q.Manager)
		if !ok || row.KeyID != key {
			return ErrNotRegistered
		}
		epoch = row.Epoch
		if _, done := r.t.requests.Get(tx, joinKey(q.Manager, id)); done {
			return nil
		}
		if exhausted = row.Requests >= maxRequests; exhausted {
			if err := r.dropKey(tx, &row); err != nil {
				return err
			}
			return r.t.managers.Put(tx, row)
		}
		if err := change(tx, &row); err != nil {
			return err
		}
		row.Requests++
		epoch = row.Epoch
		if err := r.t.requests.Put(tx, requestRow{q.Manager, id}); err != nil {
			return err
		}
		return r.t.managers.Put(tx, row)
	})
	if err == nil && exhausted {
		err = ErrNotRegistered
	}
	if err != nil {
		return 0, fmt.Errorf("request of management server %s: %w", q.Manager, err)
	}
	r.changed()
	return epoch, nil
}

// Done reports whether a request was carried out.
func (r *Registry) Done(q Request) bool {
	_, done := r.t.requests.Get(r.store.Snapshot(), joinKey(q.Manager, hex.EncodeToString(q.ID[:])))
	return done
}

// count counts the epoch up, unless a build is due.
func (m *managerRow) count() {
	switch m.Epoch {
	case 0:
	case math.MaxInt32:
		m.Epoch = 1
	default:
		m.Epoch++
	}
}

// SetDefaults changes the relay's settings (MS-GRVSPMR 3.2.4.3). Values that are
// not positive are ignored.
func (r *Registry) SetDefaults(ctx context.Context, q Request, s Settings) (epoch int32, err error) {
	return r.carryOut(ctx, q, func(tx *state.Tx, m *managerRow) error {
		m.count()
		return r.t.settings.Put(tx, settingsRow{r.settingsAt(tx).override(s)})
	})
}

// SetInactive makes the relay inactive or active (MS-GRVSPMR 3.2.4.4), and so
// begins or completes a build of the user database where one is due.
func (r *Registry) SetInactive(ctx context.Context, q Request, inactive bool) (epoch int32, err error) {
	return r.carryOut(ctx, q, func(tx *state.Tx, m *managerRow) error {
		m.Inactive = inactive
		switch {
		case inactive && (m.Epoch == 0 || m.Building):
			m.Building = true
			m.Build++
			m.Epoch = max(m.Epoch, 1)
		case !inactive && m.Building:
			m.Building = false
			for user := range r.t.usersByManager.Find(tx, m.GUID) {
				if user.Build != m.Build {
					r.t.users.Delete(tx, user.Hash)
				}
			}
		}
		m.count()
		return nil
	})
}

// Acknowledge notes a request that changes nothing here, such as a purge that was
// carried out elsewhere.
func (r *Registry) Acknowledge(ctx context.Context, q Request) (epoch int32, err error) {
	return r.carryOut(ctx, q, func(_ *state.Tx, m *managerRow) error {
		m.count()
		return nil
	})
}

// prefixed returns the rows whose key is a joinKey that begins with first.
func prefixed[R any](t *state.Table[R], reader state.Reader, first string) iter.Seq[R] {
	return t.Range(reader, first+"\x00", first+"\x01")
}
