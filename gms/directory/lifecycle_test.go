package directory

import (
	"context"
	"errors"
	"strings"
	"testing"

	"furrow/appliance/keys"
)

func TestCreateMember(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	details := MemberDetails{FullName: "  Anna Ång  ", Email: "anna@example.com", RemoteUser: `CONTOSO\anna`}
	created, err := f.CreateMember(t.Context(), domain.GUID, details)
	must(t, err)
	f.reopen(t)

	m, err := f.Member(created.GUID)
	must(t, err)
	if m.Status != Pending || m.FullName != "Anna Ång" || m.bound() || m.enrolled() {
		t.Errorf("new member is %+v", m)
	}
	code, err := f.ConfigurationCode(m.GUID)
	must(t, err)
	byCode, err := f.MemberByKeyID(keys.CodeKey(code).ID())
	must(t, err)
	if byCode.GUID != m.GUID {
		t.Errorf("code leads to %q, want %q", byCode.GUID, m.GUID)
	}
	if _, err := f.MemberByKeyID(keys.CodeKey(code + " ").ID()); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("another code: %v", err)
	}
	object, err := f.IdentityObject(m.GUID)
	must(t, err)
	if object.GUID != m.GUID {
		t.Errorf("identity object has GUID %q, want the member's %q", object.GUID, m.GUID)
	}
}

func TestMemberDetailsAreChecked(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	other := f.domain(t, "Fabrikam")
	m := f.member(t, domain, "Anna")
	for _, c := range []struct {
		name string
		edit func(*MemberDetails)
		want error
	}{
		{"no name", func(d *MemberDetails) { d.FullName = "   " }, ErrInvalid},
		{"long name", func(d *MemberDetails) { d.FullName = strings.Repeat("ä", maxText+1) }, ErrInvalid},
		{"no e-mail", func(d *MemberDetails) { d.Email = "" }, ErrInvalid},
		{"bad e-mail", func(d *MemberDetails) { d.Email = "anna" }, ErrInvalid},
		{"line break", func(d *MemberDetails) { d.Title = "a\r\nEND:VCARD" }, ErrInvalid},
		{"not UTF-8", func(d *MemberDetails) { d.City = "\xc3" }, ErrInvalid},
		{"long fax", func(d *MemberDetails) { d.Fax = strings.Repeat("1", maxText+1) }, ErrInvalid},
		{"unknown template", func(d *MemberDetails) { d.IdentityTemplate = "nothing" }, ErrTemplateNotFound},
		{"template of another domain", func(d *MemberDetails) { d.IdentityTemplate = other.IdentityTemplate }, ErrTemplateNotFound},
		{"relay set of another domain", func(d *MemberDetails) { d.RelaySet = other.RelaySet }, ErrRelaySetNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			details := MemberDetails{FullName: "Anna", Email: "anna@example.com"}
			c.edit(&details)
			if _, err := f.CreateMember(t.Context(), domain.GUID, details); !errors.Is(err, c.want) {
				t.Errorf("CreateMember: %v, want %v", err, c.want)
			}
			if _, err := f.UpdateMember(t.Context(), m.GUID, c.edit); !errors.Is(err, c.want) {
				t.Errorf("UpdateMember: %v, want %v", err, c.want)
			}
		})
	}
	if after, err := f.Member(m.GUID); err != nil || after.MemberDetails != m.MemberDetails {
		t.Errorf("a refused update changed the member to %+v, %v", after, err)
	}
	if all := f.Members(MemberFilter{}); len(all) != 1 {
		t.Errorf("%d members, want 1", len(all))
	}
	if _, err := f.CreateMember(t.Context(), "nowhere", m.MemberDetails); !errors.Is(err, ErrDomainNotFound) {
		t.Errorf("unknown domain: %v", err)
	}
}

// inStatus makes a member of a status the way members come to it. enrolled
// tells the two kinds of disabled members apart.
func (f *fixture) inStatus(t failer, domain Domain, status Status, enrolled bool) Member {
	t.Helper()
	ctx := context.Background()
	var m Member
	if enrolled {
		guid := newGUID()
		m = f.active(t, domain, "Anna", guid, "grooveIdentity://"+guid)
	} else {
		m = f.member(t, domain, "Anna")
	}
	var err error
	switch status {
	case Disabled:
		m, err = f.DisableMember(ctx, m.GUID)
	case Deleted:
		m, err = f.DeleteMember(ctx, m.GUID)
	case Migrated:
		_, err = f.MigrateToServer(ctx, m.GUID, "http://groove.fabrikam.com/gms.dll")
		must(t, err)
		m, err = f.ReportMigration(ctx, m.Domain, m.AccountGUID, m.IdentityURL, "Fabrikam", 0)
	}
	must(t, err)
	if m.Status != status {
		t.Fatalf("member is %v, want %v", m.Status, status)
	}
	return m
}

