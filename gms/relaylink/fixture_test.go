// The tests run the links against the relay's real server: what both sides take
// for the protocol is the same only if they understand each other.
package relaylink_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/directory"
	"furrow/gms/relaylink"
	"furrow/gms/soap"
	"furrow/gms/soap/spmr"
	"furrow/relay/admin"
	"furrow/relay/registry"
	"furrow/sstp/auth"
)

// testSets are the key sets of all tests: making them is slow.
var testSets = sync.OnceValue(func() (sets [4]*keys.KeySet) {
	var wg sync.WaitGroup
	for i := range sets {
		wg.Go(func() {
			set, err := keys.GenerateKeySet()
			if err != nil {
				panic(err)
			}
			sets[i] = set
		})
	}
	wg.Wait()
	return sets
})

// failer is a *testing.T or *rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// member is one with what relays know it by.
type member struct {
	directory.Member
	user string
}

// box is a manager, a relay, or both on one store.
type box struct {
	dir    string
	set    int // its first key set
	store  *state.Store
	dirs   *directory.Directory
	links  *relaylink.Links
	relay  *registry.Registry
	server *admin.Server
	purges [][]registry.Holding
	wire   *wire // of the links
	now    func() time.Time
	domain directory.Domain
}

func newBox(t failer, dir string, set int, w *wire) *box {
	t.Helper()
	b := &box{dir: dir, set: set, wire: w, now: time.Now}
	b.open(t)
	return b
}

func (b *box) open(t failer) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	vault, err := keys.OpenVault(b.dir)
	must(t, err)
	schema := state.NewSchema()
	dirTables, linkTables, relayTables := directory.Declare(schema), relaylink.Declare(schema), registry.Declare(schema)
	b.store, _, err = state.Open(filepath.Join(b.dir, "state"), schema, state.Options{})
	must(t, err)
	made := 0
	generate := func() (*keys.KeySet, error) {
		made++
		return testSets()[(b.set+made)%len(testSets())], nil
	}
	b.dirs = directory.New(directory.Config{Store: b.store, Tables: dirTables, Vault: vault, Now: b.now, Log: log, GenerateKeys: generate})
	b.links = relaylink.New(relaylink.Config{
		Store: b.store, Tables: linkTables, Directory: b.dirs, Vault: vault, Now: b.now, Log: log, GenerateKeys: generate,
		Transport: func(directory.Relay) http.RoundTripper { return b.wire },
	})
	b.relay = registry.New(registry.Config{Store: b.store, Tables: relayTables, Vault: vault, Now: b.now, Log: log, GenerateKeys: generate})
}

func (b *box) close(t failer) {
	t.Helper()
	must(t, b.store.Close())
}

// restart is what a kill between two transactions leaves, and the next start.
func (b *box) restart(t failer) {
	t.Helper()
	serving := b.server != nil
	b.close(t)
	b.open(t)
	if serving {
		b.serve(t)
	}
}

// serve makes the box a relay behind the wire.
func (b *box) serve(t failer) {
	t.Helper()
	set, err := b.relay.SOAPKeys()
	must(t, err)
	b.server = admin.New(admin.Config{
		Registry: b.relay, Purger: b, Keys: set, Now: b.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

// Purge implements [admin.Purger].
func (b *box) Purge(_ context.Context, holdings []registry.Holding) error {
	b.purges = append(b.purges, holdings)
	return nil
}

func (b *box) member(t failer, name string) member {
	t.Helper()
	m, err := b.dirs.CreateMember(context.Background(), b.domain.GUID, directory.MemberDetails{FullName: name, Email: "someone@example.com"})
	must(t, err)
	for user := range b.dirs.RelayUsers(b.store.Snapshot(), "") {
		if user.Member == m.GUID {
			return member{m, user.ID}
		}
	}
	t.Fatalf("member %s is no user", m.GUID)
	return member{}
}

func (b *box) disable(t failer, m member) {
	t.Helper()
	_, err := b.dirs.DisableMember(context.Background(), m.GUID)
	must(t, err)
}

func (b *box) enable(t failer, m member) {
	t.Helper()
	_, err := b.dirs.EnableMember(context.Background(), m.GUID)
	must(t, err)
}

func (b *box) remove(t failer, m member) {
	t.Helper()
	_, err := b.dirs.DeleteMember(context.Background(), m.GUID)
	must(t, err)
}

// enabled reports whether the relay serves a member.
func (b *box) enabled(t failer, m member) bool {
	t.Helper()
	ok, err := b.relay.UserEnabled(auth.HashUser(m.user))
	must(t, err)
	return ok
}

// wire carries requests to a handler, notes them, and fails where it is told to.
type wire struct {
	handler func() http.Handler

	mu    sync.Mutex
	sent  []string // methods, RelayQuiescent as inactive and active
	down  error    // what everything answers, if set
	lose  func(n int) bool
	spoil func(n int, method string) []byte // answers instead of the relay, if not nil
	after func(n int)                       // is called after each request was served
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	method, err := soap.DecodeRequest(body, spmr.RequestRule)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	n, down := len(w.sent), w.down
	if down == nil {
		w.sent = append(w.sent, method.Service)
	}
	w.mu.Unlock()
	if down != nil {
		return nil, down
	}
	if w.spoil != nil {
		if answer := w.spoil(n, method.Service); answer != nil {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(answer)))}, nil
		}
	}
	answer, err := admin.Transport{Handler: w.handler()}.RoundTrip(r)
	if w.after != nil {
		w.after(n)
	}
	if w.lose != nil && w.lose(n) {
		return nil, errLost
	}
	return answer, err
}

