package directory

import (
	"errors"
	"strings"
	"testing"
)

func TestCodeMailed(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Office")
	ann := f.member(t, domain, "Ann")
	var code string
	must(t, f.ChangeMembers(t.Context(), func(b MemberBatch) (err error) {
		if ann, err = b.NewConfigurationCode(ann.GUID, false); err != nil {
			return err
		}
		if code, err = b.ConfigurationCode(ann.GUID); err != nil {
			return err
		}
		ann, err = b.CodeMailed(ann.GUID, "ann@example.com")
		return err
	}))
	if durable, err := f.ConfigurationCode(ann.GUID); err != nil || durable != code {
		t.Errorf("code %q, %v; in the batch it was %q", durable, err, code)
	}
	mailed, err := f.Member(ann.GUID)
	must(t, err)
	if mailed.CodeMailed == nil || *mailed.CodeMailed != (CodeMail{f.now, "ann@example.com"}) {
		t.Errorf("mailed %+v", mailed.CodeMailed)
	}
	renewed, err := f.NewConfigurationCode(t.Context(), ann.GUID, false)
	must(t, err)
	if renewed.CodeMailed != nil {
		t.Error("nobody has the new code by mail")
	}
	if renewed.Stamp != mailed.Stamp {
		t.Error("the identity object shows no codes and need not be made anew")
	}
	_, err = f.DisableMember(t.Context(), ann.GUID)
	must(t, err)
	err = f.ChangeMembers(t.Context(), func(b MemberBatch) error {
		_, err := b.CodeMailed(ann.GUID, "ann@example.com")
		return err
	})
	if !errors.Is(err, ErrStatus) {
		t.Errorf("code of a member who cannot use it: %v", err)
	}
}

func TestMakeGroups(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Office")
	must(t, f.ChangeMembers(t.Context(), func(b MemberBatch) error {
		north, made, err := b.MakeGroups(domain.GUID, "Sales/North")
		if err != nil || len(made) != 2 || made[1] != north {
			t.Errorf("made %+v, %v", made, err)
		}
		again, more, err := b.MakeGroups(domain.GUID, "SALES/north")
		if err != nil || again != north || len(more) != 0 {
			t.Errorf("again %+v, %+v, %v", again, more, err)
		}
		if found, err := b.FindGroup(domain.GUID, "sales/NORTH"); err != nil || found != north {
			t.Errorf("found %+v, %v", found, err)
		}
		for path, want := range map[string]error{
			"": ErrInvalid, "Sales//x": ErrInvalid, "New/ x": ErrInvalid,
			"New/" + strings.Repeat("x/", maxGroupDepth) + "x": ErrTooDeep,
		} {
			if _, _, err := b.MakeGroups(domain.GUID, path); !errors.Is(err, want) {
				t.Errorf("%q: %v", path, err)
			}
		}
		if _, _, err := b.MakeGroups("no domain", "New"); !errors.Is(err, ErrDomainNotFound) {
			t.Errorf("in no domain: %v", err)
		}
		_, south, err := b.MakeGroups(domain.GUID, "Sales/South/Far")
		must(t, err)
		b.UnmakeGroups(south)
		return nil
	}))
	if groups := f.Groups(domain.GUID); len(groups) != 2 {
		t.Errorf("there are %+v", groups)
	}
}