func TestLifeCycle(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	const refused Status = 0
	for _, c := range []struct {
		from     Status
		enrolled bool
		// what each action leads to
		disable, enable, remove, update Status
	}{
		{Pending, false, Disabled, Pending, Deleted, Pending},
		{Active, true, Disabled, Active, Deleted, Active},
		{Disabled, false, Disabled, Pending, Deleted, Disabled},
		{Disabled, true, Disabled, Active, Deleted, Disabled},
		{Deleted, true, refused, refused, Deleted, refused},
		{Migrated, true, refused, refused, Deleted, refused},
	} {
		rename := func(ctx context.Context, guid string) (Member, error) {
			return f.UpdateMember(ctx, guid, func(d *MemberDetails) { d.Title = "Boss" })
		}
		for action, a := range map[string]struct {
			do   func(context.Context, string) (Member, error)
			want Status
		}{
			"disable": {f.DisableMember, c.disable},
			"enable":  {f.EnableMember, c.enable},
			"delete":  {f.DeleteMember, c.remove},
			"update":  {rename, c.update},
		} {
			t.Run(action+" "+c.from.String(), func(t *testing.T) {
				before := f.inStatus(t, domain, c.from, c.enrolled)
				after, err := a.do(t.Context(), before.GUID)
				if a.want == refused {
					var status *StatusError
					if !errors.As(err, &status) || status.Status != c.from || !errors.Is(err, ErrStatus) {
						t.Fatalf("error is %v, want a StatusError", err)
					}
					return
				}
				must(t, err)
				if after.Status != a.want {
					t.Errorf("member is %v, want %v", after.Status, a.want)
				}
				changed := action == "update" || a.want != c.from
				if rose := after.Stamp > before.Stamp; rose != changed {
					t.Errorf("stamp rose: %v, want %v", rose, changed)
				}
				if stored, err := f.Member(before.GUID); err != nil || stored.Status != a.want || stored.Stamp != after.Stamp {
					t.Errorf("stored member is %+v, %v", stored, err)
				}
			})
		}
	}
	for name, do := range map[string]func(context.Context, string) (Member, error){
		"disable": f.DisableMember, "enable": f.EnableMember, "delete": f.DeleteMember,
	} {
		if _, err := do(t.Context(), "nobody"); !errors.Is(err, ErrMemberNotFound) {
			t.Errorf("%s nobody: %v", name, err)
		}
	}
}

func TestMembers(t *testing.T) {
	f := newFixture(t)
	a, b := f.domain(t, "Alpha"), f.domain(t, "Beta")
	f.member(t, a, "Zoë")
	anna := f.member(t, a, "Anna")
	f.member(t, b, "Ånders")
	_, err := f.DisableMember(t.Context(), anna.GUID)
	must(t, err)
	for _, c := range []struct {
		name   string
		filter MemberFilter
		want   string
	}{
		{"all", MemberFilter{}, "Anna Zoë Ånders"},
		{"domain", MemberFilter{Domain: a.GUID}, "Anna Zoë"},
		{"status", MemberFilter{Status: Pending}, "Zoë Ånders"},
		{"text", MemberFilter{Text: "ZOË"}, "Zoë"},
		{"e-mail", MemberFilter{Text: "SOMEONE@", Domain: b.GUID}, "Ånders"},
		{"nothing", MemberFilter{Text: "x", Domain: b.GUID, Status: Deleted}, ""},
		{"no domain", MemberFilter{Domain: "nowhere"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var names []string
			for _, m := range f.Members(c.filter) {
				names = append(names, m.FullName)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("members %q, want %q", got, c.want)
			}
		})
	}
}

func TestStatusText(t *testing.T) {
	for status, name := range map[Status]string{
		1: "pending", 2: "active", 3: "disabled", -1: "deleted", -2: "migrated",
	} {
		text, err := status.MarshalText()
		if err != nil || string(text) != name {
			t.Errorf("status %d is %q, %v, want %q", int(status), text, err, name)
		}
		var read Status
		if err := read.UnmarshalText([]byte(name)); err != nil || read != status {
			t.Errorf("%q is status %d, %v, want %d", name, int(read), err, int(status))
		}
	}
	if _, err := ParseStatus("Status(7)"); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := Status(7).MarshalText(); err == nil {
		t.Error("a status without a name was written")
	}
	for status, name := range map[DeviceStatus]string{0: "unmanaged", 1: "managed", -1: "deleted"} {
		text, err := status.MarshalText()
		if err != nil || string(text) != name {
			t.Errorf("device status %d is %q, %v, want %q", int(status), text, err, name)
		}
		read := DeviceStatus(7)
		if err := read.UnmarshalText([]byte(name)); err != nil || read != status {
			t.Errorf("%q is device status %d, %v, want %d", name, int(read), err, int(status))
		}
	}
}
