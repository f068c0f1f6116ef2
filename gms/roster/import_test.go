package roster

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
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

// fixture is a directory with one domain.
type fixture struct {
	*directory.Directory
	domain string
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	dir := t.TempDir()
	vault, err := keys.OpenVault(dir)
	must(t, err)
	schema := state.NewSchema()
	tables := directory.Declare(schema)
	store, _, err := state.Open(filepath.Join(dir, "state"), schema, state.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	d := directory.New(directory.Config{
		Store: store, Tables: tables, Vault: vault, Now: time.Now, Log: slog.New(slog.DiscardHandler), GenerateKeys: testKeys,
	})
	must(t, d.SetServerURL(t.Context(), "http://groove.example.com/gms.dll"))
	domain, err := d.CreateDomain(t.Context(), "Office", "")
	must(t, err)
	return &fixture{d, domain.GUID}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// load imports CSV.
func (f *fixture) load(t testing.TB, o ImportOptions, lines ...string) Report {
	t.Helper()
	file, err := Read(strings.NewReader(strings.Join(lines, "\n")), ReadOptions{Format: CSV})
	must(t, err)
	o.Domain = f.domain
	report, err := Import(t.Context(), f.Directory, file, o)
	must(t, err)
	return report
}

// state is what can be seen of all members and groups.
func (f *fixture) state() string {
	var b strings.Builder
	for _, m := range f.Members(directory.MemberFilter{}) {
		fmt.Fprintf(&b, "%s %s %+v\n", m.GUID, f.GroupPathOf(m.Group), m.MemberDetails)
	}
	for _, g := range f.Groups(f.domain) {
		fmt.Fprintln(&b, g.Path)
	}
	return b.String()
}

func (f *fixture) member(t *testing.T, email string) directory.Member {
	t.Helper()
	for _, m := range f.Members(directory.MemberFilter{}) {
		if m.Email == email {
			return m
		}
	}
	t.Fatalf("nobody has the address %s", email)
	return directory.Member{}
}

func counts(r Report) [4]int { return [4]int{r.Created, r.Updated, r.Kept, r.Bad} }

func TestImportCreatesMembersAndGroups(t *testing.T) {
	f := newFixture(t)
	lines := []string{
		"fullName,email,login,group", "Ann,ann@example.com,ann,Sales/North", "Bob,bob@example.com,,sales/North", "Carl,carl@example.com,,",
	}
	before := f.state()
	dry := f.load(t, ImportOptions{CreateGroups: true, DryRun: true}, lines...)
	if counts(dry) != [4]int{3, 0, 0, 0} || dry.Applied || !slices.Equal(dry.Groups, []string{"Sales", "Sales/North"}) || dry.Lines[0].GUID != "" {
		t.Errorf("dry run: %+v", dry)
	}
	if after := f.state(); after != before {
		t.Errorf("a dry run left %s", after)
	}
	done := f.load(t, ImportOptions{CreateGroups: true}, lines...)
	if counts(done) != [4]int{3, 0, 0, 0} || !done.Applied {
		t.Errorf("%+v", done)
	}
	ann := f.member(t, "ann@example.com")
	if ann.RemoteUser != "ann" || f.GroupPathOf(ann.Group) != "Sales/North" || ann.Group != f.member(t, "bob@example.com").Group || done.Lines[0].GUID != ann.GUID {
		t.Errorf("%+v, %+v", ann, done.Lines)
	}
	again := f.load(t, ImportOptions{SkipBad: true}, lines...)
	if counts(again) != [4]int{0, 0, 0, 3} || !strings.Contains(again.Problems[0].What, "already") {
		t.Errorf("the same again: %+v", again)
	}
}

func TestProblemsNameLineAndAttribute(t *testing.T) {
	f := newFixture(t)
	f.load(t, ImportOptions{}, "fullName,email,login", "Zoe,zoe@example.com,zoe")
	before := f.state()
	lines := []string{
		"fullName,email,login,group,policy,relaySet,guid",
		",ann@example.com,,,,,",
		"Bob,bob,,,,,",
		"Carl,carl@example.com,ZOE,New/Group,,,",
		"Dora,dora@example.com,,//,,,",
		"Emil,emil@example.com,,,no such policy,,",
		"Fay,fay@example.com,,,,no such set,",
		"Good,good@example.com,,Other,,,",
		"GOOD,Good@example.com,,,,,",
		"Hal,hal@example.com,,,,,9557EB24-5779-4635-BA83-4C4AD001B4F1",
		"Ida\x01,ida@example.com,,,,,",
		"short",
		"Jan,jan@example.com,," + strings.Repeat("g/", 20) + "g,,,",
	}
	want := []string{
		"2 fullName", "3 email", "4 login", "5 group", "6 policy", "7 relaySet", "9 ", "10 guid", "11 fullName", "12 ", "13 group",
	}
	check := func(r Report) {
		t.Helper()
		var got []string
		for _, p := range r.Problems {
			got = append(got, fmt.Sprint(p.Line, " ", p.Attribute))
			if p.What == "" || p.Mend == "" {
				t.Errorf("%+v", p)
			}
		}
		if !slices.Equal(got, want) || r.Bad != len(want) {
			t.Errorf("problems %q", got)
		}
	}
	all := f.load(t, ImportOptions{CreateGroups: true}, lines...)
	check(all)
	if all.Applied || f.state() != before {
		t.Errorf("a bad file left %s", f.state())
	}
	skipped := f.load(t, ImportOptions{CreateGroups: true, SkipBad: true}, lines...)
	check(skipped)
	if !skipped.Applied || skipped.Created != 1 || !slices.Equal(skipped.Groups, []string{"Other"}) {
		t.Errorf("%+v", skipped)
	}
	if groups := f.Groups(f.domain); len(groups) != 1 {
		t.Errorf("bad lines left groups: %+v", groups)
	}
	if r := f.load(t, ImportOptions{}, "fullName,email,group", "Kai,kai@example.com,Nowhere"); r.Applied || r.Problems[0].Attribute != Group {
		t.Errorf("group that is not to be created: %+v", r)
	}
}

func TestUpdateFindsMembersByTheKey(t *testing.T) {
	f := newFixture(t)
	f.load(t, ImportOptions{CreateGroups: true}, "fullName,email,login,title,group",
		"Ann,ann@example.com,ann,Surveyor,Sales", "Bob,bob@example.com,bob,,", "Bo,both@example.com,,,", "Bert,both@example.com,,,")
	ann := f.member(t, "ann@example.com")

	byEmail := f.load(t, ImportOptions{Key: Email, SkipBad: true}, "email,fullName,phone",
		"ANN@example.com,Ann Smith,1", "bob@example.com,Bob,", "both@example.com,B,", "carl@example.com,Carl,", "bob@example.com,Bobby,")
	if counts(byEmail) != [4]int{1, 1, 1, 2} || byEmail.Problems[0].Attribute != Email || byEmail.Problems[1].Line != 6 {
		t.Errorf("by address: %+v", byEmail)
	}
	changed, err := f.Member(ann.GUID)
	must(t, err)
	if changed.FullName != "Ann Smith" || changed.Title != "Surveyor" || changed.Group == "" || changed.Phone != "1" {
		t.Errorf("what the file does not have must stay: %+v", changed.MemberDetails)
	}
	byLogin := f.load(t, ImportOptions{Key: Login}, "login,fullName,email,title,group", "Ann,Ann Jones,ann@example.org,,")
	if counts(byLogin) != [4]int{0, 1, 0, 0} {
		t.Errorf("by login: %+v", byLogin)
	}
	if changed, err = f.Member(ann.GUID); err != nil || changed.Email != "ann@example.org" || changed.Title != "" || changed.Group != "" {
		t.Errorf("what the file has empty must be emptied: %+v, %v", changed.MemberDetails, err)
	}
	byGUID := f.load(t, ImportOptions{Key: GUID, SkipBad: true}, "guid,fullName,email",
		ann.GUID+",Ann,ann@example.net", ",Dora,dora@example.com", "nobody,Emil,emil@example.com")
	if counts(byGUID) != [4]int{1, 1, 0, 1} || byGUID.Problems[0].Attribute != GUID {
		t.Errorf("by GUID: %+v", byGUID)
	}
	if _, err := Import(t.Context(), f.Directory, File{}, ImportOptions{Domain: f.domain, Key: "title"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("by title: %v", err)
	}
}

func TestExportComesBackUnchanged(t *testing.T) {
	f := newFixture(t)
	f.load(t, ImportOptions{CreateGroups: true}, "fullName,email,login,title,group",
		"'=Ann,ann@example.com,ann,Surveyor,Sales/North", "Bob,bob@example.com,,,")
	before := f.state()
	for _, o := range []WriteOptions{{Format: CSV}, {Format: CSV, Separator: ';'}, {Format: XML}} {
		var text bytes.Buffer
		must(t, Export(&text, f.Directory, directory.MemberFilter{Domain: f.domain}, o))
		file, err := Read(&text, ReadOptions{Format: o.Format})
		must(t, err)
		report, err := Import(t.Context(), f.Directory, file, ImportOptions{Domain: f.domain, Key: GUID})
		if err != nil || counts(report) != [4]int{0, 0, 2, 0} || f.state() != before {
			t.Errorf("%v: %+v, %v", o, report, err)
		}
	}
	if f.member(t, "ann@example.com").FullName != "=Ann" {
		t.Errorf("%s", before)
	}
}

func TestInviteFailsWithTheWholeImport(t *testing.T) {
	f := newFixture(t)
	before := f.state()
	file, err := Read(strings.NewReader("fullName,email\nAnn,ann@example.com\nBob,bob@example.com\n"), ReadOptions{Format: CSV})
	must(t, err)
	var invited []string
	o := ImportOptions{Domain: f.domain, SkipBad: true, Invite: func(_ directory.MemberBatch, guid string) error {
		if invited = append(invited, guid); len(invited) == 2 {
			return fmt.Errorf("outbox: %w", directory.ErrInvalid) // a kind that would be a line's problem elsewhere
		}
		return nil
	}}
	if _, err := Import(t.Context(), f.Directory, file, o); !errors.Is(err, directory.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if f.state() != before {
		t.Errorf("left %s", f.state())
	}
	invited = append(invited, "", "")
	if r, err := Import(t.Context(), f.Directory, file, o); err != nil || r.Mailed != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestImportOfMoreThanARecordOfTheJournal(t *testing.T) {
	f := newFixture(t)
	long := strings.Repeat("ß", 250)
	file := File{}
	for i := range 7000 {
		r := Record{Line: i + 2, Values: map[string]Value{Email: {Text: fmt.Sprintf("m%d@example.com", i)}, FullName: {Text: "M"}}}
		for _, attribute := range []string{Organization, Title, Street1, Street2, City, State, Country, Phone, Cell, Fax} {
			r.Values[attribute] = Value{Text: long}
		}
		file.Records = append(file.Records, r)
	}
	if _, err := Import(t.Context(), f.Directory, file, ImportOptions{Domain: f.domain}); !errors.Is(err, ErrInvalid) {
		t.Errorf("%v", err)
	}
	if members := f.Members(directory.MemberFilter{}); len(members) != 0 {
		t.Errorf("%d members", len(members))
	}
}
