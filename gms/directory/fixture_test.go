package directory

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// testSets are the key sets of all domains in the tests: making RSA keys is
// slow. A domain's two sets differ, so that one in the place of the other
// shows.
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

// fixture is a directory in a folder, with a clock that tests set.
type fixture struct {
	*Directory
	dir  string
	now  time.Time
	log  bytes.Buffer
	sets int // key sets given out
}

const testURL = "http://groove.example.com/gms.dll"

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := openFixture(t, t.TempDir())
	t.Cleanup(func() { f.close(t) })
	must(t, f.SetServerURL(t.Context(), testURL))
	return f
}

func openFixture(t failer, dir string) *fixture {
	f := &fixture{dir: dir, now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	f.open(t)
	return f
}

func (f *fixture) open(t failer) {
	t.Helper()
	vault, err := keys.OpenVault(f.dir)
	must(t, err)
	schema := state.NewSchema()
	tables := Declare(schema)
	store, report, err := state.Open(f.stateDir(), schema, state.Options{})
	must(t, err)
	if report.Recovery != nil {
		t.Fatalf("opened in recovery mode: %v", report.Recovery)
	}
	backups, err := blob.Open(blob.Options{Dir: filepath.Join(f.dir, "backups"), ReserveBytes: 1})
	must(t, err)
	f.Directory = New(Config{
		Store: store, Backups: backups, Tables: tables, Vault: vault,
		Now: func() time.Time { return f.now },
		Log: slog.New(slog.NewJSONHandler(&f.log, nil)),
		GenerateKeys: func() (*keys.KeySet, error) {
			f.sets++
			return testSets()[f.sets%2], nil
		},
	})
}

func (f *fixture) stateDir() string { return filepath.Join(f.dir, "state") }

func (f *fixture) close(t failer) {
	t.Helper()
	must(t, f.store.Close())
}

// reopen shows what a restart shows.
func (f *fixture) reopen(t failer) {
	t.Helper()
	f.close(t)
	f.open(t)
}

func (f *fixture) domain(t failer, name string) Domain {
	t.Helper()
	domain, err := f.CreateDomain(context.Background(), name, "")
	must(t, err)
	return domain
}

func (f *fixture) member(t failer, domain Domain, fullName string) Member {
	t.Helper()
	m, err := f.CreateMember(context.Background(), domain.GUID, MemberDetails{FullName: fullName, Email: "someone@example.com"})
	must(t, err)
	return m
}

// active returns a member that has installed and enrolled.
func (f *fixture) active(t failer, domain Domain, fullName, account, identityURL string) Member {
	t.Helper()
	m := f.member(t, domain, fullName)
	_, err := f.InstallIdentity(context.Background(), domain.GUID, m.GUID, account, identityURL)
	must(t, err)
	m, err = f.EnrollByCode(context.Background(), m.GUID, account, testContact(identityURL, 0))
	must(t, err)
	return m
}

// testContact is a contact whose signature key is one of four.
func testContact(url string, key int) Contact {
	set := testSets()[key%2]
	public := set.Signature.Public()
	if key >= 2 {
		public = set.Encryption.Public()
	}
	return Contact{
		URL:          url,
		Data:         []byte("<fragment>contact of " + url + "</fragment>"),
		Security:     []byte("<CSecurity/>"),
		SignatureKey: public.DER(),
	}
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}
