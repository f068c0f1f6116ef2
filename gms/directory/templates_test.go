package directory

import (
	"errors"
	"slices"
	"testing"

	"furrow/gms/policy"
)

func setting(key, value string) []policy.Value { return []policy.Value{{Key: key, Value: value}} }

func valueOf(t *testing.T, f *fixture, template, key string) string {
	t.Helper()
	shown, err := f.Template(template)
	must(t, err)
	for _, v := range shown.Values {
		if v.Key == key {
			return v.Value
		}
	}
	return ""
}

func TestTemplates(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	for _, kind := range []TemplateKind{IdentityKind, DeviceKind} {
		made, err := f.CreateTemplate(t.Context(), domain.GUID, kind, "Strict")
		must(t, err)
		if made.Kind != kind || made.Default || made.Name != "Strict" || len(made.Values) == 0 {
			t.Errorf("made %+v", made)
		}
	}
	f.reopen(t)
	all, err := f.Templates(domain.GUID)
	must(t, err)
	var names []string
	for _, one := range all {
		names = append(names, string(one.Kind)+" "+one.Name)
		if one.Default != (one.Name == "Default") {
			t.Errorf("%s %s is the default: %v", one.Kind, one.Name, one.Default)
		}
	}
	if want := []string{"identity Default", "identity Strict", "device Default", "device Strict"}; !slices.Equal(names, want) {
		t.Fatalf("templates %q, want %q", names, want)
	}
	if some, err := f.Templates(other.GUID); err != nil || len(some) != 2 {
		t.Errorf("templates of the other domain: %+v, %v", some, err)
	}
	identity, device := all[1].GUID, all[3].GUID

	changes, err := f.ChangeTemplate(t.Context(), device, "", []policy.Value{
		{Key: "passphrase.minLength", Value: "12"}, {Key: "passphrase.delayLockout.threshold", Value: "5"}, {Key: "device.noPublicSearch", Value: "true"},
	})
	must(t, err)
	if want := []policy.Change{{Key: "passphrase.minLength", Before: "8", After: "12"}, {Key: "passphrase.delayLockout.threshold", Before: "20", After: "5"}}; !slices.Equal(changes, want) {
		t.Errorf("changes %v, want %v", changes, want)
	}
	copied, err := f.CopyTemplate(t.Context(), device, "Strict too")
	must(t, err)
	_, err = f.ChangeTemplate(t.Context(), device, "", setting("passphrase.delayLockout.threshold", "6"))
	must(t, err)
	for guid, want := range map[string]string{device: "6", copied.GUID: "5", domain.DeviceTemplate: "20"} {
		if got := valueOf(t, f, guid, "passphrase.delayLockout.threshold"); got != want {
			t.Errorf("threshold %s, want %s", got, want)
		}
	}
	if _, err = f.ChangeTemplate(t.Context(), identity, "Stricter", nil); err != nil || f.TemplateName(identity) != "Stricter" {
		t.Errorf("renamed %q, %v", f.TemplateName(identity), err)
	}
	differences, err := f.DiffTemplate("", copied.GUID)
	if err != nil || !slices.Equal(differences, changes) {
		t.Errorf("differs from the default settings in %v, %v, want %v", differences, err, changes)
	}
	differences, err = f.DiffTemplate(device, copied.GUID)
	if want := []policy.Change{{Key: "passphrase.delayLockout.threshold", Before: "6", After: "5"}}; err != nil || !slices.Equal(differences, want) {
		t.Errorf("differs from the copied one in %v, %v, want %v", differences, err, want)
	}

	for _, c := range []struct {
		name string
		do   func() error
		want error
	}{
		{"name taken", func() error {
			_, err := f.CreateTemplate(t.Context(), domain.GUID, IdentityKind, "DEFAULT")
			return err
		}, ErrNameTaken},
		{"copy with a taken name", func() error { _, err := f.CopyTemplate(t.Context(), identity, "Default"); return err }, ErrNameTaken},
		{"rename to a taken name", func() error { _, err := f.ChangeTemplate(t.Context(), device, "default", nil); return err }, ErrNameTaken},
		{"no name", func() error { _, err := f.CopyTemplate(t.Context(), device, ""); return err }, ErrInvalid},
		{"difference of kinds", func() error { _, err := f.DiffTemplate(identity, device); return err }, ErrTemplateNotFound},
		{"no kind", func() error { _, err := f.CreateTemplate(t.Context(), domain.GUID, "other", "New"); return err }, ErrInvalid},
		{"no domain", func() error { _, err := f.CreateTemplate(t.Context(), "none", DeviceKind, "New"); return err }, ErrDomainNotFound},
		{"no template", func() error { _, err := f.ChangeTemplate(t.Context(), "none", "", nil); return err }, ErrTemplateNotFound},
		{"copy of nothing", func() error { _, err := f.CopyTemplate(t.Context(), "none", "New"); return err }, ErrTemplateNotFound},
		{"setting of the other kind", func() error {
			_, err := f.ChangeTemplate(t.Context(), identity, "", setting("passphrase.minLength", "1"))
			return err
		}, ErrInvalid},
		{"out of range", func() error {
			_, err := f.ChangeTemplate(t.Context(), device, "", setting("passphrase.minLength", "1001"))
			return err
		}, ErrInvalid},
		{"one of two is wrong", func() error {
			_, err := f.ChangeTemplate(t.Context(), device, "", append(setting("passphrase.history", "3"), setting("passphrase.minLength", "x")...))
			return err
		}, ErrInvalid},
		{"delete the default", func() error { return f.DeleteTemplate(t.Context(), domain.IdentityTemplate) }, ErrTemplateAssigned},
		{"delete the default of devices", func() error { return f.DeleteTemplate(t.Context(), domain.DeviceTemplate) }, ErrTemplateAssigned},
	} {
		sequence := f.store.Snapshot().Sequence()
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if f.store.Snapshot().Sequence() != sequence {
			t.Errorf("%s: a refusal changed something", c.name)
		}
	}
	if got := valueOf(t, f, device, "passphrase.history"); got != "0" {
		t.Errorf("half of a refused change was made: %s", got)
	}

	must(t, f.DeleteTemplate(t.Context(), identity))
	must(t, f.DeleteTemplate(t.Context(), device))
	if _, err := f.Template(identity); !errors.Is(err, ErrTemplateNotFound) {
		t.Errorf("deleted template: %v", err)
	}
	if _, err := f.CreateTemplate(t.Context(), domain.GUID, DeviceKind, "Strict"); err != nil {
		t.Errorf("the name of a deleted template: %v", err)
	}
	if err := f.AssignTemplate(t.Context(), Target{Level: DomainLevel, GUID: domain.GUID}, identity); !errors.Is(err, ErrTemplateNotFound) {
		t.Errorf("a deleted template is assigned: %v", err)
	}
}

