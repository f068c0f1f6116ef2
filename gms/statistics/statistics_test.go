package statistics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/directory"
	"furrow/gms/soap/spcm"
)

// domainKeys are made once: making them is slow.
var domainKeys = sync.OnceValues(keys.GenerateKeySet)

const (
	account  = "a6afv5ms7sxxpkzpzfvwbra83av34at3mz6ytds"
	identity = "grooveIdentity://w7e552zcd2us7uhc7upitakem5j9ezxk@"
	tool     = "grooveTool://sketch"
	space    = "grooveTelespace://a"
)

// fixture is a book in a folder, with a clock that tests set.
type fixture struct {
	*Book
	dir    string
	domain string // GUID
	member string // GUID, bound to account and identity
	now    time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir(), now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	f.open(t)
	t.Cleanup(func() { must(t, f.store.Close()) })
	must(t, f.directory.SetServerURL(t.Context(), "http://groove.example.com/gms.dll"))
	domain, err := f.directory.CreateDomain(t.Context(), "Contoso", "")
	must(t, err)
	m, err := f.directory.CreateMember(t.Context(), domain.GUID, directory.MemberDetails{FullName: "Anna", Email: "a@example.com"})
	must(t, err)
	_, err = f.directory.InstallIdentity(t.Context(), domain.GUID, m.GUID, account, identity)
	must(t, err)
	f.domain, f.member = domain.GUID, m.GUID
	return f
}

func (f *fixture) open(t *testing.T) {
	t.Helper()
	schema := state.NewSchema()
	ofDirectory, ofStatistics := directory.Declare(schema), Declare(schema)
	store, _, err := state.Open(filepath.Join(f.dir, "state"), schema, state.Options{})
	must(t, err)
	vault, err := keys.OpenVault(f.dir)
	must(t, err)
	blobs, err := blob.Open(blob.Options{Dir: filepath.Join(f.dir, "statistics"), ReserveBytes: 1})
	must(t, err)
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return f.now }
	f.Book, err = Open(Config{
		Store: store, Tables: ofStatistics, Blobs: blobs, Now: now, Log: log,
		Directory: directory.New(directory.Config{
			Store: store, Tables: ofDirectory, Vault: vault, Now: now, Log: log, GenerateKeys: domainKeys,
		}),
	})
	must(t, err)
}

func (f *fixture) reopen(t *testing.T) {
	t.Helper()
	must(t, f.store.Close())
	f.open(t)
}

