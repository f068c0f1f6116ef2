package audit

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/auditlog"
	"furrow/gms/directory"
	"furrow/gms/soap/spcm"
)

// domainKeys are made once: making them is slow.
var domainKeys = sync.OnceValues(keys.GenerateKeySet)

const (
	account = "a6afv5ms7sxxpkzpzfvwbra83av34at3mz6ytds"
	device  = "e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s"
)

// fixture is an archive in a folder, with a clock that tests set.
type fixture struct {
	*Archive
	dir    string
	domain string // GUID
	lockOn keys.SharedKey
	now    time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	lockOn, err := auditlog.NewKey()
	must(t, err)
	f := &fixture{dir: t.TempDir(), lockOn: lockOn, now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	f.open(t)
	t.Cleanup(func() { must(t, f.store.Close()) })
	must(t, f.directory.SetServerURL(t.Context(), "http://groove.example.com/gms.dll"))
	domain, err := f.directory.CreateDomain(t.Context(), "Contoso", "")
	must(t, err)
	f.domain = domain.GUID
	return f
}

func (f *fixture) open(t *testing.T) {
	t.Helper()
	schema := state.NewSchema()
	ofDirectory, ofAudit := directory.Declare(schema), Declare(schema)
	store, _, err := state.Open(filepath.Join(f.dir, "state"), schema, state.Options{})
	must(t, err)
	vault, err := keys.OpenVault(f.dir)
	must(t, err)
	blobs, err := blob.Open(blob.Options{Dir: filepath.Join(f.dir, "audit"), ReserveBytes: 1})
	must(t, err)
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return f.now }
	f.Archive, err = Open(Config{
		Store: store, Tables: ofAudit, Blobs: blobs, Vault: vault, Now: now, Log: log,
		Directory: directory.New(directory.Config{
			Store: store, Tables: ofDirectory, Vault: vault, Now: now, Log: log, GenerateKeys: domainKeys,
		}),
	})
	must(t, err)
}

// reopen shows what a restart shows.
func (f *fixture) reopen(t *testing.T) {
	t.Helper()
	must(t, f.store.Close())
	f.open(t)
}

func (f *fixture) sender() Sender {
	return Sender{Domain: f.domain, Account: account, IdentityURL: "grooveIdentity://a@", Device: device, DeviceName: "FABRIKAM"}
}

// sealed is a log with these events.
func (f *fixture) sealed(t *testing.T, sequence int32, events ...auditlog.Event) []byte {
	t.Helper()
	set, err := domainKeys()
	must(t, err)
	w := auditlog.NewWriter(device, f.lockOn, set.Encryption.EncryptionKey())
	must(t, w.Begin(auditlog.Event{Type: "begin"}.Encode()))
	for _, e := range events {
		must(t, w.Add(e.Encode()))
	}
	log, err := w.Seal(sequence, f.now)
	must(t, err)
	return log
}

// fragments cuts an upload.
func fragments(guid string, whole []byte, size int) []spcm.UploadFragment {
	parts := slices.Collect(slices.Chunk(whole, size))
	all := make([]spcm.UploadFragment, len(parts))
	for i, data := range parts {
		all[i] = spcm.UploadFragment{
			BackupGUID: guid, Index: int32(i + 1), Count: int32(len(parts)), Size: int32(len(data)), TotalSize: int32(len(whole)), Data: data,
		}
	}
	return all
}

// upload sends fragments of a log and returns whether the last made it complete.
func (f *fixture) upload(t *testing.T, parts ...spcm.UploadFragment) (complete bool) {
	t.Helper()
	for i := range parts {
		var err error
		complete, _, err = f.UploadLog(context.Background(), f.sender(), &parts[i])
		must(t, err)
	}
	return complete
}

// uploadFile sends a file whose token says nothing that this server can read.
func (f *fixture) uploadFile(t *testing.T, parts ...spcm.UploadFragment) (complete bool) {
	t.Helper()
	for _, part := range parts {
		var err error
		complete, _, err = f.UploadFile(context.Background(), f.sender(), &spcm.FileUpload{
			Fragment: part, Token: []byte(`<TK _body="" _iv="" _key="" _mac=""/>`), URL: "u", Title: "plan.dwg",
		})
		must(t, err)
	}
	return complete
}

// contents counts rows and blobs.
func (f *fixture) contents() string {
	view := f.store.Snapshot()
	return fmt.Sprintf("%d uploads, %d logs, %d files, %d blobs",
		f.t.uploads.Len(view), f.t.logs.Len(view), f.t.files.Len(view), len(f.blobs.Names()))
}

func (f *fixture) want(t *testing.T, contents string) {
	t.Helper()
	if got := f.contents(); got != contents {
		t.Errorf("%s, want %s", got, contents)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
