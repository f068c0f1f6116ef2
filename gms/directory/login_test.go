package directory

import (
	"errors"
	"testing"
)

func TestLoginNamesAreUnique(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	contoso, fabrikam := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	create := func(domain Domain, login string) (Member, error) {
		return f.CreateMember(ctx, domain.GUID, MemberDetails{FullName: "Anna", Email: "anna@example.com", RemoteUser: login})
	}
	anna, err := create(contoso, `CONTOSO\Änne`)
	must(t, err)
	// Members without a login name are any number.
	for range 2 {
		f.member(t, contoso, "Nobody")
	}
	if _, err := f.MemberByLogin(""); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("no login: %v", err)
	}

	find := func(login, want string) {
		t.Helper()
		m, err := f.MemberByLogin(login)
		if m.GUID != want || (want == "") != errors.Is(err, ErrMemberNotFound) {
			t.Errorf("%q is member %q, %v; want %q", login, m.GUID, err, want)
		}
	}
	find(`contoso\ÄNNE`, anna.GUID)
	find(`änne`, "")

	_, err = create(fabrikam, ` contoso\änne `)
	if !errors.Is(err, ErrLoginTaken) {
		t.Errorf("taken in another domain: %v", err)
	}
	bob, err := create(fabrikam, "bob")
	must(t, err)
	rename := func(guid, login string) error {
		_, err := f.UpdateMember(ctx, guid, func(m *MemberDetails) { m.RemoteUser = login })
		return err
	}
	if err := rename(bob.GUID, `CONTOSO\änne`); !errors.Is(err, ErrLoginTaken) {
		t.Errorf("renamed to a taken one: %v", err)
	}
	must(t, rename(anna.GUID, `contoso\änne`))
	_, err = f.DisableMember(ctx, anna.GUID)
	must(t, err)
	find(`contoso\änne`, anna.GUID)
	if err := rename(bob.GUID, `CONTOSO\änne`); !errors.Is(err, ErrLoginTaken) {
		t.Errorf("taken by a disabled member: %v", err)
	}
	_, err = f.DeleteMember(ctx, anna.GUID)
	must(t, err)
	find(`contoso\änne`, "")
	must(t, rename(bob.GUID, `CONTOSO\änne`))
	f.reopen(t)
	find(`contoso\änne`, bob.GUID)
	find("bob", "")
}