// held is what a client has after it took objects.
func held(objects []ManagedObject) map[string]int64 {
	held := map[string]int64{}
	for _, o := range objects {
		held[o.GUID] = o.IssuedTime
	}
	return held
}

// TestWithdrawn: what a client has from a template or trust that holds no more, it
// is told to give up, before it gets what holds now.
func TestWithdrawn(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	anna := f.active(t, domain, "Anna", accountA, identityA)
	f.device(t, domain)
	strict, err := f.CreateTemplate(t.Context(), domain.GUID, IdentityKind, "Strict")
	must(t, err)
	strictDevice, err := f.CreateTemplate(t.Context(), domain.GUID, DeviceKind, "Strict")
	must(t, err)
	ofAnna, ofDevice := Target{Level: MemberLevel, GUID: anna.GUID}, Target{Level: DeviceLevel, GUID: accountA, Domain: domain.GUID}
	must(t, f.AssignTemplate(t.Context(), ofAnna, strict.GUID))
	must(t, f.AssignTemplate(t.Context(), ofDevice, strictDevice.GUID))
	trust := f.trust(t, domain, other)
	first, err := f.MemberObjects(anna.GUID, nil)
	must(t, err)
	firstDevice, err := f.DeviceObjects(domain.GUID, accountA, nil)
	must(t, err)
	if len(first) != 5 || len(firstDevice) != 5 {
		t.Fatalf("%d objects of the member, %d of the device", len(first), len(firstDevice))
	}

	must(t, f.AssignTemplate(t.Context(), ofAnna, ""))
	must(t, f.AssignTemplate(t.Context(), ofDevice, ""))
	must(t, f.DeleteTemplate(t.Context(), strict.GUID))
	must(t, f.DeleteTemplate(t.Context(), strictDevice.GUID))
	_, err = f.RemoveTrust(t.Context(), trust.GUID)
	must(t, err)
	f.reopen(t)

	has := held(first)
	has["something of another domain"] = 1
	has[other.GUID] = 1
	next, err := f.MemberObjects(anna.GUID, has)
	must(t, err)
	nextDevice, err := f.DeviceObjects(domain.GUID, accountA, held(firstDevice))
	must(t, err)
	for _, c := range []struct {
		objects   []ManagedObject
		withdrawn int
		fresh     int
	}{{next, 4, 3}, {nextDevice, 5, 5}} {
		if len(c.objects) != c.withdrawn+c.fresh {
			t.Fatalf("%d objects, want %d", len(c.objects), c.withdrawn+c.fresh)
		}
		for i, o := range c.objects {
			if o.Active != (i >= c.withdrawn) {
				t.Errorf("object %d, %s, is active: %v", i, o.Type, o.Active)
			}
			f.verified(t, o)
		}
	}
	if now, err := f.MemberObjects(anna.GUID, held(append(next[4:], first[0]))); err != nil || len(now) != 0 {
		t.Errorf("up to date, and gets %d, %v", len(now), err)
	}
	if now, err := f.DeviceObjects(domain.GUID, accountA, held(nextDevice[5:])); err != nil || len(now) != 0 {
		t.Errorf("device up to date, and gets %d, %v", len(now), err)
	}
}
