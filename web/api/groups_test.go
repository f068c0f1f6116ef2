package api

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"furrow/gms/directory"
	"furrow/gms/policy"
)

// office is a domain with a member, on a box that serves it.
func office(t *testing.T) (*Client, Domain, Member) {
	t.Helper()
	client, _ := serve(t)
	domain, err := client.CreateDomain(t.Context(), NewDomain{Name: "Office"})
	if err != nil {
		t.Fatal(err)
	}
	member, err := client.CreateMember(t.Context(), NewMember{
		Domain: "Office", MemberDetails: MemberDetails{FullName: "Ann Smith", Email: "ann@example.com", Title: "Surveyor"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, domain, member
}

// refused checks the code of a refusal.
func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("%s: %v, want a refusal with code %s", what, err, code)
	}
}

func must[Value any](t *testing.T) func(Value, error) Value {
	return func(v Value, err error) Value {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestGroups(t *testing.T) {
	client, _, ann := office(t)
	ctx, group := t.Context(), must[Group](t)
	sales := group(client.CreateGroup(ctx, NewGroup{Domain: "office", Name: "Sales"}))
	north := group(client.CreateGroup(ctx, NewGroup{Parent: "sales", Name: "North"}))
	if north.Path != "Sales/North" || north.Policy.From != "domain" || north.Policy.Source != "Office" || north.Policy.Name != "Default" {
		t.Errorf("made %+v", north)
	}
	if names := must[[]GroupName](t)(client.GroupNames(ctx, "")); !slices.Equal(names, []GroupName{{sales.GUID, "Sales"}, {north.GUID, "Sales/North"}}) {
		t.Errorf("groups are called %+v", names)
	}
	bob := must[Member](t)(client.CreateMember(ctx, NewMember{
		Domain: "Office", Group: "Sales/North", MemberDetails: MemberDetails{FullName: "Bob", Email: "bob@example.com"},
	}))
	if bob.Group != "Sales/North" {
		t.Errorf("created in group %q", bob.Group)
	}
	must[Member](t)(client.ChangeMember(ctx, ann.GUID, MemberChange{"group": "Sales"}))
	if in := must[[]Member](t)(client.GroupMembers(ctx, "", "Sales")); len(in) != 1 || in[0].GUID != ann.GUID {
		t.Errorf("members of Sales: %+v", in)
	}

	set := must[RelaySet](t)(client.CreateRelaySet(ctx, NewRelaySet{Domain: "Office", Name: "South"}))
	must[RelaySet](t)(client.AssignRelaySet(ctx, set.GUID, Assignment{Group: "Sales"}))
	if bob = must[Member](t)(client.Member(ctx, bob.GUID)); bob.RelaySet != (Holding{set.GUID, "South", "group", "Sales"}) {
		t.Errorf("Bob has the relay set %+v", bob.RelaySet)
	}
	must[RelaySet](t)(client.AssignRelaySet(ctx, set.GUID, Assignment{Member: ann.GUID}))
	inherit, top, name := "", "", "Far north"
	group(client.ChangeGroup(ctx, "", "Sales", GroupChange{RelaySet: &inherit}))
	if shown := group(client.ChangeGroup(ctx, "Office", "Sales/North", GroupChange{Parent: &top, Name: &name})); shown.Path != "Far north" || shown.RelaySet.From != "domain" {
		t.Errorf("moved and renamed: %+v", shown)
	}
	var paths []string
	for _, g := range must[[]Group](t)(client.Groups(ctx, "Office")) {
		paths = append(paths, g.Path)
	}
	if want := []string{"Far north", "Sales"}; !slices.Equal(paths, want) {
		t.Errorf("groups %q, want %q", paths, want)
	}

	_, err := client.DeleteGroup(ctx, "", sales.GUID, false)
	refused(t, "delete with a member", err, "conflict")
	_, err = client.ChangeGroup(ctx, "", "Sales", GroupChange{Parent: &sales.GUID})
	refused(t, "into itself", err, "conflict")
	_, err = client.Group(ctx, "", "West")
	refused(t, "no group", err, "notFound")
	_, err = client.ChangeMember(ctx, ann.GUID, MemberChange{"group": "West"})
	refused(t, "no group for a member", err, "notFound")
	group(client.DeleteGroup(ctx, "", "Sales", true))
	if ann = must[Member](t)(client.Member(ctx, ann.GUID)); ann.Group != "" || ann.RelaySet.From != "member" {
		t.Errorf("Ann is in %q with the relay set %+v", ann.Group, ann.RelaySet)
	}
	must[Domain](t)(client.CreateDomain(ctx, NewDomain{Name: "Second"}))
	_, err = client.Group(ctx, "", "Far north")
	refused(t, "which domain", err, "invalid")
}

func TestMemberChanges(t *testing.T) {
	client, domain, ann := office(t)
	ctx := t.Context()
	changed := must[Member](t)(client.ChangeMember(ctx, ann.GUID, MemberChange{"city": "Köln", "login": "ann", "title": ""}))
	want := ann.MemberDetails
	want.City, want.Login, want.Title = "Köln", "ann", ""
	if changed.MemberDetails != want {
		t.Errorf("changed to %+v, want %+v", changed.MemberDetails, want)
	}
	_, err := client.ChangeMember(ctx, ann.GUID, MemberChange{"nmae": "x"})
	refused(t, "unknown attribute", err, "invalid")
	_, err = client.ChangeMember(ctx, ann.GUID, MemberChange{"email": "x"})
	refused(t, "bad e-mail", err, "invalid")
	_, err = client.ChangeMember(ctx, "none", MemberChange{"city": "x"})
	refused(t, "no member", err, "notFound")
	if coded := must[Member](t)(client.NewCode(ctx, ann.GUID, false, false)); coded.ConfigurationCode == ann.ConfigurationCode {
		t.Error("the code is the old one")
	}
	if renamed := must[Domain](t)(client.RenameDomain(ctx, "office", "Headquarters")); renamed.GUID != domain.GUID || renamed.Name != "Headquarters" {
		t.Errorf("renamed %+v", renamed)
	}
}

func TestPolicies(t *testing.T) {
	client, _, ann := office(t)
	ctx, made := t.Context(), must[Policy](t)
	if settings := must[[]policy.Setting](t)(client.PolicySettings(ctx, "device")); len(settings) < 30 || settings[0].Help == "" {
		t.Errorf("settings %+v", settings)
	}
	_, err := client.PolicySettings(ctx, "other")
	refused(t, "settings of no kind", err, "invalid")
	strict := made(client.CreatePolicy(ctx, NewPolicy{Kind: "identity", Name: "Strict"}))
	change := must[PolicyChanged](t)(client.ChangePolicy(ctx, strict.GUID, PolicyChange{
		Name: "Stricter", Settings: []policy.Value{{Key: "identity.peerAuthentication", Value: "refuse"}},
	}))
	want := []policy.Change{{Key: "identity.peerAuthentication", Before: "warn", After: "refuse"}}
	if change.Policy.Name != "Stricter" || !slices.Equal(change.Changes, want) {
		t.Errorf("changed %+v", change)
	}
	if got := must[[]policy.Change](t)(client.DiffPolicy(ctx, strict.GUID, "")); !slices.Equal(got, want) {
		t.Errorf("differences %+v", got)
	}
	copied := made(client.CreatePolicy(ctx, NewPolicy{Name: "Copy", From: strict.GUID}))
	if got := must[[]policy.Change](t)(client.DiffPolicy(ctx, strict.GUID, copied.GUID)); len(got) != 0 {
		t.Errorf("differences of the copy %+v", got)
	}
	if !slices.Contains(copied.Settings, policy.Value{Key: "identity.peerAuthentication", Value: "refuse"}) {
		t.Errorf("settings of the copy %+v", copied.Settings)
	}

	_, err = client.ChangePolicy(ctx, strict.GUID, PolicyChange{Settings: []policy.Value{{Key: "identity.peerAuthentication", Value: "hm"}}})
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Field != "identity.peerAuthentication" {
		t.Errorf("no such choice: %v", err)
	}
	if m := must[Member](t)(client.ChangeMember(ctx, ann.GUID, MemberChange{"policy": strict.GUID})); m.Policy != (Holding{strict.GUID, "Stricter", "member", ""}) {
		t.Errorf("member has %+v", m.Policy)
	}
	_, err = client.DeletePolicy(ctx, strict.GUID)
	refused(t, "delete an assigned policy", err, "conflict")
	if h := must[Holding](t)(client.AssignDefaultPolicy(ctx, "Office", copied.GUID)); h != (Holding{copied.GUID, "Copy", "domain", "Office"}) {
		t.Errorf("default %+v", h)
	}
	must[Member](t)(client.ChangeMember(ctx, ann.GUID, MemberChange{"policy": ""}))
	made(client.DeletePolicy(ctx, strict.GUID))
	var names []string
	for _, p := range must[[]Policy](t)(client.Policies(ctx, "Office")) {
		names = append(names, p.Kind+"/"+p.Name)
	}
	if want := []string{"identity/Copy", "identity/Default", "device/Default"}; !slices.Equal(names, want) {
		t.Errorf("policies %q, want %q", names, want)
	}
	_, err = client.AssignDevicePolicy(ctx, "", "none", "")
	refused(t, "no device", err, "notFound")
	_, err = client.Policy(ctx, strict.GUID)
	refused(t, "deleted policy", err, "notFound")
}

func TestTrusts(t *testing.T) {
	client, _, _ := office(t)
	ctx := t.Context()
	must[Domain](t)(client.CreateDomain(ctx, NewDomain{Name: "Partner", Organization: "Partner Ltd"}))
	theirs := must[DomainCertificate](t)(client.DomainCertificate(ctx, "Partner"))
	if theirs.Domain != "Partner" || theirs.Fingerprint != directory.Fingerprint(theirs.Certificate) {
		t.Errorf("certificate %+v", theirs)
	}
	_, err := client.AddTrust(ctx, NewTrust{Domain: "Office", Certificate: theirs.Certificate, Fingerprint: strings.Repeat("0", 64)})
	refused(t, "other fingerprint", err, "conflict")
	trust := must[Trust](t)(client.AddTrust(ctx, NewTrust{Domain: "Office", Certificate: theirs.Certificate, Fingerprint: theirs.Fingerprint}))
	if trust.Name != "Partner Ltd" || trust.Domain != "Office" || trust.Fingerprint != theirs.Fingerprint {
		t.Errorf("trust %+v", trust)
	}
	if all := must[[]Trust](t)(client.Trusts(ctx, "")); !slices.Equal(all, []Trust{trust}) {
		t.Errorf("trusts %+v", all)
	}
	must[Trust](t)(client.RemoveTrust(ctx, trust.GUID))
	if all := must[[]Trust](t)(client.Trusts(ctx, "Office")); len(all) != 0 {
		t.Errorf("trusts %+v", all)
	}
	_, err = client.RemoveTrust(ctx, trust.GUID)
	refused(t, "removed twice", err, "notFound")
}
