package service

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"furrow/gms/directory"
	"furrow/gms/policy"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// contactRows are the rows of MS-GRVSPCM 3.2.5.5 beside those of all services of
// an account.
func contactRows() []row {
	const publish, fetch = spcm.ServiceIdentityPublish, spcm.ServiceContactFetch
	fetching := func(name string, guids func(t *testing.T, b *box, m directory.Member) []string) row {
		return row{"3.2.5.5.3", name, fetch, func(t *testing.T, b *box) []byte {
			m, a := b.active(t, "alice", aliceKey())
			return a.request(t, fetch, (&spcm.ContactFetch{Identities: guids(t, b, m)}).Encode())
		}, 207}
	}
	return []row{
		ofInstalled("3.2.5.5.1", "member pending", publish, 200, unchanged),
		ofInstalled("3.2.5.5.1", "member disabled", publish, 200, disabled),
		ofInstalled("3.2.5.5.1", "member deleted", publish, 200, deleted),
		ofInstalled("3.2.5.5.1", "no member with this identity", publish, 200, otherIdentity),
		{"3.2.5.5.1", "withdrawn against the policy", publish, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			return a.request(t, publish, (&spcm.IdentityPublish{}).Encode())
		}, 204},
		{"2.2.3.34.1", "Data missing", publish, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			return a.request(t, publish, without(t, payloadOf(t, b, a, publish), "Data"))
		}, 204},
		{"2.2.3.17.1", "Query missing", spcm.ServiceContactSearch, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			return a.request(t, spcm.ServiceContactSearch, []byte("<ContactSearch/>"))
		}, 204},
		fetching("identity unknown", func(*testing.T, *box, directory.Member) []string { return []string{"unknown"} }),
		fetching("one identity unknown", func(_ *testing.T, _ *box, m directory.Member) []string { return []string{m.GUID, "unknown"} }),
		fetching("member pending", func(t *testing.T, b *box, _ directory.Member) []string {
			return []string{b.member(t, "Bob").GUID}
		}),
		fetching("member disabled", func(t *testing.T, b *box, m directory.Member) []string {
			disabled(t, b, m, nil)
			return []string{m.GUID}
		}),
		fetching("more than a search finds", func(_ *testing.T, _ *box, m directory.Member) []string {
			return slices.Repeat([]string{m.GUID}, spcm.MaxContacts+1)
		}),
		fetching("too large for one answer", func(t *testing.T, b *box, m directory.Member) []string {
			must(t, b.directory.PublishContact(t.Context(), m.Domain, m.AccountGUID, m.IdentityURL, make([]byte, spcm.MaxContact)))
			return slices.Repeat([]string{m.GUID}, maxFetched/spcm.MaxContact+1)
		}),
		{"2.2.3.15.1", "IdentityGUID missing", fetch, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			return a.request(t, fetch, without(t, payloadOf(t, b, a, fetch), "IdentityGUID"))
		}, 204},
	}
}

// list sets the domain's policy about its contact directory.
func (b *box) list(t *testing.T, listing policy.Listing) {
	t.Helper()
	b.policy(t, func(s *directory.IdentitySettings) { s.Identity.DomainDirectory = listing })
}

func (b *box) policy(t *testing.T, edit func(*directory.IdentitySettings)) {
	t.Helper()
	template, err := b.directory.IdentityTemplate(b.domain.IdentityTemplate)
	must(t, err)
	settings := directory.IdentitySettings{Identity: template.Identity.Settings, DataRecovery: template.DataRecovery.Settings}
	edit(&settings)
	_, err = b.directory.UpdateIdentityTemplate(t.Context(), b.domain.IdentityTemplate, settings)
	must(t, err)
}

func (b *box) search(t *testing.T, a *account, query string) *spcm.ContactSearchResponse {
	t.Helper()
	a.event.ID++
	r := b.succeed(t, spcm.ServiceContactSearch, a.request(t, spcm.ServiceContactSearch, (&spcm.ContactSearch{Query: query}).Encode()))
	found, err := spcm.DecodeContactSearchResponse(a.open(t, r, soap.WrapperReturnPayload))
	must(t, err)
	return found
}

