package client

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/spool"
	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
	"furrow/relay"
	"furrow/relay/presence"
	"furrow/relay/queue"
	"furrow/relay/registry"
	"furrow/sstp"
)

var keySet = sync.OnceValues(keys.GenerateKeySet)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server is Furrow's own relay.
type server struct {
	*relay.Server
	key *keys.RSAPrivateKey

	mu sync.Mutex
	// cuts are after how many octets the next connections break.
	cuts []int64
}

// newServer starts a relay that knows users.
func newServer(t testing.TB, users ...string) *server {
	t.Helper()
	set, err := keySet()
	must(t, err)
	dir := t.TempDir()
	vault, err := keys.OpenVault(dir)
	must(t, err)
	schema := state.NewSchema()
	tables := registry.Declare(schema)
	store, _, err := state.Open(filepath.Join(dir, "state"), schema, state.Options{})
	must(t, err)
	log := slog.New(slog.DiscardHandler)
	facts := registry.New(registry.Config{Store: store, Tables: tables, Vault: vault, Now: time.Now, Log: log, GenerateKeys: keySet})
	announce(t, facts, set, users)
	bodies, _, err := spool.Open(spool.Options{Dir: filepath.Join(dir, "spool"), Log: log, ReserveBytes: 1})
	must(t, err)
	queues, err := queue.New(queue.Options{Spool: bodies, Directory: relay.NewDirectory(facts), Log: log})
	must(t, err)
	hub := presence.New(presence.Config{Log: log})
	s := &server{key: set.Encryption, Server: relay.New(relay.Config{
		Registry: facts, Queues: queues, Key: set.Encryption, DeviceURLs: []string{relayURL}, Presence: hub, Log: log,
	})}
	ctx, cancel := context.WithCancel(context.Background())
	var tending sync.WaitGroup
	tending.Go(func() { queues.Run(ctx) })
	t.Cleanup(func() {
		must(t, s.Shutdown(context.Background(), 0))
		hub.Close()
		cancel()
		tending.Wait()
		must(t, bodies.Close())
		must(t, store.Close())
	})
	return s
}

// announce has a management server announce users.
func announce(t testing.TB, facts *registry.Registry, set *keys.KeySet, users []string) {
	t.Helper()
	certificate, err := set.Certify(keys.Name{CommonName: "gms.example"}, time.Unix(1700000000, 0))
	must(t, err)
	m, err := facts.ImportManager(t.Context(), &spmr.ManagerIdentity{
		Name: "gms.example/gms.dll", GUID: "gms", Organization: "Contoso",
		ServerURL: "http://gms.example/gms.dll", Certificate: certificate,
	})
	must(t, err)
	request := registry.Request{Manager: m.GUID}
	rand.Read(request.ID[:])
	request.Key, err = keys.GenerateSharedKey(spmr.SharedKeySize)
	must(t, err)
	_, err = facts.ShareKey(t.Context(), m.GUID, request.Key)
	must(t, err)
	_, err = facts.AddUsers(t.Context(), request, users)
	must(t, err)
}

// DialRelay implements Dialer.
func (s *server) DialRelay(context.Context, string) (io.ReadWriteCloser, error) {
	ours, theirs := net.Pipe()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Adopt(theirs)
	if len(s.cuts) > 0 {
		octets := s.cuts[0]
		s.cuts = s.cuts[1:]
		return cutAfter(ours, octets), nil
	}
	return ours, nil
}

func (s *server) options(t testing.TB, name string) Options {
	t.Helper()
	return Options{
		Relay: Relay{URL: relayURL, Key: s.key.Public()},
		User: User{
			Device:      principal(t, "dpp://device-of-"+name, 1),
			Account:     principal(t, "grooveAccount://"+name, 2),
			IdentityURL: "grooveIdentity://" + name + "@",
			Token:       name,
		},
		Dialer: s,
	}
}

// TestWithServer sends a file to three people by Furrow's own relay, over
// connections that break.
func TestWithServer(t *testing.T) {
	names := []string{"bob", "cy", "dee"}
	s := newServer(t, append(names, "ann")...)
	path, content := writeFile(t, "a.bin", 200_000)
	retry := Retry{First: time.Millisecond, Last: 10 * time.Millisecond}

	var targets []Target
	var people []Options
	for _, name := range names {
		o := s.options(t, name)
		l := dial(t, o)
		must(t, l.RegisterIdentity(t.Context()))
		l.Close()
		people = append(people, o)
		targets = append(targets, Target{IdentityURL: o.User.IdentityURL})
	}
	ann := s.options(t, "ann")
	dial(t, ann).Close()

	s.cuts = []int64{100, 5_000, 150_000}
	sender := Sender{Relays: []Options{ann}, Retry: retry}
	outcomes, err := sender.Send(t.Context(), targets, shipmentOf(t, path), func(int64) {})
	must(t, err)
	if !slices.Equal(outcomes, []Outcome{{Taken: true}, {Taken: true}, {Taken: true}}) || len(s.cuts) != 0 {
		t.Fatalf("%v, cuts left %v", outcomes, s.cuts)
	}
	for i, o := range people {
		s.cuts = []int64{100, 5_000, 150_000}
		inbox := newMailbox(t)
		receiver := Receiver{Relays: []Options{o}, Handlers: inbox.Handlers(), Retry: retry}
		ctx, cancel := context.WithCancel(t.Context())
		inbox.options.Stored = func(Receipt) { cancel() }
		must(t, receiver.Run(ctx))
		inbox.expectFiles(t, "a.bin")
		got, err := os.ReadFile(filepath.Join(inbox.folder, "a.bin"))
		if err != nil || !slices.Equal(got, content) || len(s.cuts) != 0 {
			t.Errorf("%s: %d octets, %v, cuts left %v", names[i], len(got), err, s.cuts)
		}
	}
}

// TestServerRefuses has Furrow's own relay refuse a stranger, and a message to one.
func TestServerRefuses(t *testing.T) {
	s := newServer(t, "ann")
	if _, err := Dial(t.Context(), s.options(t, "mallory")); !unknownAccount(err) {
		t.Errorf("a stranger: %v", err)
	}
	l := dial(t, s.options(t, "ann"))
	for _, test := range []struct {
		targets []Target
		want    []Outcome
	}{
		{[]Target{{IdentityURL: annURL}, {IdentityURL: bobURL}}, []Outcome{{Taken: true}, {Status: sstp.StatusLockedOut}}},
		{[]Target{{IdentityURL: annURL}}, []Outcome{{Taken: true}}},
	} {
		got, err := l.Send(t.Context(), test.targets, Message{ResourceURL: "x", Flags: atOnce, Body: &io.LimitedReader{R: rand.Reader, N: 1000}})
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, %v", fmt.Sprint(test.targets), got, err)
		}
	}
}
