// Package boxtest makes the parts of a box that the administration interface acts on, for the tests of the interface and
// of the pages. The parts are the real ones, in a directory of their own; nothing of them runs in the background.
package boxtest

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"furrow/appliance/actionlog"
	"furrow/appliance/alert"
	"furrow/appliance/backup"
	"furrow/appliance/backup/plan"
	"furrow/appliance/blob"
	"furrow/appliance/checkup"
	"furrow/appliance/keys"
	"furrow/appliance/machine"
	"furrow/appliance/mail"
	"furrow/appliance/recentlog"
	"furrow/appliance/state"
	"furrow/appliance/tlscert"
	"furrow/gms/audit"
	"furrow/gms/directory"
	"furrow/gms/invitation"
	"furrow/gms/ldapsync"
	"furrow/gms/relaylink"
	"furrow/gms/statistics"
	"furrow/relay/registry"
	"furrow/relay/traffic"
	"furrow/web/access"
	"furrow/web/metrics"
)

// ServerURL is the address that clients of the box are told.
const ServerURL = "http://groove.example.com/gms.dll"

// oneKeySet makes the keys of everything: making RSA keys is slow.
var oneKeySet = sync.OnceValues(keys.GenerateKeySet)

// Parts are what a box is made of.
type Parts struct {
	Dir         string // that all of it is in
	Store       *state.Store
	Recovery    *state.Recovery
	Log         *slog.Logger
	Directory   *directory.Directory
	Access      *access.Control
	Actions     *actionlog.Log
	Alerts      *alert.Monitor
	Audit       *audit.Archive
	Backup      *plan.Plan
	Checkup     *checkup.Room
	RecentLog   *recentlog.Ring
	Machine     *machine.Machine // whose sockets are in Dir, if a test makes them
	TLS         *tlscert.Keeper
	Invitations *invitation.Desk
	LDAP        *ldapsync.Syncer
	Mail        *mail.Post
	Statistics  *statistics.Book
	// Links and Registry are the two ends of relay management. Neither has an identity yet, whose keys cost time.
	Links    *relaylink.Links
	Registry *registry.Registry
	Traffic  *traffic.Book
	// Seen is what the alerts see of the box; a test sets it before it has them look.
	Seen alert.Observations
	// Carried is what the book of traffic reads from a relay.
	Carried traffic.Sum
}