// publish returns the fault code that answers it, 0 for none.
func (b *box) publish(t *testing.T, a *account, vCard string) soap.Code {
	t.Helper()
	a.event.ID++
	r := b.ask(t, spcm.ServiceIdentityPublish, a.request(t, spcm.ServiceIdentityPublish, (&spcm.IdentityPublish{VCard: []byte(vCard)}).Encode()))
	if r.Fault != nil {
		return r.Fault.Code
	}
	return 0
}

// TestContactDirectory publishes, searches and fetches over HTTP.
func TestContactDirectory(t *testing.T) {
	b := newBox(t)
	member, alice := b.active(t, "alice", aliceKey())
	second, bob := b.active(t, "bob", bobKey())
	_, err := b.directory.UpdateMember(t.Context(), member.GUID, func(d *directory.MemberDetails) {
		d.FirstName, d.LastName, d.City, d.State, d.Email = "Alice", "Adams", "Köln", "NRW", "alice@example.com"
	})
	must(t, err)
	if code := b.publish(t, alice, "BEGIN:VCARD\r\nFN:Alice\r\nEND:VCARD\r\n"); code != 0 {
		t.Fatalf("publishing: fault %d", code)
	}

	// As in 4.3.1, a device may ask.
	laptop := b.created(t, "laptop", bobKey(), true)
	laptop.event.IdentityURL = ""
	for _, a := range []*account{alice, bob, laptop} {
		found := b.search(t, a, "adams")
		want := spcm.FoundContact{
			IdentityGUID: member.GUID, IdentityURL: member.IdentityURL, FullName: "alice", FirstName: "Alice",
			LastName: "Adams", CompanyEmail: "alice@example.com", City: "Köln", State: "NRW",
		}
		if found.Max != 50 || len(found.Contacts) != 1 || found.Contacts[0] != want {
			t.Fatalf("found %+v, want %+v", found, want)
		}
	}
	if all := b.search(t, bob, ""); len(all.Contacts) != 2 || all.Contacts[1].IdentityGUID != second.GUID {
		t.Errorf("an empty query finds %+v", all)
	}
	if none := b.search(t, bob, "nobody"); len(none.Contacts) != 0 {
		t.Errorf("found %+v", none)
	}

	fetch := &spcm.ContactFetch{Identities: []string{second.GUID, member.GUID}}
	r := b.succeed(t, spcm.ServiceContactFetch, bob.request(t, spcm.ServiceContactFetch, fetch.Encode()))
	fetched, err := spcm.DecodeContactFetchResponse(bob.open(t, r, soap.WrapperReturnPayload))
	must(t, err)
	if len(fetched.Contacts) != 2 || fetched.Contacts[0].IdentityGUID != second.GUID ||
		!strings.Contains(string(fetched.Contacts[1].VCard), "FN:Alice") {
		t.Errorf("fetched %+v", fetched)
	}
}

// TestPublishingPolicy: what an administrator decides about publishing holds for
// clients that have not heard of it yet.
func TestPublishingPolicy(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	for _, step := range []struct {
		listing           policy.Listing
		publish, withdraw soap.Code
		before, published int // how many are found
		withdrawn         int
	}{
		{policy.ListingByMember, 0, 0, 0, 1, 0},
		{policy.ListingAlways, 0, 204, 1, 1, 1},
		{policy.ListingNever, 204, 0, 0, 0, 0},
	} {
		t.Run(fmt.Sprint(step.listing), func(t *testing.T) {
			b.list(t, step.listing)
			counts := []int{len(b.search(t, alice, "").Contacts)}
			if code := b.publish(t, alice, "BEGIN:VCARD"); code != step.publish {
				t.Errorf("publishing: fault %d, want %d", code, step.publish)
			}
			counts = append(counts, len(b.search(t, alice, "").Contacts))
			if code := b.publish(t, alice, ""); code != step.withdraw {
				t.Errorf("withdrawing: fault %d, want %d", code, step.withdraw)
			}
			counts = append(counts, len(b.search(t, alice, "").Contacts))
			if want := []int{step.before, step.published, step.withdrawn}; !slices.Equal(counts, want) {
				t.Errorf("found %v, want %v", counts, want)
			}
		})
	}
}
