package ldapsync

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"furrow/gms/directory"
)

// TestSecondSyncDoesNothing draws members and lists with few names, so that they collide in every way, and syncs twice
// after each. It checks too that members without a link stay as they are and that nobody is deleted.
func TestSecondSyncDoesNothing(t *testing.T) {
	f := newFixture(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		source := fmt.Sprint("round", round)
		email := rapid.Custom(func(t *rapid.T) string {
			// No names are those of another round, whose members stay.
			return fmt.Sprintf("r%d-%d@example.com", round, rapid.IntRange(0, 7).Draw(t, "mail"))
		})
		login := rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("r%d-%d", round, rapid.IntRange(0, 7).Draw(t, "login"))
		})
		for i := range rapid.IntRange(0, 5).Draw(t, "members") {
			details := directory.MemberDetails{FullName: fmt.Sprint("Hand ", i), Email: email.Draw(t, "email"), Phone: "1"}
			if rapid.Bool().Draw(t, "has login") {
				details.RemoteUser = login.Draw(t, "login")
			}
			if _, err := f.Directory.CreateMember(t.Context(), f.domain.GUID, details); err != nil {
				continue // the login name is taken
			}
		}
		f.set(t, func(s *Source) { s.Name = source })
		defer func() {
			_, err := f.Remove(context.Background(), source)
			must(t, err)
		}()
		for range rapid.IntRange(1, 3).Draw(t, "syncs") {
			f.entries = nil
			for key := range 8 {
				if rapid.IntRange(0, 3).Draw(t, "there") == 0 {
					continue
				}
				e := entryOf(fmt.Sprint(key), fmt.Sprintf("E%d", key), "mail="+email.Draw(t, "email"),
					"samaccountname="+login.Draw(t, "login"), "title="+rapid.SampledFrom([]string{"", "Boss", "\xff"}).Draw(t, "title"))
				e.Disabled = rapid.IntRange(0, 5).Draw(t, "disabled") == 0
				f.entries = append(f.entries, e)
			}
			force := rapid.Bool().Draw(t, "force")
			before := f.unlinked(f.domain.GUID)
			first, err := f.Sync(t.Context(), source, force)
			must(t, err)
			second, err := f.Sync(t.Context(), source, force)
			must(t, err)
			if second.changed() || first.Error+second.Error != "" {
				t.Fatalf("first:\n%s\n%s\nsecond:\n%s\n%s", summary(first), first.Error, summary(second), second.Error)
			}
			after := f.unlinked(f.domain.GUID)
			for guid, m := range after {
				if before[guid].Stamp != m.Stamp {
					t.Fatalf("a member without a link was changed from %+v to %+v", before[guid], m)
				}
			}
			for _, m := range f.Directory.Members(directory.MemberFilter{Domain: f.domain.GUID}) {
				if m.Status == directory.Deleted {
					t.Fatalf("%s was deleted", m.FullName)
				}
			}
		}
	})
}

// unlinked are the members of a domain that come from no source.
func (f *fixture) unlinked(domain string) map[string]directory.Member {
	members := map[string]directory.Member{}
	for _, m := range f.Directory.Members(directory.MemberFilter{Domain: domain}) {
		if _, linked := f.Tables.linksByMember.First(f.store.Snapshot(), m.GUID); !linked {
			members[m.GUID] = m
		}
	}
	return members
}

func FuzzPerson(f *testing.F) {
	f.Add("Ann", "ann@example.com", "Main Street 1\r\nBackyard", "514")
	f.Add("\xff", "@", "\n\n", "9999999999999999999999")
	f.Fuzz(func(t *testing.T, name, mail, street, flags string) {
		s := Source{Schema: ActiveDirectory}
		e := Entry{Attributes: map[string][]string{
			"displayname": {name, mail}, "mail": {mail}, "streetaddress": {street}, userAccountControl: {flags},
		}}
		e.accountDisabled()
		p, err := s.person(&e)
		if err != nil {
			return
		}
		details, given, err := p.details()
		if err != nil {
			return
		}
		again := details
		if changed, now := p.onto(&again, given); len(changed) != 0 || len(now) != len(given) {
			t.Fatalf("a second look changes %v in %+v", changed, details)
		}
	})
}
