package client_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/audit"
	"furrow/gms/client"
	"furrow/gms/directory"
	"furrow/gms/service"
	"furrow/gms/statistics"
)

// sharedKeyPair makes one pair for all tests.
var sharedKeyPair = sync.OnceValues(client.NewKeyPair)

// office is a real management server with one domain.
type office struct {
	directory  *directory.Directory
	audit      *audit.Archive
	statistics *statistics.Book
	domain     directory.Domain
	url        string
	mail       *mailbox
	// newKeyPair gives every account of the office the same keys: making them takes most of a join's time.
	newKeyPair func() (client.KeyPair, error)
}

func newOffice(t *testing.T) *office {
	t.Helper()
	dir := t.TempDir()
	schema := state.NewSchema()
	tables, ofAudit, ofStatistics := directory.Declare(schema), audit.Declare(schema), statistics.Declare(schema)
	store, _, err := state.Open(filepath.Join(dir, "state"), schema, state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	vault, err := keys.OpenVault(dir)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	backups, err := blob.Open(blob.Options{Dir: filepath.Join(dir, "backups"), ReserveBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := directory.New(directory.Config{
		Backups: backups, Store: store, Tables: tables, Vault: vault, Now: time.Now, Log: log, GenerateKeys: keys.GenerateKeySet,
	})
	blobs, err := blob.Open(blob.Options{Dir: filepath.Join(dir, "audit"), ReserveBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := audit.Open(audit.Config{Store: store, Tables: ofAudit, Blobs: blobs, Directory: d, Vault: vault, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if blobs, err = blob.Open(blob.Options{Dir: filepath.Join(dir, "statistics"), ReserveBytes: 1}); err != nil {
		t.Fatal(err)
	}
	book, err := statistics.Open(statistics.Config{Store: store, Tables: ofStatistics, Blobs: blobs, Directory: d, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	mail := &mailbox{}
	server := httptest.NewServer(service.New(service.Config{
		Directory: d, Audit: archive, Statistics: book, Now: time.Now, Log: log, RemoteUser: remoteUser,
		Mail: mail,
	}))
	t.Cleanup(func() {
		server.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.SetServerURL(t.Context(), server.URL+"/gms.dll"); err != nil {
		t.Fatal(err)
	}
	domain, err := d.CreateDomain(t.Context(), "Office", "Contoso")
	if err != nil {
		t.Fatal(err)
	}
	return &office{directory: d, audit: archive, statistics: book, domain: domain, url: server.URL, mail: mail, newKeyPair: sharedKeyPair}
}

// member adds a pending member and returns it with its code.
func (o *office) member(t *testing.T) (directory.Member, string) {
	t.Helper()
	member, err := o.directory.CreateMember(t.Context(), o.domain.GUID, directory.MemberDetails{FullName: "Ann Smith", Email: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	code, err := o.directory.ConfigurationCode(member.GUID)
	if err != nil {
		t.Fatal(err)
	}
	return member, code
}

func openHome(t *testing.T, dir string) *client.Home {
	t.Helper()
	home, err := client.OpenHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	return home
}

// join runs Join over a transport.
func (o *office) join(t *testing.T, home *client.Home, code string, transport http.RoundTripper) (*client.Server, *client.Profile, error) {
	t.Helper()
	server, err := client.Connect(t.Context(), &http.Client{Transport: transport}, o.url)
	if err != nil {
		return nil, nil, err
	}
	profile, err := client.Join(t.Context(), client.JoinOptions{
		Server: server, Address: o.url, Code: code, Home: home, DeviceName: "BOX", Now: time.Now,
		NewKeyPair: o.newKeyPair, Progress: func(client.Step) {},
	})
	return server, profile, err
}

// remoteUser stands in for HTTP authentication: it believes every login with the password "right".
func remoteUser(answer http.Header, r *http.Request) (string, bool, error) {
	login, password, _ := r.BasicAuth()
	if password != "right" {
		answer.Set("WWW-Authenticate", `Basic realm="Furrow"`)
		return "", false, nil
	}
	return login, true, nil
}

var errCut = errors.New("the connection was cut")

// cutter loses the answer to one request, counted from 1, after the server has given it.
type cutter struct {
	at int

	mu    sync.Mutex
	count int // guarded by mu
}

func (c *cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if err != nil || c.count != c.at {
		return resp, err
	}
	return nil, errors.Join(errCut, resp.Body.Close())
}
