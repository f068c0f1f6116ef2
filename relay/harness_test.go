package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/spool"
	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
	"furrow/relay/queue"
	"furrow/relay/registry"
	"furrow/sstp"
	"furrow/sstp/auth"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// relayKeys are made once: it takes most of a second.
var relayKeys = sync.OnceValues(keys.GenerateKeySet)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// box is one relay with all that belongs to it, in a folder.
type box struct {
	name     string // host name of its relay URL
	dir      string
	log      *slog.Logger
	dialer   Dialer
	change   func(*Config)
	key      *keys.RSAPrivateKey // needed by who registers over SSTP
	store    *state.Store
	registry *registry.Registry
	manager  registry.Request
	spool    *spool.Spool
	queues   *queue.Queues
	server   *Server
	address  string // of the listener
	served   chan error
	tending  context.CancelFunc
	tended   chan struct{}
}

func (b *box) url() string { return sstp.RelayScheme + b.name }

// newBox starts a relay. change may alter its configuration.
func newBox(t testing.TB, name string, change func(*Config)) *box {
	t.Helper()
	b := &box{name: name, dir: t.TempDir(), log: slog.New(slog.DiscardHandler), change: change}
	if os.Getenv("RELAY_TEST_LOG") != "" {
		b.log = slog.New(slog.NewTextHandler(os.Stderr, nil)).With("box", name)
	}
	set, err := relayKeys()
	must(t, err)
	b.key = set.Encryption
	must(t, b.openRegistry())
	b.appoint(t, set)
	b.start(t)
	t.Cleanup(func() { b.shut(t) })
	return b
}

// shut stops a box for good, or until another process takes its folder.
func (b *box) shut(t testing.TB) {
	t.Helper()
	b.stop(t)
	if b.store != nil {
		must(t, b.store.Close())
		b.store = nil
	}
}

func (b *box) openRegistry() error {
	vault, err := keys.OpenVault(b.dir)
	if err != nil {
		return err
	}
	schema := state.NewSchema()
	tables := registry.Declare(schema)
	if b.store, _, err = state.Open(filepath.Join(b.dir, "state"), schema, state.Options{}); err != nil {
		return err
	}
	b.registry = registry.New(registry.Config{
		Store: b.store, Tables: tables, Vault: vault, Now: time.Now, Log: b.log, GenerateKeys: relayKeys,
	})
	return nil
}

// appoint makes a management server known.
func (b *box) appoint(t testing.TB, set *keys.KeySet) {
	t.Helper()
	certificate, err := set.Certify(keys.Name{CommonName: "gms.example"}, time.Unix(1700000000, 0))
	must(t, err)
	ctx := context.Background()
	m, err := b.registry.ImportManager(ctx, &spmr.ManagerIdentity{
		Name: "gms.example/gms.dll", GUID: "gms", Organization: "Contoso",
		ServerURL: "http://gms.example/gms.dll", Certificate: certificate,
	})
	must(t, err)
	b.manager = registry.Request{Manager: m.GUID}
	b.manager.Key, err = keys.GenerateSharedKey(spmr.SharedKeySize)
	must(t, err)
	_, err = b.registry.ShareKey(ctx, m.GUID, b.manager.Key)
	must(t, err)
}

// request is a new request of the management server.
func (b *box) request() registry.Request {
	_, _ = rand.Read(b.manager.ID[:])
	return b.manager
}

func (b *box) start(t testing.TB) {
	t.Helper()
	must(t, b.run())
}

