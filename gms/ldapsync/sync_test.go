package ldapsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"furrow/gms/directory"
)

// step is the list of the directory server, what an administrator did before, and what the sync reports then.
type step struct {
	before  func(*testing.T, *fixture)
	entries []Entry
	report  string
}

func TestSync(t *testing.T) {
	ann, bob, cid := entryOf("a", "Ann Smith"), entryOf("b", "Bob Jones"), entryOf("c", "Cid Young")
	disabled := func(e Entry) Entry { e.Disabled = true; return e }
	for name, steps := range map[string][]step{
		"add, update, rename, empty": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			{entries: []Entry{ann, bob}},
			{entries: []Entry{entryOf("a", "Ann Miller", "mail=ann@example.com", "title=Boss", "l=Köln"), bob}, report: "update Ann Miller fullName,title,city"},
			{entries: []Entry{entryOf("a", "Ann Miller"), bob}, report: "update Ann Miller title,city"},
		},
		"several values in any order": {
			{entries: []Entry{entryOf("a", "Ann", "telephonenumber=1", "telephonenumber=2")}, report: "add Ann"},
			{entries: []Entry{entryOf("a", "Ann", "telephonenumber=2", "telephonenumber=1")}},
		},
		"gone, back": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			{entries: []Entry{ann}, report: "disable Bob Jones: is not in the directory any more"},
			{entries: []Entry{ann}},
			{entries: []Entry{ann, bob}, report: "enable Bob Jones: is no longer disabled in the directory, or is there again"},
		},
		"disabled in the directory": {
			{entries: []Entry{ann, bob, disabled(cid)}, report: "add Ann Smith\nadd Bob Jones\nskip : is disabled in the directory and has no member"},
			{entries: []Entry{ann, disabled(bob)}, report: "disable Bob Jones: is disabled in the directory"},
			{entries: []Entry{ann, entryOf("b", "Bob Jones", "title=Boss")},
				report: "enable Bob Jones: is no longer disabled in the directory, or is there again\nupdate Bob Jones title"},
		},
		"disabled by hand stays": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			{before: func(t *testing.T, f *fixture) {
				_, err := f.Directory.DisableMember(t.Context(), f.member(t, "Ann Smith").GUID)
				must(t, err)
			}, entries: []Entry{ann, bob}},
		},
		"enabled by hand, then disabled by hand": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			{entries: []Entry{ann}, report: "disable Bob Jones: is not in the directory any more"},
			{before: func(t *testing.T, f *fixture) {
				_, err := f.Directory.EnableMember(t.Context(), f.member(t, "Bob Jones").GUID)
				must(t, err)
			}, entries: []Entry{ann, bob}},
			{before: func(t *testing.T, f *fixture) {
				_, err := f.Directory.DisableMember(t.Context(), f.member(t, "Bob Jones").GUID)
				must(t, err)
			}, entries: []Entry{ann, bob}},
		},
		"merge by e-mail and by login, hand-made ones stay": {
			{before: func(t *testing.T, f *fixture) {
				f.hand(t, directory.MemberDetails{FullName: "A. Smith", Email: "ANN@example.com", Phone: "7", Title: "T"})
				f.hand(t, directory.MemberDetails{FullName: "B. Jones", Email: "other@example.com", RemoteUser: "BOB"})
				f.hand(t, directory.MemberDetails{FullName: "Zoe", Email: "zoe@example.com", Phone: "9"})
			}, entries: []Entry{entryOf("a", "Ann Smith", "title=Boss"), bob},
				report: "merge Ann Smith: has the same e-mail address or login name\nmerge Bob Jones: has the same e-mail address or login name"},
			{before: func(t *testing.T, f *fixture) {
				if m := f.member(t, "Ann Smith"); m.Phone != "7" || m.Title != "Boss" {
					t.Errorf("merged to %+v", m.MemberDetails)
				}
				if m := f.member(t, "Zoe"); m.Phone != "9" || m.Status != directory.Pending {
					t.Errorf("a member without an entry became %+v", m)
				}
			}, entries: []Entry{ann, bob}, report: "update Ann Smith title"}, // given by the directory, so taken by it; the phone was not
		},
		"ambiguous": {
			{before: func(t *testing.T, f *fixture) {
				f.hand(t, directory.MemberDetails{FullName: "One", Email: "ann@example.com"})
				f.hand(t, directory.MemberDetails{FullName: "Two", Email: "x@example.com", RemoteUser: "ann"})
				f.hand(t, directory.MemberDetails{FullName: "Three", Email: "bob@example.com", RemoteUser: "robert"})
			}, entries: []Entry{
				ann,                                                // One by e-mail, Two by login
				bob,                                                // Three by e-mail ...
				entryOf("r", "Robert Jones"),                       // ... and this one by login
				cid, entryOf("d", "Cid Other", "samaccountname=d"), // the same e-mail
			}, report: "skip Ann Smith: 2 members have its e-mail address or login name\n" +
				"skip Bob Jones: several new entries could be the member Three\n" +
				"skip Cid Other: several new entries have the e-mail address \"cid@example.com\"\n" +
				"skip Cid Young: several new entries have the e-mail address \"cid@example.com\"\n" +
				"skip Robert Jones: several new entries could be the member Three"},
		},
		"a login name changes hands": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			// Bob has Ann's login name now, Ann a new one, and somebody new Bob's.
			{entries: []Entry{
				entryOf("a", "Ann Smith", "samaccountname=asmith"), entryOf("b", "Bob Jones", "samaccountname=ann"),
				entryOf("c", "Cid Young", "samaccountname=bob"),
			}, report: "add Cid Young\nupdate Ann Smith login\nupdate Bob Jones login"},
		},
		"two exchange login names": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			{entries: []Entry{entryOf("a", "Ann Smith", "samaccountname=bob"), entryOf("b", "Bob Jones", "samaccountname=ann")},
				report: "skip Ann Smith: login name \"bob\" is that of Bob Jones\nskip Bob Jones: login name \"ann\" is that of Ann Smith"},
		},
		"an account made anew": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			{entries: []Entry{ann}, report: "disable Bob Jones: is not in the directory any more"},
			{entries: []Entry{ann, entryOf("new", "Bob Jones")},
				report: "enable Bob Jones: its entry is there again\nmerge Bob Jones: its entry was made anew"},
			{entries: []Entry{ann}, report: "disable Bob Jones: is not in the directory any more"},
		},
		"deleted by hand": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			{before: func(t *testing.T, f *fixture) {
				_, err := f.Directory.DeleteMember(t.Context(), f.member(t, "Bob Jones").GUID)
				must(t, err)
			}, entries: []Entry{ann, bob},
				report: "skip Bob Jones: its member was deleted or migrated; one added by hand with the same e-mail address would be merged"},
			{before: func(t *testing.T, f *fixture) {
				f.hand(t, directory.MemberDetails{FullName: "Bob", Email: "bob@example.com"})
			}, entries: []Entry{ann, bob}, report: "merge Bob Jones: has the same e-mail address or login name"},
		},
		"an entry with bad values is not gone": {
			{entries: []Entry{ann, bob}, report: "add Ann Smith\nadd Bob Jones"},
			{entries: []Entry{ann, entryOf("b", "Bob Jones", "title=\xff")}, report: "skip Bob Jones: title is not UTF-8"},
			{entries: []Entry{ann, disabled(entryOf("b", "Bob Jones", "title=\xff"))}, report: "disable Bob Jones: is disabled in the directory"},
		},
		"nobody at all": {
			{entries: []Entry{ann}, report: "add Ann Smith"},
			{entries: nil, report: "hold Ann Smith: disable: is not in the directory any more"},
		},
		"an entry without a key may be anybody": {
			{entries: []Entry{ann, bob, cid}, report: "add Ann Smith\nadd Bob Jones\nadd Cid Young"},
			{entries: []Entry{ann, bob, {DN: "CN=Cid"}}, report: "hold Cid Young: disable: is not in the directory any more\nskip : has no objectGUID that can be used"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.set(t, nil)
			for i, s := range steps {
				if s.before != nil {
					s.before(t, f)
				}
				f.entries = s.entries
				preview, err := f.Preview(t.Context(), "office", false)
				must(t, err)
				r := f.sync(t)
				if got := summary(r); got != s.report {
					t.Fatalf("step %d:\n%s\nwant:\n%s", i, got, s.report)
				}
				if got, want := summary(preview), summary(r); got != want {
					t.Errorf("step %d: preview:\n%s\nsync:\n%s", i, got, want)
				}
				if again := f.sync(t); again.changed() {
					t.Errorf("step %d, again:\n%s", i, summary(again))
				}
			}
		})
	}
}