// report is a package of these statistics, made now.
func (f *fixture) report(id int32, stats ...spcm.Stat) Package {
	for i := range stats {
		stats[i].AccountGUID, stats[i].IdentityURL = account, identity
	}
	return Package{Domain: f.domain, Account: account, ID: id, Created: int32(f.now.Unix()), Stats: stats}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTypes counts a statistic of each type (MS-GRVSPCM 3.2.5.3.5), twice.
func TestTypes(t *testing.T) {
	f := newFixture(t)
	stat := func(kind spcm.StatType, s, s2 string) spcm.Stat {
		return spcm.Stat{Type: kind, String: s, String2: s2, Long: 60, Long2: 3}
	}
	all := []spcm.Stat{
		stat(spcm.StatToolTime, tool, space), stat(spcm.StatSpaceTime, space, "Project"), stat(spcm.StatToolCreate, tool, space),
		stat(spcm.StatSpaceCreate, space, "Project"), stat(spcm.StatVoice, space, ""), stat(spcm.StatConference, space, ""),
		stat(spcm.StatSpaceDelete, space, ""), stat(spcm.StatSpaceJoin, space, "Project"), stat(spcm.StatMembers, space, "manager"),
	}
	must(t, f.Count(t.Context(), f.report(1, slices.Clone(all)...)))
	for i := range all {
		all[i].Long = 1
	}
	must(t, f.Count(t.Context(), f.report(2, all...)))
	f.reopen(t)
	want := map[spcm.StatType]Daily{
		spcm.StatToolTime:    {Tool: tool, Space: space, Elapsed: 61, Uses: 6},
		spcm.StatSpaceTime:   {Space: space, SpaceName: "Project", Elapsed: 61, Uses: 6},
		spcm.StatToolCreate:  {Tool: tool, Space: space},
		spcm.StatSpaceCreate: {Space: space, SpaceName: "Project"},
		spcm.StatVoice:       {Space: space, Elapsed: 61, Uses: 6},
		spcm.StatConference:  {Space: space, Elapsed: 61, Uses: 6},
		spcm.StatSpaceDelete: {Space: space},
		spcm.StatSpaceJoin:   {Space: space, SpaceName: "Project"},
		spcm.StatMembers:     {Space: space, Role: "manager", Active: 60, Total: 3},
	}
	got := slices.Collect(f.Days(Filter{Domain: f.domain, Member: f.member, From: "2026-03-14", To: "2026-03-14"}))
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for _, d := range got {
		w := want[d.Type]
		w.Domain, w.Day, w.Account, w.IdentityURL, w.Member, w.Type, w.Count = f.domain, "2026-03-14", account, identity, f.member, d.Type, 2
		if d != w {
			t.Errorf("got  %+v\nwant %+v", d, w)
		}
	}
	kind := spcm.StatVoice
	for name, c := range map[string]struct {
		filter Filter
		want   int
	}{
		"type": {Filter{Type: &kind}, 1}, "later": {Filter{From: "2026-03-15"}, 0}, "earlier": {Filter{To: "2026-03-13"}, 0},
		"another domain": {Filter{Domain: "other"}, 0}, "another member": {Filter{Member: "other"}, 0}, "all": {Filter{}, 9},
	} {
		if got := len(slices.Collect(f.Days(c.filter))); got != c.want {
			t.Errorf("%s: %d rows, want %d", name, got, c.want)
		}
	}
}

// TestCountedOnce has a report come again: at once, after a restart, and after
// all is forgotten.
func TestCountedOnce(t *testing.T) {
	f := newFixture(t)
	report := f.report(1, spcm.Stat{Type: spcm.StatToolTime, Long: 60, String: tool})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := f.Count(context.Background(), report); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f.reopen(t)
	must(t, f.Count(t.Context(), report))
	count := func() (n int64) {
		for d := range f.Days(Filter{}) {
			n += d.Count
		}
		return n
	}
	if got := count(); got != 1 {
		t.Errorf("counted %d times", got)
	}
	if names := f.blobs.Names(); len(names) != 1 {
		t.Errorf("blobs %q", names)
	}
	other := report
	other.ID = 2 // the same use again
	must(t, f.Count(t.Context(), other))
	if got := count(); got != 2 {
		t.Errorf("counted %d times", got)
	}
	f.now = f.now.Add(window + time.Hour)
	must(t, f.Purge(t.Context()))
	if len(f.Reports()) != 0 || len(f.blobs.Names()) != 0 {
		t.Errorf("remembered %+v, blobs %q", f.Reports(), f.blobs.Names())
	}
	if err := f.Count(t.Context(), report); !errors.Is(err, ErrOutdated) {
		t.Errorf("a recording: %v", err)
	}
	if got := count(); got != 2 {
		t.Errorf("counted %d times", got)
	}
}

// TestOthersAccount counts for nobody what another account says of a member.
func TestOthersAccount(t *testing.T) {
	f := newFixture(t)
	report := f.report(1, spcm.Stat{Type: spcm.StatToolTime, Long: 60, String: tool})
	report.Account = "other"
	must(t, f.Count(t.Context(), report))
	for d := range f.Days(Filter{}) {
		if d.Member != "" || d.Account != account {
			t.Errorf("row %+v", d)
		}
	}
}

// TestManyRows puts what is beyond the bound together.
func TestManyRows(t *testing.T) {
	f := newFixture(t)
	f.maxDaily = 3
	for i := range 20 {
		must(t, f.Count(t.Context(), f.report(int32(i), spcm.Stat{Type: spcm.StatToolTime, Long: 1, String: fmt.Sprint(i)})))
	}
	var elapsed, rows int64
	for d := range f.Days(Filter{}) {
		elapsed += d.Elapsed
		rows++
	}
	if elapsed != 20 || rows != 4 {
		t.Errorf("%d in %d rows, want 20 in 4", elapsed, rows)
	}
}

func TestRetention(t *testing.T) {
	f := newFixture(t)
	report := f.report(1, spcm.Stat{Type: spcm.StatToolTime, Long: 60, String: tool})
	must(t, f.Count(t.Context(), report))
	raw, err := f.Raw(f.Reports()[0])
	if err != nil || !reflect.DeepEqual(raw, report.Stats) {
		t.Errorf("raw %+v, %v", raw, err)
	}
	f.now = f.now.Add(defaultRawDays * 24 * time.Hour)
	must(t, f.Purge(t.Context()))
	if raw, err := f.Raw(f.Reports()[0]); raw != nil || err != nil || len(f.blobs.Names()) != 0 {
		t.Errorf("raw %+v after its time, %v", raw, err)
	}
	must(t, f.SetSettings(t.Context(), Settings{RawDays: 0, Days: 10}))
	must(t, f.Count(t.Context(), f.report(2, spcm.Stat{Type: spcm.StatVoice, Long: 60})))
	if len(f.blobs.Names()) != 0 {
		t.Error("a report was kept against the settings")
	}
	f.now = f.now.Add(4 * 24 * time.Hour) // 11 days after the first, 4 after the second
	must(t, f.Purge(t.Context()))
	if rows := slices.Collect(f.Days(Filter{})); len(rows) != 1 || rows[0].Type != spcm.StatVoice {
		t.Errorf("rows %+v", rows)
	}
	if err := f.SetSettings(t.Context(), Settings{RawDays: -1}); !errors.Is(err, ErrInvalid) {
		t.Errorf("negative days: %v", err)
	}
	must(t, f.blobs.Put("orphan", nil))
	f.reopen(t)
	if len(f.blobs.Names()) != 0 || f.Settings().Days != 10 {
		t.Errorf("after a restart: blobs %q, settings %+v", f.blobs.Names(), f.Settings())
	}
}

func TestReportsOfAnAccountAreBounded(t *testing.T) {
	f := newFixture(t)
	must(t, f.SetSettings(t.Context(), Settings{}))
	stat := spcm.Stat{Type: spcm.StatVoice, Long: 1}
	var wg sync.WaitGroup // so that the reports share flushes
	for i := range maxOfAccount {
		report := f.report(int32(i), stat)
		wg.Go(func() {
			if err := f.Count(context.Background(), report); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := f.Count(t.Context(), f.report(-1, stat)); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
}