// New makes the parts by the clock now and closes them at the end of the test. Whatever uses them must have ended then:
// what a test registers with Cleanup later is called earlier.
func New(t testing.TB, now func() time.Time) *Parts {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := &Parts{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), RecentLog: new(recentlog.Ring)}
	schema := state.NewSchema()
	directoryTables, accessTables := directory.Declare(schema), access.Declare(schema)
	mailTables, auditTables, statisticsTables := mail.Declare(schema), audit.Declare(schema), statistics.Declare(schema)
	ldapTables, invitationTables := ldapsync.Declare(schema), invitation.Declare(schema)
	linkTables, registryTables := relaylink.Declare(schema), registry.Declare(schema)
	actionTables, alertTables, planTables := actionlog.Declare(schema), alert.Declare(schema), plan.Declare(schema)
	tlsTables := tlscert.Declare(schema)
	trafficTables := traffic.Declare(schema)
	store, report, err := state.Open(filepath.Join(p.Dir, "state"), schema, state.Options{})
	must(err)
	p.Store, p.Recovery = store, report.Recovery
	t.Cleanup(func() { must(store.Close()) })
	vault, err := keys.OpenVault(p.Dir)
	must(err)
	p.Directory = directory.New(directory.Config{
		Store: store, Tables: directoryTables, Vault: vault, Now: now, Log: p.Log, GenerateKeys: oneKeySet,
	})
	must(p.Directory.SetServerURL(context.Background(), ServerURL))
	blobs, err := blob.Open(blob.Options{Dir: filepath.Join(p.Dir, "blobs")})
	must(err)
	p.Audit, err = audit.Open(audit.Config{
		Store: store, Tables: auditTables, Blobs: blobs, Directory: p.Directory, Vault: vault, Now: now, Log: p.Log,
	})
	must(err)
	p.Statistics, err = statistics.Open(statistics.Config{
		Store: store, Tables: statisticsTables, Blobs: blobs, Directory: p.Directory, Now: now, Log: p.Log,
	})
	must(err)
	p.Mail = mail.New(mail.Config{
		Store: store, Tables: mailTables, Vault: vault, Hostname: "groove.example.com", Now: now, Log: p.Log,
	})
	p.Invitations = invitation.New(invitation.Config{Store: store, Tables: invitationTables, Directory: p.Directory, Post: p.Mail})
	p.Actions, err = actionlog.Open(actionlog.Config{
		Dir: filepath.Join(p.Dir, "actions"), Store: store, Tables: actionTables, Now: now, Log: p.Log,
	})
	must(err)
	t.Cleanup(func() { must(p.Actions.Close()) })
	p.Access = access.New(access.Config{
		Store: store, Tables: accessTables, Vault: vault, Actions: p.Actions, Now: now, Log: p.Log,
	})
	p.Alerts = alert.New(alert.Config{
		Store: store, Tables: alertTables, Vault: vault, Mail: p.Mail, Now: now, Log: p.Log,
		Observe: func(context.Context) alert.Observations { return p.Seen },
	})
	p.Backup = plan.New(plan.Config{
		Store: store, Tables: planTables, Vault: vault, Now: now, Log: p.Log,
		Source: &backup.Source{Store: store, StateDir: "state", Vault: vault, Version: "test", Now: now},
	})
	p.Links = relaylink.New(relaylink.Config{
		Store: store, Tables: linkTables, Directory: p.Directory, Vault: vault, Now: now, Log: p.Log,
		GenerateKeys: oneKeySet,
	})
	p.Registry = registry.New(registry.Config{
		Store: store, Tables: registryTables, Vault: vault, Now: now, Log: p.Log, GenerateKeys: oneKeySet,
	})
	p.TLS, err = tlscert.Open(context.Background(), tlscert.Config{
		Store: store, Tables: tlsTables, Vault: vault, Names: []string{"groove.example.com"}, Now: now, Log: p.Log,
	})
	must(err)
	p.Machine = machine.New(filepath.Join(p.Dir, "steward"), filepath.Join(p.Dir, "taker"), filepath.Join(p.Dir, "support"))
	p.Checkup = checkup.New(func(_ context.Context, report func(checkup.Finding)) error {
		report(checkup.Finding{Check: "clock", Tried: "look at the clock", Outcome: checkup.Well, Found: "it is noon"})
		report(checkup.Finding{Check: "disk-space", Tried: "look at the disk", Outcome: checkup.Failed, Found: "it is full", Remedy: "make room"})
		return nil
	}, now)
	p.Traffic = traffic.New(traffic.Config{
		Store: store, Tables: trafficTables, Read: func() traffic.Sum { return p.Carried }, Now: now, Log: p.Log,
	})
	p.LDAP = ldapsync.New(ldapsync.Config{
		Store: store, Tables: ldapTables, Vault: vault, Directory: p.Directory, Now: now, Log: p.Log,
	})
	return p
}

// Measured is what a scrape reads of the box; a test that has a relay adds it.
func (p *Parts) Measured() metrics.Box {
	return metrics.Box{
		Version: "test", DataDir: p.Dir, Store: p.Store, Directory: p.Directory, Access: p.Access, Mail: p.Mail,
		Backup: p.Backup, Alerts: p.Alerts, TLS: p.TLS, Log: p.Log,
	}
}

// AddMembers adds a domain with so many members.
func (p *Parts) AddMembers(t testing.TB, n int) {
	t.Helper()
	d, err := p.Directory.CreateDomain(context.Background(), "Office", "Contoso")
	if err != nil {
		t.Fatal(err)
	}
	for n > 0 {
		part := min(n, 2000) // a transaction has its limit
		err = p.Directory.ChangeMembers(context.Background(), func(batch directory.MemberBatch) error {
			for i := range part {
				name := fmt.Sprintf("Member %05d", n-i)
				details := directory.MemberDetails{FullName: name, Email: fmt.Sprintf("m%05d@example.com", n-i)}
				if _, err := batch.Create(d.GUID, details); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n -= part
	}
}