// One entry that no member can be made of must not keep the others from becoming members, nor bring control characters
// to an administrator's terminal.
func TestHostileValues(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	f.entries = []Entry{
		entryOf("a", "Ann"), entryOf("b", "Bob\x1b[31m"), entryOf("c", "Cid", "title="+strings.Repeat("x", 1<<20)),
		entryOf("d", "Dan", "l=\xff\xfe"), entryOf("e", "Eve", "mail=no\u2028address"), entryOf("f", "Fay", "mail="),
		entryOf("g", "Guy", "title="+strings.Repeat("ü", 257)), {DN: "CN=No\x00Key\x9b"}, entryOf("h", "Hal"),
		{DN: "CN=Twin", Key: keyOf([]byte("h"))}, {DN: strings.Repeat("\x1b", 1<<20), Key: "aa"},
	}
	r := f.sync(t)
	if r.Counts[Add] != 2 || r.Counts[Skip] != 9 {
		t.Errorf("%v\n%s", r.Counts, summary(r))
	}
	for _, l := range r.Lines {
		if text := l.Name + l.Entry + l.Reason; len(text) > 1000 || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b\n\u2028\u009b") {
			t.Errorf("line not fit to print: %q", l)
		}
	}
	if got, want := r.Counts[Add], len(f.Directory.Members(directory.MemberFilter{})); got != want {
		t.Errorf("%d added, %d there", got, want)
	}
}

