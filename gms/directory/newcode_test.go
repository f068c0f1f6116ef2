package directory

import (
	"errors"
	"testing"

	"furrow/appliance/keys"
)

func TestNewConfigurationCode(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	for _, c := range []struct {
		from     Status
		enrolled bool
		reset    bool
		want     Status // 0: refused
	}{
		{Pending, false, false, Pending}, {Pending, false, true, Pending},
		{Disabled, false, false, Disabled}, {Disabled, false, true, Disabled},
		{Active, true, false, 0}, {Active, true, true, Pending},
		{Disabled, true, false, 0}, {Disabled, true, true, Disabled},
		{Deleted, true, true, 0}, {Migrated, true, true, 0},
	} {
		before := f.inStatus(t, domain, c.from, c.enrolled)
		old, err := f.ConfigurationCode(before.GUID)
		must(t, err)
		after, err := f.NewConfigurationCode(t.Context(), before.GUID, c.reset)
		f.reopen(t)
		code, codeErr := f.ConfigurationCode(before.GUID)
		must(t, codeErr)
		if c.want == 0 {
			if !errors.Is(err, ErrStatus) || code != old {
				t.Errorf("%+v: %v, the code changed: %v", c, err, code != old)
			}
			continue
		}
		must(t, err)
		if after.Status != c.want || after.bound() || after.enrolled() || code == old {
			t.Errorf("%+v: member is %+v, the code changed: %v", c, after, code != old)
		}
		if rose := after.Stamp > before.Stamp; rose != c.enrolled {
			t.Errorf("%+v: regenerated: %v", c, rose)
		}
		if _, err := f.MemberByKeyID(keys.CodeKey(old).ID()); !errors.Is(err, ErrMemberNotFound) {
			t.Errorf("%+v: the old code leads to %v", c, err)
		}
		if byCode, err := f.MemberByKeyID(keys.CodeKey(code).ID()); err != nil || byCode.GUID != before.GUID {
			t.Errorf("%+v: the new code leads to %q, %v", c, byCode.GUID, err)
		}
	}
	if _, err := f.NewConfigurationCode(t.Context(), "nobody", true); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("nobody: %v", err)
	}
}
