package directory

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"furrow/appliance/state"
	"furrow/gms/soap/spcm"
)

// TestNameIndexModel changes members at random and compares each search with
// going through all of them.
func TestNameIndexModel(t *testing.T) {
	word := rapid.StringMatching(`[ABabßéö]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		x := newNameIndex()
		model := map[string]Member{}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				m := Member{
					Domain: "d", GUID: fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "member")),
					Status: rapid.SampledFrom([]Status{Pending, Active, Disabled, Deleted}).Draw(t, "status"),
					MemberDetails: MemberDetails{
						FullName: word.Draw(t, "full name"), LastName: word.Draw(t, "last name"), State: word.Draw(t, "state"),
						FirstName: word.Draw(t, "first name"), Email: word.Draw(t, "e-mail"), City: word.Draw(t, "city"),
					},
				}
				model[m.GUID] = m
				x.put(m)
			},
			"search": func(t *rapid.T) {
				query := foldName(word.Draw(t, "query"))
				var want []Member
				for _, m := range model {
					fields := []string{m.FullName, m.LastName, m.Email, m.FirstName, m.State}
					contains := func(s string) bool { return strings.Contains(foldName(s), query) }
					if m.Status != Deleted && slices.ContainsFunc(fields, contains) {
						want = append(want, m)
					}
				}
				slices.SortFunc(want, func(a, b Member) int {
					return cmp.Or(cmp.Compare(foldName(a.FullName), foldName(b.FullName)), cmp.Compare(a.GUID, b.GUID))
				})
				var got []string
				if names, ok := x.domains["d"]; ok {
					got = slices.Collect(names.containing(query))
				}
				if !slices.EqualFunc(got, want, func(guid string, m Member) bool { return guid == m.GUID }) {
					t.Fatalf("%q finds %v, want %+v", query, got, want)
				}
			},
		})
	})
}

// TestNameIndexStaysSmall renames members again and again.
func TestNameIndexStaysSmall(t *testing.T) {
	x := newNameIndex()
	for i := range 10_000 {
		x.put(Member{Domain: "d", GUID: fmt.Sprint(i % 10), Status: Active, MemberDetails: MemberDetails{FullName: fmt.Sprint("Anna ", i)}})
	}
	entries := 0
	for _, list := range x.domains["d"].grams {
		entries = max(entries, len(list))
	}
	if limit := 2*minGone + 20; entries > limit {
		t.Errorf("%d entries for one text of 10 members, want %d at most", entries, limit)
	}
}

// BenchmarkSearchContacts measures a search among 10,000 members and reports how
// many times faster it is than going through them, as SearchContacts would
// without its index.
func BenchmarkSearchContacts(b *testing.B) {
	const members = 10_000
	f := openFixture(b, b.TempDir())
	b.Cleanup(func() { f.close(b) })
	must(b, f.SetServerURL(b.Context(), testURL))
	domain := f.domain(b, "Contoso")
	first := []string{"Anna", "Björn", "Chloé", "Dmitri", "Eva", "Fatima", "Günther", "Hanako", "Ivan", "José"}
	must(b, f.store.Update(b.Context(), func(tx *state.Tx) error {
		for i := range members {
			name := fmt.Sprintf("Person%05d", i*7919%members)
			m := memberRow{PreAuthToken: newGUID(), KeyID: fmt.Sprint(i), Member: Member{
				GUID: newGUID(), Domain: domain.GUID, Status: Active, Stamp: f.stamp(tx),
				MemberDetails: MemberDetails{
					FullName: first[i%len(first)] + " " + name, FirstName: first[i%len(first)], LastName: name,
					Email: strings.ToLower(name) + "@contoso.example.com", State: "Nordrhein-Westfalen",
				},
			}}
			if err := f.t.members.Put(tx, m); err != nil {
				return err
			}
		}
		return nil
	}))
	linear := func(text string) []Member {
		type match struct {
			key string
			row memberRow
		}
		view := f.store.Snapshot()
		folded := foldName(text)
		var found []match
		for row := range f.t.membersByDomain.Find(view, domain.GUID) {
			for _, s := range []string{row.FullName, row.LastName, row.Email, row.FirstName, row.State} {
				if strings.Contains(foldName(s), folded) {
					if _, published, err := f.published(view, row); published && err == nil {
						found = append(found, match{foldName(row.FullName) + "\x00" + row.GUID, row})
					}
					break
				}
			}
		}
		slices.SortFunc(found, func(a, b match) int { return cmp.Compare(a.key, b.key) })
		var members []Member
		for _, m := range found[:min(len(found), spcm.MaxContacts)] {
			members = append(members, m.row.Member)
		}
		return members
	}
	for _, query := range []string{"BJÖRN PERSON00", "erson0123", "contoso", "a", "nobody", ""} {
		b.Run(fmt.Sprintf("%q", query), func(b *testing.B) {
			_, err := f.SearchContacts(domain.GUID, query, spcm.MaxContacts) // builds the index
			must(b, err)
			var indexed, scanned time.Duration
			for b.Loop() { // in turns, so that what disturbs one disturbs the other
				start := time.Now()
				got, err := f.SearchContacts(domain.GUID, query, spcm.MaxContacts)
				indexed += time.Since(start)
				must(b, err)
				start = time.Now()
				want := linear(query)
				scanned += time.Since(start)
				if !reflect.DeepEqual(got, want) {
					b.Fatalf("%d found, want %d", len(got), len(want))
				}
			}
			b.ReportMetric(float64(scanned)/float64(indexed), "x-linear")
			b.ReportMetric(float64(indexed.Microseconds())/float64(b.N), "µs/search")
		})
	}
}