func TestStreetLines(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	f.entries = []Entry{entryOf("a", "Ann", "streetaddress=Main Street 1\r\nBackyard\r\n\r\n2nd floor")}
	f.sync(t)
	if m := f.member(t, "Ann"); m.Street1 != "Main Street 1" || m.Street2 != "Backyard, 2nd floor" {
		t.Errorf("streets %q, %q", m.Street1, m.Street2)
	}
}

func TestAccountDisabledFlag(t *testing.T) {
	for value, want := range map[string]bool{"512": false, "514": true, "66050": true, "-2147483646": true, "": false, "x": false} {
		e := Entry{Attributes: map[string][]string{"useraccountcontrol": {value}}}
		if e.accountDisabled() != want {
			t.Errorf("userAccountControl %q: %v", value, !want)
		}
	}
}

func TestDisablesTooMany(t *testing.T) {
	for _, c := range []struct {
		disables, enabled, percent int
		want                       bool
	}{
		{1, 1, 20, false}, {2, 2, 20, true}, {1, 4, 20, false}, {4, 6, 20, false}, {5, 6, 20, true},
		{20, 100, 20, false}, {21, 100, 20, true}, {50, 100, 60, false}, {99, 100, 100, false}, {100, 100, 100, true},
	} {
		if disablesTooMany(c.disables, c.enabled, c.percent) != c.want {
			t.Errorf("%+v", c)
		}
	}
}

