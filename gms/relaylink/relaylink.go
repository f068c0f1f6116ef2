// Package relaylink is the management server's side of relay management: the
// client role of [MS-GRVSPMR]. It keeps the user database of every relay in the
// directory as the directory's members say.
//
// # Wanted and acknowledged
//
// There is no list of messages to send. What a relay should know follows from the
// directory: each member whose relay set names it is a user, a disabled or deleted
// one is locked out, the messages of a deleted one are purged. What the relay has
// acknowledged stands in this package's tables. A pass compares the two in one
// snapshot and sends the difference. Before a message is sent, what it will change
// is recorded as not known, and after the answer as what it is. So nothing is
// forgotten whatever is lost or killed and whenever: an answer that did not arrive
// leaves a difference, and every message may come twice.
//
// Lockout is always told after a user was added, because a relay that knew the
// user already keeps what it had. A member whose relay set names the relay no
// more stays a user, so that it can fetch what is stored there.
//
// # Building
//
// A response with epoch 0 starts a build of the user database (MS-GRVSPMR
// 3.3.4.4.1): the relay is made inactive, everything acknowledged is forgotten,
// passes send it anew, and the relay is made active. Its phase is durable; after a
// restart the build goes on where it was. A relay that must be registered with
// (fault 304) answers epoch 0 if it has to begin again.
//
// # Time
//
// A change is looked for every few seconds; [Links.Nudge] looks at once. A relay
// that fails is tried again after a pause that doubles. Each relay has a goroutine
// of its own, so that one that does not answer delays no other.
//
// [MS-GRVSPMR]: https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-grvspmr
package relaylink

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/directory"
)

// Tables are the tables of relay management in a store's schema.
type Tables struct {
	manager *state.Table[managerRow]
	links   *state.Table[linkRow]
	users   *state.Table[userRow]
}

// Declare adds the tables to a schema.
func Declare(s *state.Schema) *Tables {
	return &Tables{
		manager: state.Define(s, "relayManagerIdentity", state.TableOptions[managerRow]{Version: 1, Key: func(managerRow) string { return managerKey }}),
		links:   state.Define(s, "relayLinks", state.TableOptions[linkRow]{Version: 1, Key: func(r linkRow) string { return r.Relay }}),
		users:   state.Define(s, "relayLinkUsers", state.TableOptions[userRow]{Version: usersVersion, Upgrade: upgradeUser, Key: func(r userRow) string { return userKey(r.Relay, r.User) }}),
	}
}

// userKey joins GUIDs, which hold no control character.
func userKey(relay, user string) string { return strings.Join([]string{relay, user}, "\x00") }

// Config is what Links work with.
type Config struct {
	Store     *state.Store // the directory's
	Tables    *Tables      // declared in the schema Store was opened with
	Directory *directory.Directory
	Vault     *keys.Vault
	// Transport returns what carries requests to a relay; for the relay on the
	// same box that is one in memory.
	Transport func(directory.Relay) http.RoundTripper
	// Now gives the time for the status.
	Now func() time.Time
	Log *slog.Logger
	// GenerateKeys makes the manager's keys. Usually keys.GenerateKeySet.
	GenerateKeys func() (*keys.KeySet, error)
}

// Links manages the relays of a directory. It is safe for concurrent use.
type Links struct {
	store        *state.Store
	t            *Tables
	directory    *directory.Directory
	vault        *keys.Vault
	transport    func(directory.Relay) http.RoundTripper
	now          func() time.Time
	log          *slog.Logger
	generateKeys func() (*keys.KeySet, error)

	mu    sync.Mutex
	links map[string]*link // by relay GUID
}

// New returns the links over an open store. They do nothing before Run or Sync.
func New(c Config) *Links {
	return &Links{
		store:        c.Store,
		t:            c.Tables,
		directory:    c.Directory,
		vault:        c.Vault,
		transport:    c.Transport,
		now:          c.Now,
		log:          c.Log,
		generateKeys: c.GenerateKeys,
		links:        map[string]*link{},
	}
}

// of returns the link to a relay.
func (l *Links) of(relay string) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.links[relay]
	if !ok {
		one = &link{Links: l, relay: relay, nudged: make(chan struct{}, 1)}
		l.links[relay] = one
	}
	return one
}

// relayAt returns a relay of the directory.
func (l *Links) relayAt(guid string) (directory.Relay, error) {
	for _, relay := range l.directory.Relays() {
		if relay.GUID == guid {
			return relay, nil
		}
	}
	return directory.Relay{}, directory.ErrRelayNotFound
}

// Run manages every relay of the directory until ctx ends, and returns when all
// that it started has ended. The manager must have its identity.
func (l *Links) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	started := map[string]bool{}
	for {
		for _, relay := range l.directory.Relays() {
			if !started[relay.GUID] {
				started[relay.GUID] = true
				running.Go(func() { l.of(relay.GUID).run(ctx) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollInterval):
		}
	}
}

// Nudge makes Run look for changes at once, and try again where it waits after a
// failure.
func (l *Links) Nudge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.links {
		select {
		case one.nudged <- struct{}{}:
		default:
		}
	}
}

// Sync brings one relay to what the directory says, now, and returns why it
// cannot.
func (l *Links) Sync(ctx context.Context, relay string) error { return l.of(relay).sync(ctx) }
