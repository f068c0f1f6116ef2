package directory

import (
	"errors"
	"testing"

	"furrow/gms/policy"
)

func TestTemplateHolders(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	strict, err := f.CreateTemplate(t.Context(), domain.GUID, IdentityKind, "Strict")
	must(t, err)
	sales, err := f.CreateGroup(t.Context(), domain.GUID, "", "Sales")
	must(t, err)
	north, err := f.CreateGroup(t.Context(), domain.GUID, sales.GUID, "North")
	must(t, err)
	must(t, f.AssignTemplate(t.Context(), Target{Level: GroupLevel, GUID: sales.GUID}, strict.GUID))
	f.member(t, domain, "Inherits from the domain")
	own, inGroup, gone := f.member(t, domain, "Own"), f.member(t, domain, "In a group"), f.member(t, domain, "Gone")
	must(t, f.AssignTemplate(t.Context(), Target{Level: MemberLevel, GUID: own.GUID}, strict.GUID))
	for _, guid := range []string{inGroup.GUID, gone.GUID} {
		_, err := f.MoveMember(t.Context(), guid, north.GUID)
		must(t, err)
	}
	_, err = f.DeleteMember(t.Context(), gone.GUID)
	must(t, err)
	f.device(t, domain)
	holders, err := f.TemplateHolders(domain.GUID)
	must(t, err)
	standard, err := f.Domain(domain.GUID)
	must(t, err)
	for template, want := range map[string]int{strict.GUID: 2, standard.IdentityTemplate: 1, standard.DeviceTemplate: 1} {
		if holders[template] != want {
			t.Errorf("%s holds for %d, want %d", f.TemplateName(template), holders[template], want)
		}
	}
	if _, err := f.TemplateHolders("none"); !errors.Is(err, ErrDomainNotFound) {
		t.Errorf("of no domain: %v", err)
	}
}

func TestPreviewTemplate(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	values := []policy.Value{{Key: "identity.lockVCard", Value: "on"}}
	changes, err := f.PreviewTemplate(domain.IdentityTemplate, "Other", values)
	must(t, err)
	if len(changes) != 1 || changes[0] != (policy.Change{Key: "identity.lockVCard", Before: "false", After: "true"}) {
		t.Errorf("changes %+v", changes)
	}
	same, err := f.Template(domain.IdentityTemplate)
	must(t, err)
	if again, err := f.DiffTemplate("", same.GUID); err != nil || len(again) != 0 || same.Name != "Default" {
		t.Errorf("a preview has changed %+v of %s, %v", again, same.Name, err)
	}
	var refused *ValidationError
	_, err = f.PreviewTemplate(domain.DeviceTemplate, "", []policy.Value{{Key: "passphrase.minLength", Value: "-1"}})
	if !errors.As(err, &refused) || refused.Field != "passphrase.minLength" {
		t.Errorf("too short: %v", err)
	}
	if _, err := f.PreviewTemplate("none", "", nil); !errors.Is(err, ErrTemplateNotFound) {
		t.Errorf("of no template: %v", err)
	}
}
