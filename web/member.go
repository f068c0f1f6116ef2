package web

import (
	"bytes"
	"net/url"
	"strings"

	"furrow/web/api"
)

// memberPage is what member.html and welcome.html show.
type memberPage struct {
	api.Member
	Details []detail
	Devices []api.MemberDevice
	Address string // what clients are told
	memberActivity
}

// detail is something that is known of a member.
type detail struct{ Label, Value string }

func memberPath(guid string) string { return "/members/" + url.PathEscape(guid) }

// member is the one in the path, below the list of members.
func (v *visit) member() (api.Member, error) {
	m, err := v.client.Member(v.ctx(), v.r.PathValue("guid"))
	if err != nil {
		return api.Member{}, err
	}
	v.under(v.T("members.title"), "/members")
	v.title = m.FullName
	return m, nil
}

// ofMember is member for the pages below its own, which keep their own titles.
func (v *visit) ofMember() (api.Member, error) {
	m, err := v.member()
	v.under(m.FullName, memberPath(m.GUID))
	v.title = ""
	return m, err
}

func getMember(v *visit) error {
	m, err := v.member()
	if err != nil {
		return err
	}
	shown := memberPage{Member: m, Address: v.site.ServerURL}
	for _, in := range detailInputs() {
		if value := detailsOf(m)[in.name]; value != "" {
			shown.Details = append(shown.Details, detail{v.T("field." + in.name), value})
		}
	}
	if shown.Devices, err = v.client.MemberDevices(v.ctx(), m.GUID); err != nil {
		return err
	}
	if shown.memberActivity, err = v.activity(m); err != nil {
		return err
	}
	return v.render("member.html", shown)
}

// postMember does what needs no question: it can be taken back.
func postMember(v *visit) error {
	for _, action := range memberActions() {
		if action.name != v.formValue("action") || action.name == "delete" {
			continue
		}
		if _, err := action.act(v.client, v.ctx(), v.r.PathValue("guid")); err != nil {
			return err
		}
		return v.done(v.r.URL.Path, "done.members."+action.name, "n", 1)
	}
	v.redirect(v.r.URL.Path)
	return nil
}

// detailsOf are the values of detailInputs.
func detailsOf(m api.Member) map[string]string {
	return map[string]string{
		"fullName": m.FullName, "email": m.Email, "firstName": m.FirstName, "lastName": m.LastName, "login": m.Login,
		"group": m.Group, "organization": m.Organization, "title": m.Title, "phone": m.Phone, "cell": m.Cell, "fax": m.Fax,
		"street1": m.Street1, "street2": m.Street2, "postalCode": m.PostalCode, "city": m.City, "state": m.State,
		"country": m.Country,
	}
}

func (v *visit) editMemberForm(m api.Member) *form {
	f := v.form("members.save", detailInputs()...)
	f.Back = memberPath(m.GUID)
	return f
}

func getEditMember(v *visit) error {
	m, err := v.ofMember()
	if err != nil {
		return err
	}
	return v.render("form.html", v.editMemberForm(m).fill(detailsOf(m)))
}

func postEditMember(v *visit) error {
	m, err := v.ofMember()
	if err != nil {
		return err
	}
	f := v.editMemberForm(m)
	if f.complete() {
		change := api.MemberChange{}
		for name, value := range f.values() {
			if value != detailsOf(m)[name] {
				change[name] = value
			}
		}
		changed, err := v.client.ChangeMember(v.ctx(), m.GUID, change)
		if err == nil {
			return v.done(memberPath(m.GUID), "done.memberChanged", "name", changed.FullName)
		}
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

func getDeleteMember(v *visit) error {
	m, err := v.ofMember()
	if err != nil {
		return err
	}
	return v.confirm(confirmation{
		Text: v.T("members.delete.text"), Items: []string{m.FullName + " · " + m.Email}, Button: v.T("members.delete"),
		Back: memberPath(m.GUID),
	})
}

func postDeleteMember(v *visit) error {
	if _, err := v.client.DeleteMember(v.ctx(), v.r.PathValue("guid")); err != nil {
		return err
	}
	return v.done("/members", "done.members.delete", "n", 1)
}

func getNewCode(v *visit) error {
	m, err := v.ofMember()
	if err != nil {
		return err
	}
	text := "members.code.text"
	if m.IdentityURL != "" {
		text = "members.code.reset"
	}
	return v.confirm(confirmation{Text: v.T(text, "name", m.FullName), Button: v.T("members.code"), Back: memberPath(m.GUID)})
}

func postNewCode(v *visit) error {
	m, err := v.client.Member(v.ctx(), v.r.PathValue("guid"))
	if err != nil {
		return err
	}
	if _, err := v.client.NewCode(v.ctx(), m.GUID, m.IdentityURL != "", false); err != nil {
		return err
	}
	return v.done(memberPath(m.GUID), "done.newCode", "name", m.FullName)
}

// getWelcome is a sheet to print and hand over.
func getWelcome(v *visit) error {
	m, err := v.ofMember()
	if err != nil {
		return err
	}
	return v.render("welcome.html", memberPage{Member: m, Address: v.site.ServerURL})
}

func getMemberBackup(v *visit) error {
	m, err := v.client.Member(v.ctx(), v.r.PathValue("guid"))
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if _, err := v.client.MemberBackup(v.ctx(), m.GUID, &content); err != nil {
		return err
	}
	return v.download(strings.ReplaceAll(m.FullName, "/", "-")+".grv", "application/octet-stream", content.Bytes())
}
