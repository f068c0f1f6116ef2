package registry

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
	"furrow/sstp/auth"
)

// testSets are the key sets of all tests: making them is slow.
var testSets = sync.OnceValue(func() (sets [2]*keys.KeySet) {
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

// fixture is a registry in a folder.
type fixture struct {
	*Registry
	dir string
	now time.Time
	log bytes.Buffer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir(), now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	f.open(t)
	t.Cleanup(func() { must(t, f.store.Close()) })
	return f
}

func (f *fixture) open(t failer) {
	t.Helper()
	vault, err := keys.OpenVault(f.dir)
	must(t, err)
	schema := state.NewSchema()
	tables := Declare(schema)
	store, _, err := state.Open(filepath.Join(f.dir, "state"), schema, state.Options{})
	must(t, err)
	made := 0
	f.Registry = New(Config{
		Store: store, Tables: tables, Vault: vault,
		Now: func() time.Time { return f.now },
		Log: slog.New(slog.NewJSONHandler(&f.log, nil)),
		GenerateKeys: func() (*keys.KeySet, error) {
			made++
			return testSets()[made%2], nil
		},
	})
}

// reopen shows what a restart shows.
func (f *fixture) reopen(t failer) {
	t.Helper()
	must(t, f.store.Close())
	f.open(t)
}

func identity(t failer, guid, host string, set int) *spmr.ManagerIdentity {
	t.Helper()
	certificate, err := testSets()[set].Certify(keys.Name{CommonName: host}, time.Unix(1700000000, 0))
	must(t, err)
	return &spmr.ManagerIdentity{
		Name: host + "/gms.dll", GUID: guid, Organization: "Contoso",
		ServerURL: "http://" + host + "/gms.dll", Certificate: certificate,
	}
}

// manager is a registered manager and its key.
type manager struct {
	*fixture
	guid string
	key  keys.SharedKey
}

func (f *fixture) manager(t failer, guid string) *manager {
	t.Helper()
	_, err := f.ImportManager(context.Background(), identity(t, guid, guid+".example.com", 0))
	must(t, err)
	m := &manager{fixture: f, guid: guid}
	m.register(t)
	return m
}

func (m *manager) register(t failer) (epoch int32) {
	t.Helper()
	key, err := keys.GenerateSharedKey(spmr.SharedKeySize)
	must(t, err)
	epoch, err = m.ShareKey(context.Background(), m.guid, key)
	must(t, err)
	m.key = key
	return epoch
}

// request is a new one.
func (m *manager) request() Request {
	q := Request{Manager: m.guid, Key: m.key}
	rand.Read(q.ID[:])
	return q
}

func (m *manager) inactive(t failer, inactive bool) int32 {
	t.Helper()
	epoch, err := m.SetInactive(context.Background(), m.request(), inactive)
	must(t, err)
	return epoch
}

func (m *manager) add(t failer, ids ...string) int32 {
	t.Helper()
	epoch, err := m.AddUsers(context.Background(), m.request(), ids)
	must(t, err)
	return epoch
}

func (m *manager) lock(t failer, id string, lockedOut bool) int32 {
	t.Helper()
	epoch, err := m.ModifyUsers(context.Background(), m.request(), []Lockout{{id, lockedOut}})
	must(t, err)
	return epoch
}

// build builds a user database of these users.
func (m *manager) build(t failer, ids ...string) {
	t.Helper()
	m.inactive(t, true)
	if len(ids) > 0 {
		m.add(t, ids...)
	}
	m.inactive(t, false)
}

func (f *fixture) enabled(t failer, id string) bool {
	t.Helper()
	ok, err := f.UserEnabled(auth.HashUser(id))
	must(t, err)
	return ok
}

func (f *fixture) managerRow(t failer, guid string) managerRow {
	t.Helper()
	row, ok := f.t.managers.Get(f.store.Snapshot(), guid)
	if !ok {
		t.Fatalf("no manager %s", guid)
	}
	return row
}
