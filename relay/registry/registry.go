// Package registry holds what a relay must remember, as tables of the state
// store: who it is, which management servers manage it and in what state they
// have left it, the users they announced, and the devices, accounts and
// identities that registered over SSTP with the keys they proved.
//
// # Managers
//
// A management server is known from its identity file, which an administrator
// hands over, and then shares a key by Registration (MS-GRVSPMR 3.2.4.1). What
// it asks for is one transaction each, together with a note of the request
// itself: a request that comes again, because its answer was lost or because
// somebody has recorded it, changes nothing and is answered with the epoch. The
// notes live as long as the key under which they were secured.
//
// # Epoch
//
// The epoch in every response tells a manager whether it must build the user
// database (MS-GRVSPMR 2.2.2.3.2). It is 0 from the import of a manager, or
// after [Registry.RequestRebuild], until the manager begins the build by making
// the relay inactive; from then on every change counts it up, as in the examples
// (section 4.3). Every time the relay is made inactive before the build is
// completed, the build begins anew. When the manager makes the relay active the
// build is complete, and users it did not announce are gone. Registration during
// a build answers 0, because a manager that lost its key may have lost its place.
//
// Users belong to the manager that announced them first; another one cannot
// announce, lock out or purge them. The relay is inactive while any manager has
// made it so.
//
// # Clients
//
// Registry implements [auth.Registry]. A URL is bound to the keys it came with
// until an administrator clears it.
//
// Secret keys are sealed in the rows (keys.Vault).
package registry

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
	"furrow/sstp"
)

// Tables are the registry's tables in a store's schema.
type Tables struct {
	relay             *state.Table[relayRow]
	settings          *state.Table[settingsRow]
	managers          *state.Table[managerRow]
	managersByName    *state.Index[managerRow]
	spentKeys         *state.Table[spentKeyRow]
	requests          *state.Table[requestRow]
	users             *state.Table[userRow]
	usersByManager    *state.Index[userRow]
	devices           *state.Table[deviceRow]
	devicesByAccount  *state.Index[deviceRow]
	devicesByGUID     *state.Index[deviceRow]
	accounts          *state.Table[accountRow]
	accountsByUser    *state.Index[accountRow]
	identities        *state.Table[identityRow]
	identitiesByOwner *state.Index[identityRow]
	identitiesByUser  *state.Index[identityRow]
}

// Declare adds the registry's tables to a schema.
func Declare(s *state.Schema) *Tables {
	t := &Tables{
		relay:      state.Define(s, "relay", state.TableOptions[relayRow]{Version: 1, Key: func(relayRow) string { return relayKey }}),
		settings:   state.Define(s, "relaySettings", state.TableOptions[settingsRow]{Version: 1, Key: func(settingsRow) string { return relayKey }}),
		managers:   state.Define(s, "relayManagers", state.TableOptions[managerRow]{Version: 1, Key: func(r managerRow) string { return r.GUID }}),
		spentKeys:  state.Define(s, "relaySpentKeys", state.TableOptions[spentKeyRow]{Version: 1, Key: func(r spentKeyRow) string { return joinKey(r.Manager, r.KeyID) }}),
		requests:   state.Define(s, "relayRequests", state.TableOptions[requestRow]{Version: 1, Key: func(r requestRow) string { return joinKey(r.Manager, r.ID) }}),
		users:      state.Define(s, "relayUsers", state.TableOptions[userRow]{Version: 1, Key: func(r userRow) string { return r.Hash }}),
		devices:    state.Define(s, "relayDevices", state.TableOptions[deviceRow]{Version: 1, Key: func(r deviceRow) string { return r.URL }}),
		accounts:   state.Define(s, "relayAccounts", state.TableOptions[accountRow]{Version: 1, Key: func(r accountRow) string { return r.URL }}),
		identities: state.Define(s, "relayIdentities", state.TableOptions[identityRow]{Version: 1, Key: func(r identityRow) string { return r.URL }}),
	}
	t.managersByName = state.DefineUnique(t.managers, "name", func(r managerRow) []string { return []string{spmr.FoldManagerName(r.Name)} })
	t.usersByManager = state.DefineIndex(t.users, "manager", func(r userRow) []string { return []string{r.Manager} })
	t.devicesByAccount = state.DefineIndex(t.devices, "account", func(r deviceRow) []string { return r.Accounts })
	t.devicesByGUID = state.DefineIndex(t.devices, "guid", func(r deviceRow) []string { return []string{sstp.DeviceGUID(r.URL)} })
	t.accountsByUser = state.DefineIndex(t.accounts, "user", func(r accountRow) []string { return r.Users })
	t.identitiesByOwner = state.DefineIndex(t.identities, "account", func(r identityRow) []string { return []string{r.Account} })
	t.identitiesByUser = state.DefineIndex(t.identities, "user", func(r identityRow) []string { return []string{r.User} })
	return t
}

// Config is what a Registry works with.
type Config struct {
	Store  *state.Store
	Tables *Tables // declared in the schema Store was opened with
	Vault  *keys.Vault
	Now    func() time.Time
	Log    *slog.Logger
	// GenerateKeys makes the two key sets of a new relay; it is called outside
	// of transactions. Usually keys.GenerateKeySet.
	GenerateKeys func() (*keys.KeySet, error)
}

// Registry reads and changes what a relay remembers. It is safe for concurrent
// use and has nothing to close.
type Registry struct {
	store        *state.Store
	t            *Tables
	vault        *keys.Vault
	now          func() time.Time
	log          *slog.Logger
	generateKeys func() (*keys.KeySet, error)

	mu       sync.Mutex
	watchers map[chan struct{}]struct{}
}

// New returns a registry over an open store.
func New(c Config) *Registry {
	return &Registry{
		store:        c.Store,
		t:            c.Tables,
		vault:        c.Vault,
		now:          c.Now,
		log:          c.Log,
		generateKeys: c.GenerateKeys,
		watchers:     map[chan struct{}]struct{}{},
	}
}

// Watch returns a channel that has a value after every change of what open
// connections and stored messages depend on: settings, the quiescent state, which
// users are enabled, and what is registered. Changes that come while a value
// waits are one value; a watcher reads again what it depends on. Stop ends it.
func (r *Registry) Watch() (changes <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers[c] = struct{}{}
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, c)
	}
}

// changed wakes the watchers, after a change is durable.
func (r *Registry) changed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// joinKey makes one key of several names, none of which holds a control
// character.
func joinKey(parts ...string) string { return strings.Join(parts, "\x00") }