func TestSafetyStop(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	for i := range 20 {
		f.entries = append(f.entries, entryOf(fmt.Sprint(i), fmt.Sprintf("P%02d Office", i)))
	}
	f.sync(t)
	f.entries = f.entries[:14]
	f.entries[0] = entryOf("0", "P00 Office", "title=Boss")
	r := f.sync(t)
	if r.Counts[Hold] != 7 || len(r.Counts) != 1 || r.Stopped != "6 of 20 members would be disabled; nothing is changed" {
		t.Fatalf("%+v\n%s", r, summary(r))
	}
	if n := len(f.Directory.Members(directory.MemberFilter{Status: directory.Disabled})); n != 0 {
		t.Fatalf("%d are disabled", n)
	}
	r, err := f.Sync(t.Context(), "office", true)
	if err != nil || r.Counts[Disable] != 6 || r.Counts[Update] != 1 || r.Stopped != "" {
		t.Fatalf("forced: %+v, %v", r, err)
	}
}

// A wide filter that finds many others and loses ours is no less wrong.
func TestSafetyStopDoesNotCountNewcomers(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	for i := range 6 {
		f.entries = append(f.entries, entryOf(fmt.Sprint(i), fmt.Sprintf("P%02d Office", i)))
	}
	f.sync(t)
	f.entries = f.entries[:1]
	for i := range 60 {
		f.entries = append(f.entries, entryOf(fmt.Sprint("n", i), fmt.Sprintf("N%02d New", i)))
	}
	if r := f.sync(t); r.Counts[Hold] != 65 || len(r.Counts) != 1 {
		t.Fatalf("%+v", r.Counts)
	}
}

func TestFailedSearchChangesNothing(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	f.entries = []Entry{entryOf("a", "Ann"), entryOf("b", "Bob")}
	f.sync(t)
	before := f.changed
	f.entries, f.err = f.entries[:1], errAway
	r, err := f.Sync(t.Context(), "office", true)
	if err != nil || r.Error != errAway.Error() || len(r.Lines) != 0 || f.changed != before {
		t.Fatalf("%+v, %v", r, err)
	}
	if m := f.member(t, "Bob"); m.Status != directory.Pending {
		t.Errorf("after a list that was cut short Bob is %s", m.Status)
	}
	if _, err := f.Preview(t.Context(), "office", false); !errors.Is(err, errAway) {
		t.Errorf("preview: %v", err)
	}
	if kept, err := f.Report("office", ""); err != nil || kept.Error != errAway.Error() {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

func TestSettingsChangedDuringTheSearch(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	f.entries = []Entry{entryOf("a", "Ann")}
	search := f.Search
	f.Search = func(ctx context.Context, s Source) ([]Entry, error) {
		f.set(t, func(s *Source) { s.Base = "dc=other" })
		return search(ctx, s)
	}
	r, err := f.Sync(t.Context(), "office", false)
	if err != nil || r.Error != errSettingsChanged.Error() || r.changed() {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestBusy(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	search := f.Search
	f.Search = func(ctx context.Context, s Source) ([]Entry, error) {
		if _, err := f.Sync(ctx, "office", false); !errors.Is(err, ErrBusy) {
			t.Errorf("a sync during another: %v", err)
		}
		return search(ctx, s)
	}
	f.sync(t)
}

func TestTwentyReportsAreKept(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	var last Report
	for range keptReports + 3 {
		last = f.sync(t)
	}
	reports, err := f.Reports("office")
	if err != nil || len(reports) != keptReports || reports[0].ID != last.ID {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	if _, err := f.Report("office", reports[keptReports-1].ID); err != nil {
		t.Error(err)
	}
	if _, err := f.Report("office", "0"); !errors.Is(err, ErrUnknown) {
		t.Errorf("no such report: %v", err)
	}
}

func TestLongReportsKeepWhatNeedsAttention(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	for i := range maxLines + 10 {
		f.entries = append(f.entries, entryOf(fmt.Sprint(i), fmt.Sprintf("P%04d Office", i)))
	}
	f.entries = append(f.entries, entryOf("zz", "Zed", "mail="))
	r := f.sync(t)
	if len(r.Lines) != maxLines || r.LeftOut != 11 || r.Counts[Add] != maxLines+10 || r.Lines[0].Action != Skip {
		t.Fatalf("%d lines, %d left out, %v, first %+v", len(r.Lines), r.LeftOut, r.Counts, r.Lines[0])
	}
}
