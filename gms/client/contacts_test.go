package client_test

import (
	"net/http"
	"testing"
	"time"

	"furrow/gms/client"
	"furrow/gms/directory"
)

// joined is a member who has joined, as a client.
func (o *office) joined(t *testing.T, home *client.Home) (*client.Client, *client.Profile) {
	t.Helper()
	_, code := o.member(t)
	server, profile, err := o.join(t, home, code, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	return client.New(server, profile, time.Now), profile
}

func TestContacts(t *testing.T) {
	o := newOffice(t)
	c, profile := o.joined(t, openHome(t, t.TempDir()))

	found, err := c.SearchContacts(t.Context(), "SMITH")
	if err != nil || len(found) != 1 || found[0].IdentityGUID != profile.MemberGUID || found[0].CompanyEmail != "ann@example.com" {
		t.Fatalf("found %+v, %v", found, err)
	}
	if err := c.PublishContact(t.Context(), []byte("BEGIN:VCARD")); err != nil {
		t.Fatal(err)
	}
	fetched, err := c.FetchContacts(t.Context(), found[0].IdentityGUID)
	if err != nil || len(fetched) != 1 || string(fetched[0].VCard) != "BEGIN:VCARD" {
		t.Fatalf("fetched %+v, %v", fetched, err)
	}
	if _, err := c.FetchContacts(t.Context(), "nobody"); err == nil {
		t.Error("somebody who is not there was fetched")
	}
	if err := c.PublishContact(t.Context(), nil); err == nil {
		t.Error("withdrawn against the policy")
	}
	if none, err := c.SearchContacts(t.Context(), "nobody"); err != nil || len(none) != 0 {
		t.Errorf("found %+v, %v", none, err)
	}
	if _, err := o.directory.UpdateMember(t.Context(), profile.MemberGUID, func(d *directory.MemberDetails) { d.FullName = "Ann Jones" }); err != nil {
		t.Fatal(err)
	}
	if found, err := c.SearchContacts(t.Context(), "jones"); err != nil || len(found) != 1 {
		t.Errorf("after a change found %+v, %v", found, err)
	}
}