// run starts everything but the registry.
func (b *box) run() (err error) {
	b.spool, _, err = spool.Open(spool.Options{Dir: filepath.Join(b.dir, "spool"), Log: b.log, ReserveBytes: 1})
	if err != nil {
		return err
	}
	b.queues, err = queue.New(queue.Options{Spool: b.spool, Directory: NewDirectory(b.registry), Log: b.log})
	if err != nil {
		return err
	}
	c := Config{
		Registry: b.registry, Queues: b.queues, Key: b.key,
		DeviceURLs: []string{b.url()}, Dialer: b.dialer, Log: b.log,
		Timers:     sstp.Timers{Acknowledgment: time.Millisecond},
		FirstRetry: 10 * time.Millisecond, LastRetry: 50 * time.Millisecond,
	}
	if b.change != nil {
		b.change(&c)
	}
	b.server = New(c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.address = l.Addr().String()
	b.served = make(chan error, 1)
	go func() { b.served <- b.server.Serve(l) }()
	ctx, cancel := context.WithCancel(context.Background())
	b.tending, b.tended = cancel, make(chan struct{})
	go func() {
		defer close(b.tended)
		b.queues.Run(ctx)
	}()
	return nil
}

// stop stops what start has started.
func (b *box) stop(t testing.TB) {
	t.Helper()
	if b.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(t, b.server.Shutdown(ctx, time.Second))
	must(t, <-b.served)
	b.tending()
	<-b.tended
	must(t, b.spool.Close())
	b.server = nil
}

// person is a user with one account on one device.
type person struct {
	name                      string
	token                     string // of pre-authentication
	device, account, identity string
	deviceKey, accountKey     keys.SharedKey
}

func newPerson(t testing.TB, name string) *person {
	t.Helper()
	p := &person{
		name: name, token: "user-" + name,
		device: "dpp:///" + name, account: "grooveAccount://" + name, identity: "grooveIdentity://" + name + "@",
	}
	var err error
	p.deviceKey, err = keys.GenerateSharedKey(auth.KeySize)
	must(t, err)
	p.accountKey, err = keys.GenerateSharedKey(auth.KeySize)
	must(t, err)
	return p
}

// another is the person's second device.
func (p *person) another(t testing.TB, name string) *person {
	t.Helper()
	other := *p
	other.device = "dpp:///" + name
	var err error
	other.deviceKey, err = keys.GenerateSharedKey(auth.KeySize)
	must(t, err)
	return &other
}

// people announces users and registers them, as they would over SSTP.
func (b *box) people(t testing.TB, names ...string) []*person {
	t.Helper()
	list := make([]*person, len(names))
	for i, name := range names {
		list[i] = newPerson(t, name)
	}
	b.enrol(t, list...)
	return list
}

func (b *box) enrol(t testing.TB, list ...*person) {
	t.Helper()
	tokens := make([]string, len(list))
	for i, p := range list {
		tokens[i] = p.token
	}
	_, err := b.registry.AddUsers(context.Background(), b.request(), tokens)
	must(t, err)
	var work sync.WaitGroup
	errs := make([]error, len(list))
	for i, p := range list {
		work.Go(func() {
			errs[i] = b.registry.Register(auth.Registration{
				DeviceURL: p.device, DeviceKey: p.deviceKey, AccountURL: p.account,
				NewAccount: &auth.NewAccount{Key: p.accountKey, User: auth.HashUser(p.token), IdentityURLs: []string{p.identity}},
			})
		})
	}
	work.Wait()
	must(t, errors.Join(errs...))
}

// relist announces users again that are registered already.
func (b *box) relist(t testing.TB, list ...*person) {
	t.Helper()
	for _, p := range list {
		_, err := b.registry.AddUsers(context.Background(), b.request(), []string{p.token})
		must(t, err)
	}
}

// registrationOf is the registration of a further identity.
func registrationOf(p *person) auth.IdentityRegistration {
	return auth.IdentityRegistration{AccountURL: p.account, IdentityURL: p.identity, User: auth.HashUser(p.token)}
}

// lock locks users out, or lets them in again.
func (b *box) lock(t testing.TB, out bool, list ...*person) {
	t.Helper()
	var wanted []registry.Lockout
	for _, p := range list {
		wanted = append(wanted, registry.Lockout{UserID: p.token, LockedOut: out})
	}
	_, err := b.registry.ModifyUsers(context.Background(), b.request(), wanted)
	must(t, err)
}

// network is a Dialer to the boxes of a test.
type network struct {
	mu    sync.Mutex
	boxes map[string]*box // by relay URL
	err   error           // what dialling comes to, if set
	dials int
}

func (n *network) add(b *box) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.boxes == nil {
		n.boxes = map[string]*box{}
	}
	n.boxes[b.url()] = b
}

func (n *network) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
}

func (n *network) DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error) {
	n.mu.Lock()
	b, err := n.boxes[relayURL], n.err
	n.dials++
	n.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case b == nil:
		return nil, &net.DNSError{Err: "no such host", Name: relayURL, IsNotFound: true}
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", b.address)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", relayURL, err)
	}
	return conn, nil
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// receive waits for a value.
func receive[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("never: %s", what)
		panic("unreachable")
	}
}
