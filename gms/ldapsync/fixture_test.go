package ldapsync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
)

// testKeys are the keys of all domains: making RSA keys is slow.
var testKeys = sync.OnceValues(keys.GenerateKeySet)

// fixture is a Syncer over a directory with one domain, and a directory server that is a list.
type fixture struct {
	*Syncer
	domain  directory.Domain
	dir     string
	store   *state.Store
	entries []Entry
	err     error
	changed int
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	vault, err := keys.OpenVault(dir)
	must(t, err)
	schema := state.NewSchema()
	tables, own := directory.Declare(schema), Declare(schema)
	store, _, err := state.Open(filepath.Join(dir, "state"), schema, state.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	f := &fixture{dir: dir, store: store}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	d := directory.New(directory.Config{
		Store: store, Tables: tables, Vault: vault, Now: time.Now, Log: log, GenerateKeys: testKeys,
	})
	must(t, d.SetServerURL(t.Context(), "http://groove.example.com/gms.dll"))
	f.domain, err = d.CreateDomain(t.Context(), "Office", "")
	must(t, err)
	f.Syncer = New(Config{
		Store: store, Tables: own, Vault: vault, Directory: d, Now: time.Now, Log: log,
		Search:  func(context.Context, Source) ([]Entry, error) { return f.entries, f.err },
		Changed: func() { f.changed++ },
		Jitter:  func(time.Duration) time.Duration { return 0 },
	})
	return f
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func (f *fixture) source() Source {
	return Source{Name: "office", Servers: []string{"ldaps://dc1.example.com"}, Base: "dc=example,dc=com", Domain: f.domain.GUID}
}

func (f *fixture) set(t failer, change func(*Source)) Source {
	t.Helper()
	s := f.source()
	if change != nil {
		change(&s)
	}
	s, err := f.Set(context.Background(), s)
	must(t, err)
	return s
}

func (f *fixture) sync(t failer) Report {
	t.Helper()
	r, err := f.Sync(context.Background(), "office", false)
	must(t, err)
	if r.Error != "" {
		t.Fatalf("sync: %s", r.Error)
	}
	return r
}

func (f *fixture) hand(t failer, details directory.MemberDetails) directory.Member {
	t.Helper()
	m, err := f.Directory.CreateMember(context.Background(), f.domain.GUID, details)
	must(t, err)
	return m
}

// member is the only member with this full name who is not deleted.
func (f *fixture) member(t failer, name string) directory.Member {
	t.Helper()
	var found []directory.Member
	for _, m := range f.Directory.Members(directory.MemberFilter{}) {
		if m.FullName == name && m.Status != directory.Deleted {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d members are named %q", len(found), name)
	}
	return found[0]
}

// person is an entry of Active Directory, ann for the key a.
func entryOf(key, name string, more ...string) Entry {
	first := strings.ToLower(strings.Fields(name)[0])
	e := Entry{DN: "CN=" + name + ",DC=example,DC=com", Key: keyOf([]byte(key)), Attributes: map[string][]string{
		"displayname": {name}, "mail": {first + "@example.com"}, "samaccountname": {first}, "useraccountcontrol": {"512"},
	}}
	for _, pair := range more {
		name, value, _ := strings.Cut(pair, "=")
		e.Attributes[name] = append(slices.Clone(e.Attributes[name]), value)
		if name == "mail" || name == "samaccountname" || name == "displayname" {
			e.Attributes[name] = []string{value}
		}
		if value == "" {
			delete(e.Attributes, name)
		}
	}
	return e
}

// summary is a report in short: actions with names and reasons.
func summary(r Report) string {
	var lines []string
	for _, l := range r.Lines {
		text := fmt.Sprintf("%s %s", l.Action, l.Name)
		if len(l.Fields) > 0 && l.Action == Update {
			text += " " + strings.Join(l.Fields, ",")
		}
		if l.Reason != "" {
			text += ": " + l.Reason
		}
		lines = append(lines, text)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	return data
}

var errAway = errors.New("the server went away")
