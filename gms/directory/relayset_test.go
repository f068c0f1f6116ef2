package directory

import (
	"errors"
	"testing"
)

func TestRelaySets(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	m := f.member(t, domain, "Anna")

	set, err := f.CreateRelaySet(ctx, domain.GUID, "Branch")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.RelaySet(set.GUID); err != nil || got.Name != "Branch" || got.Domain != domain.GUID {
		t.Fatalf("RelaySet: %+v, %v", got, err)
	}
	if sets := f.RelaySets(domain.GUID); len(sets) != 2 {
		t.Fatalf("%d relay sets, want the default one and the new one", len(sets))
	}

	for name, test := range map[string]struct {
		do   func() error
		want error
	}{
		"name taken":        {func() error { _, err := f.CreateRelaySet(ctx, domain.GUID, "BRANCH"); return err }, ErrNameTaken},
		"no name":           {func() error { _, err := f.CreateRelaySet(ctx, domain.GUID, ""); return err }, ErrInvalid},
		"no domain":         {func() error { _, err := f.CreateRelaySet(ctx, "none", "x"); return err }, ErrDomainNotFound},
		"no set":            {func() error { _, err := f.SetDefaultRelaySet(ctx, domain.GUID, "none"); return err }, ErrRelaySetNotFound},
		"set of another":    {func() error { _, err := f.SetDefaultRelaySet(ctx, other.GUID, set.GUID); return err }, ErrRelaySetNotFound},
		"default of nobody": {func() error { _, err := f.SetDefaultRelaySet(ctx, "none", set.GUID); return err }, ErrDomainNotFound},
		"unknown":           {func() error { _, err := f.RelaySet("none"); return err }, ErrRelaySetNotFound},
	} {
		if err := test.do(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}

	before, err := f.IdentityObject(m.GUID)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := f.SetDefaultRelaySet(ctx, domain.GUID, set.GUID)
	if err != nil || changed.RelaySet != set.GUID {
		t.Fatalf("SetDefaultRelaySet: %+v, %v", changed, err)
	}
	after, err := f.IdentityObject(m.GUID)
	if err != nil || after.IssuedTime <= before.IssuedTime {
		t.Fatalf("IssuedTime %d after %d, %v: another relay set regenerates the identity", after.IssuedTime, before.IssuedTime, err)
	}
	if again, err := f.SetDefaultRelaySet(ctx, domain.GUID, set.GUID); err != nil || again.Stamp != changed.Stamp {
		t.Fatalf("assigning the same set again: %+v, %v", again, err)
	}
}
