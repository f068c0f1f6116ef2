package service

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/disk"
	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/audit"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
	"furrow/gms/statistics"
)

// testKeys are the RSA keys of all tests, because making them is slow.
var testKeys = sync.OnceValue(func() []*keys.RSAPrivateKey {
	all := make([]*keys.RSAPrivateKey, 4)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			key, err := keys.GenerateRSAKey()
			if err != nil {
				panic(err)
			}
			all[i] = key
		})
	}
	wg.Wait()
	return all
})

// Signature keys of clients.
func aliceKey() *keys.RSAPrivateKey { return testKeys()[2] }
func bobKey() *keys.RSAPrivateKey   { return testKeys()[3] }

const (
	testServerURL = "http://groove.example.com/gms.dll"
	testDomain    = "Contoso"
)

// box is a management server with one domain, behind real HTTP.
type box struct {
	directory *directory.Directory
	store     *state.Store
	dir       string // of all that is kept
	backups   *blob.Store
	blobs     *blob.Store // of audit
	audit     *audit.Archive
	// statistics are what clients report of their use.
	statistics *statistics.Book
	disk       *gatedFS
	server     *Server
	url        string
	domain     directory.Domain
	log        *logBuffer
	mail       *mailbox
	cast       string // makes the clients of one test row others than those of the next

	mu  sync.Mutex
	now time.Time
}

func newBox(t testing.TB) *box {
	t.Helper()
	return newBoxWithReserve(t, 1)
}

// newBoxWithReserve returns a box that leaves so many bytes of the disk to
// others.
func newBoxWithReserve(t testing.TB, reserve int64) *box {
	t.Helper()
	b := openBox(t, t.TempDir(), reserve)
	must(t, b.directory.SetServerURL(t.Context(), testServerURL))
	var err error
	b.domain, err = b.directory.CreateDomain(t.Context(), testDomain, "")
	must(t, err)
	return b
}

// openBox starts a management server on the folder of another. It leaves
// reserve bytes of the disk to others.
func openBox(t testing.TB, dir string, reserve int64) *box {
	t.Helper()
	b := &box{dir: dir, now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC), log: &logBuffer{}, disk: &gatedFS{}, mail: &mailbox{}}
	log := slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))

	vault, err := keys.OpenVault(dir)
	must(t, err)
	schema := state.NewSchema()
	tables, ofAudit, ofStatistics := directory.Declare(schema), audit.Declare(schema), statistics.Declare(schema)
	b.store, _, err = state.Open(filepath.Join(dir, "state"), schema, state.Options{FS: b.disk})
	must(t, err)
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil && !b.disk.broken() {
			t.Errorf("closing the store: %v", err)
		}
	})
	b.backups, err = blob.Open(blob.Options{Dir: filepath.Join(dir, "backups"), ReserveBytes: reserve})
	must(t, err)
	b.directory = directory.New(directory.Config{
		Store: b.store, Backups: b.backups, Tables: tables, Vault: vault, Now: b.clock, Log: log,
		GenerateKeys: func() (*keys.KeySet, error) {
			return &keys.KeySet{Signature: testKeys()[0], Encryption: testKeys()[1]}, nil
		},
	})

	b.blobs, err = blob.Open(blob.Options{Dir: filepath.Join(dir, "audit"), ReserveBytes: reserve})
	must(t, err)
	b.audit, err = audit.Open(audit.Config{
		Store: b.store, Tables: ofAudit, Blobs: b.blobs, Directory: b.directory, Vault: vault, Now: b.clock, Log: log,
	})
	must(t, err)
	reports, err := blob.Open(blob.Options{Dir: filepath.Join(dir, "statistics"), ReserveBytes: 1})
	must(t, err)
	b.statistics, err = statistics.Open(statistics.Config{
		Store: b.store, Tables: ofStatistics, Blobs: reports, Directory: b.directory, Now: b.clock, Log: log,
	})
	must(t, err)

	b.server = New(Config{
		Directory: b.directory, Audit: b.audit, Statistics: b.statistics, Now: b.clock, Log: log, RemoteUser: b.remoteUser,
		Mail: b.mail,
	})
	web := httptest.NewServer(b.server)
	t.Cleanup(web.Close)
	b.url = web.URL
	return b
}

func (b *box) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *box) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// sequence counts the changes that are durable.
func (b *box) sequence() uint64 { return b.store.Snapshot().Sequence() }

func (b *box) member(t testing.TB, fullName string) directory.Member {
	t.Helper()
	m, err := b.directory.CreateMember(t.Context(), b.domain.GUID,
		directory.MemberDetails{FullName: fullName, Email: "someone@example.com"})
	must(t, err)
	return m
}

func (b *box) code(t testing.TB, m directory.Member) string {
	t.Helper()
	code, err := b.directory.ConfigurationCode(m.GUID)
	must(t, err)
	return code
}

func (b *box) reread(t testing.TB, m directory.Member) directory.Member {
	t.Helper()
	m, err := b.directory.Member(m.GUID)
	must(t, err)
	return m
}

// send posts a body and returns status, header and body of the answer.
func (b *box) send(t testing.TB, path string, body []byte) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.Post(b.url+path, "text/xml", bytes.NewReader(body))
	must(t, err)
	answer, err := io.ReadAll(r.Body)
	must(t, err)
	must(t, r.Body.Close())
	return r.StatusCode, r.Header, answer
}

// ask posts a request of a service and reads the response, which may be a
// fault.
func (b *box) ask(t testing.TB, service string, body []byte) *soap.Response {
	t.Helper()
	status, header, answer := b.send(t, pathServices, body)
	if status != http.StatusOK || header.Get("Content-Type") != contentTypeXML {
		t.Fatalf("%s: HTTP status %d, Content-Type %q", service, status, header.Get("Content-Type"))
	}
	messages, _ := spcm.LookupService(service)
	response, err := soap.DecodeResponse(answer, spcm.MaxResponseSize, service, messages.Response)
	must(t, err)
	return response
}

// succeed is ask for a request that must not be refused.
func (b *box) succeed(t testing.TB, service string, body []byte) *soap.Response {
	t.Helper()
	response := b.ask(t, service, body)
	if response.Fault != nil || response.ReturnCode != 0 {
		t.Fatalf("%s: fault %v, return code %d", service, response.Fault, response.ReturnCode)
	}
	return response
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logBuffer collects log lines of several goroutines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
}

// gatedFS is the disk, whose flushes a test can hold back or let fail.
type gatedFS struct {
	disk.OS
	mu   sync.Mutex
	gate func() error // called by each flush
}

func (fs *gatedFS) set(gate func() error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.gate = gate
}

func (fs *gatedFS) broken() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.gate != nil
}

func (fs *gatedFS) OpenFile(name string, flag int, perm os.FileMode) (disk.File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return gatedFile{f, fs}, nil
}

type gatedFile struct {
	*os.File
	fs *gatedFS
}

func (f gatedFile) Sync() error {
	f.fs.mu.Lock()
	gate := f.fs.gate
	f.fs.mu.Unlock()
	if gate != nil {
		if err := gate(); err != nil {
			return err
		}
	}
	return f.File.Sync()
}

// within fails the test unless a channel is closed or sends in time.
func within[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case v := <-c:
		return v
	case <-ctx.Done():
		t.Fatalf("%s takes too long", what)
		panic("not reached")
	}
}
