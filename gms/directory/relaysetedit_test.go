package directory

import (
	"errors"
	"testing"
)

func TestEditRelaySet(t *testing.T) {
	f := newFixture(t)
	domain, err := f.CreateDomain(t.Context(), "Office", "")
	must(t, err)
	set, err := f.CreateRelaySet(t.Context(), domain.GUID, "South")
	must(t, err)
	for name, want := range map[string]error{"Default": ErrNameTaken, "": ErrInvalid, "SOUTH": nil, "Far south": nil} {
		if got, err := f.RenameRelaySet(t.Context(), set.GUID, name); !errors.Is(err, want) || want == nil && got.Name != name {
			t.Errorf("renamed to %q: %+v, %v", name, got, err)
		}
	}
	if _, err := f.RenameRelaySet(t.Context(), "none", "New"); !errors.Is(err, ErrRelaySetNotFound) {
		t.Errorf("none is renamed: %v", err)
	}
	if _, err := f.DeleteRelaySet(t.Context(), domain.RelaySet); !errors.Is(err, ErrRelaySetAssigned) {
		t.Errorf("the default is deleted: %v", err)
	}
	if was, err := f.DeleteRelaySet(t.Context(), set.GUID); err != nil || was.Domain != domain.GUID {
		t.Errorf("deleted: %+v, %v", was, err)
	}
	if _, err := f.DeleteRelaySet(t.Context(), set.GUID); !errors.Is(err, ErrRelaySetNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}