func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = nil
}

func (w *wire) methods() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}

var errLost = errors.New("answer lost")

// pair is a manager and a relay, each on its box, that know each other from their
// files.
type pair struct {
	manager, relay *box
	wire           *wire
	guid           string // of the relay in the directory
	lifetime       int32  // that was set last
}

const (
	deviceURL = "grooveDNS://relay.example.com"
	soapURL   = "http://relay.example.com:8009" + admin.Path
)

func newPair(t failer, tempDir func() string) *pair {
	t.Helper()
	p := &pair{}
	p.wire = &wire{handler: func() http.Handler { return p.relay.server }}
	p.manager, p.relay = newManager(t, tempDir(), "groove.example.com", 0, p.wire), newRelay(t, tempDir(), 2)
	p.guid = introduce(t, p.manager, p.relay)
	return p
}

// copied opens copies of the folders of a pair that is closed.
func (p *pair) copied(t failer, dir string) *pair {
	t.Helper()
	c := &pair{guid: p.guid}
	c.wire = &wire{handler: func() http.Handler { return c.relay.server }}
	for _, b := range []struct {
		from *box
		to   **box
		name string
	}{{p.manager, &c.manager, "manager"}, {p.relay, &c.relay, "relay"}} {
		to := filepath.Join(dir, b.name)
		copyData(t, to, b.from.dir)
		*b.to = newBox(t, to, b.from.set, c.wire)
		(*b.to).domain = b.from.domain
	}
	c.relay.serve(t)
	return c
}

// copyData copies a data folder with the modes it must have.
func copyData(t failer, to, from string) {
	t.Helper()
	must(t, os.CopyFS(to, os.DirFS(from)))
	must(t, os.Chmod(filepath.Join(to, "master.key"), 0o600))
}

func (p *pair) close(t failer) {
	t.Helper()
	p.manager.close(t)
	p.relay.close(t)
}

func newManager(t failer, dir, host string, set int, w *wire) *box {
	t.Helper()
	b := newBox(t, dir, set, w)
	must(t, b.dirs.SetServerURL(context.Background(), "http://"+host+"/gms.dll"))
	var err error
	b.domain, err = b.dirs.CreateDomain(context.Background(), "Contoso", "")
	must(t, err)
	_, err = b.links.EnsureIdentity(context.Background(), "Contoso")
	must(t, err)
	return b
}

func newRelay(t failer, dir string, set int) *box {
	t.Helper()
	b := newBox(t, dir, set, nil)
	_, err := b.relay.EnsureIdentity(context.Background(), deviceURL, soapURL)
	must(t, err)
	b.serve(t)
	return b
}

// introduce hands over the two files.
func introduce(t failer, manager, relay *box) (guid string) {
	t.Helper()
	ctx := context.Background()
	relayIdentity, err := relay.relay.RelayIdentity()
	must(t, err)
	relayFile, err := spmr.ParseRelayIdentity(relayIdentity.Encode())
	must(t, err)
	imported, err := manager.links.ImportRelay(ctx, relayFile)
	must(t, err)
	must(t, manager.links.AssignToEmptySets(ctx, imported.GUID))

	managerIdentity, err := manager.links.Identity()
	must(t, err)
	managerFile, err := spmr.ParseManagerIdentity(managerIdentity.EncodeRegistry())
	must(t, err)
	_, err = relay.relay.ImportManager(ctx, managerFile)
	must(t, err)
	return imported.GUID
}

func testPair(t *testing.T) *pair {
	t.Helper()
	p := newPair(t, t.TempDir)
	t.Cleanup(func() { p.close(t) })
	return p
}

func (p *pair) sync(t failer) {
	t.Helper()
	must(t, p.manager.links.Sync(context.Background(), p.guid))
}

// agree compares the relay with the directory.
func (p *pair) agree(t failer, when string) {
	t.Helper()
	if p.relay.relay.Quiescent() {
		t.Fatalf("%s: the relay is inactive", when)
	}
	for user := range p.manager.dirs.RelayUsers(p.manager.store.Snapshot(), "") {
		want := user.Status == directory.Pending || user.Status == directory.Active
		if got := p.relay.enabled(t, member{user: user.ID}); got != want {
			t.Fatalf("%s: member %s, %s, is enabled: %v", when, user.Member, user.Status, got)
		}
	}
}

func (p *pair) status(t failer) relaylink.Status {
	t.Helper()
	all := p.manager.links.Status()
	if len(all) != 1 {
		t.Fatalf("%d relays", len(all))
	}
	return all[0]
}

// onDevice registers an account of a member with the relay.
func (b *box) onDevice(t failer, m member) {
	t.Helper()
	key, err := keys.GenerateSharedKey(auth.KeySize)
	must(t, err)
	public := auth.NewPublicKeys(testSets()[0].Encryption.Public(), testSets()[0].Signature.Public())
	must(t, b.relay.Register(auth.Registration{
		DeviceURL: "dpp:///" + m.GUID, DeviceKey: key, DevicePublicKeys: public, AccountURL: "grooveAccount://" + m.GUID,
		NewAccount: &auth.NewAccount{Key: key, PublicKeys: public, User: auth.HashUser(m.user), IdentityURLs: []string{"grooveIdentity://" + m.GUID + "@"}},
	}))
}

func purged(b *box) (accounts []string) {
	for _, holdings := range b.purges {
		for _, h := range holdings {
			accounts = append(accounts, h.AccountURL)
		}
	}
	return accounts
}
