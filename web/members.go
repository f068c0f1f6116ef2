package web

import (
	"context"
	"slices"

	"furrow/web/api"
)

// maxSelected bounds what is done to members at once by their boxes; a page of a list has fewer.
const maxSelected = 500

// memberList is what members.html shows.
type memberList struct {
	List    *list
	Members []api.Member
	Domains int
}

func getMembers(v *visit) error {
	l := v.list(column{name: "name", sortable: true}, column{name: "email", sortable: true}, column{name: "status", sortable: true},
		column{name: "group"}, column{name: "domain"}, column{name: "created", sortable: true})
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	query := api.MemberQuery{Text: l.Search, Order: l.sort, Offset: l.offset(), Limit: pageSize}
	query.Status = l.filter("status", v.statusOptions()...)
	if len(domains) > 1 {
		query.Domain = l.filter("domain", domainOptions(domains)...)
	}
	groups, err := v.client.GroupNames(v.ctx(), query.Domain)
	if err != nil {
		return err
	}
	if len(groups) > 0 {
		query.Group = l.filter("group", groupOptions(groups)...)
	}
	found, err := v.client.MemberList(v.ctx(), query)
	if err != nil {
		return err
	}
	l.Total = found.Total
	return v.render("members.html", memberList{l, found.Members, len(domains)})
}

func (v *visit) statusOptions() []option {
	var options []option
	for _, status := range []string{"active", "pending", "disabled", "deleted", "migrated"} {
		options = append(options, option{Value: status, Label: v.T("status." + status)})
	}
	return options
}

func domainOptions(domains []api.DomainName) []option {
	var options []option
	for _, d := range domains {
		options = append(options, option{Value: d.GUID, Label: d.Name})
	}
	return options
}

// newMemberForm is the form of a member to be, in one of these domains.
func (v *visit) newMemberForm(domains []api.DomainName) *form {
	v.under(v.T("members.title"), "/members")
	var inputs []input
	if len(domains) > 1 {
		inputs = append(inputs, input{name: "domain", kind: "select", required: true, wide: true, options: domainOptions(domains)})
	}
	f := v.form("members.create", append(inputs, detailInputs()...)...)
	f.Back = "/members"
	return f
}

// detailInputs are the fields of what is known of a member.
func detailInputs() []input {
	return []input{
		{name: "fullName", required: true, autocomplete: "off"}, {name: "email", kind: "email", required: true, autocomplete: "off"},
		{name: "firstName", autocomplete: "off"}, {name: "lastName", autocomplete: "off"},
		{name: "login", autocomplete: "off"}, {name: "group", autocomplete: "off"},
		{name: "organization", autocomplete: "off"}, {name: "title", autocomplete: "off"},
		{name: "phone", kind: "tel", autocomplete: "off"}, {name: "cell", kind: "tel", autocomplete: "off"},
		{name: "fax", kind: "tel", autocomplete: "off"}, {name: "street1", autocomplete: "off"},
		{name: "street2", autocomplete: "off"}, {name: "postalCode", autocomplete: "off"},
		{name: "city", autocomplete: "off"}, {name: "state", autocomplete: "off"}, {name: "country", autocomplete: "off"},
	}
}

func getNewMember(v *visit) error {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	return v.render("form.html", v.newMemberForm(domains))
}

func postNewMember(v *visit) error {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	f := v.newMemberForm(domains)
	if f.complete() {
		asked := api.NewMember{Domain: f.value("domain"), Group: f.value("group"), MemberDetails: api.MemberDetails{
			FullName: f.value("fullName"), Email: f.value("email"), FirstName: f.value("firstName"),
			LastName: f.value("lastName"), Login: f.value("login"), Organization: f.value("organization"),
			Title: f.value("title"), Street1: f.value("street1"), Street2: f.value("street2"), City: f.value("city"),
			State: f.value("state"), PostalCode: f.value("postalCode"), Country: f.value("country"),
			Phone: f.value("phone"), Cell: f.value("cell"), Fax: f.value("fax"),
		}}
		if asked.Domain == "" && len(domains) == 1 {
			asked.Domain = domains[0].GUID
		}
		m, err := v.client.CreateMember(v.ctx(), asked)
		if err == nil {
			return v.done(memberPath(m.GUID), "done.memberCreated", "name", m.FullName)
		}
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// memberAction is something that is done to members, one or many.
type memberAction struct {
	name string // as forms send it; its texts are members.NAME, members.NAME.text and done.members.NAME
	act  func(*api.Client, context.Context, string) (api.Member, error)
}

func memberActions() []memberAction {
	return []memberAction{
		{"invite", invite}, {"disable", (*api.Client).DisableMember}, {"enable", (*api.Client).EnableMember}, {"delete", (*api.Client).DeleteMember},
	}
}

// invite mails a member's code.
func invite(client *api.Client, ctx context.Context, guid string) (api.Member, error) {
	invited, err := client.Invite(ctx, api.Invitation{Members: []string{guid}})
	if err != nil {
		return api.Member{}, err
	}
	return invited[0], nil
}

func backToMembers(v *visit) error {
	v.redirect("/members")
	return nil
}

// postSelectedMembers asks before it does something to the members whose boxes are checked, and does it when that is
// confirmed. It goes on after one that is refused, and says how many were.
func postSelectedMembers(v *visit) error {
	name := v.formValue("action")
	i := slices.IndexFunc(memberActions(), func(a memberAction) bool { return a.name == name })
	guids := v.r.PostForm["guid"]
	if i < 0 || len(guids) == 0 || len(guids) > maxSelected {
		v.say(flash{Key: "done.nothingSelected", Problem: true})
		v.redirect("/members")
		return nil
	}
	action := memberActions()[i]
	if v.formValue("confirmed") == "" {
		return v.confirmSelected(action, guids)
	}
	refused := 0
	for _, guid := range guids {
		if _, err := action.act(v.client, v.ctx(), guid); err != nil {
			refused++
		}
	}
	if refused > 0 {
		v.say(flash{Key: "done.someRefused", Args: []any{"n", refused}, Problem: true})
		v.redirect("/members")
		return nil
	}
	return v.done("/members", "done.members."+name, "n", len(guids))
}

func (v *visit) confirmSelected(action memberAction, guids []string) error {
	v.under(v.T("members.title"), "/members")
	v.title = v.T("members." + action.name)
	c := confirmation{
		Text: v.T("members." + action.name + ".text"), Button: v.T("members." + action.name), Back: "/members",
		Hidden: []hidden{{"action", action.name}, {"confirmed", "yes"}},
	}
	for _, guid := range guids {
		m, err := v.client.Member(v.ctx(), guid)
		if err != nil {
			return err
		}
		c.Items = append(c.Items, m.FullName+" · "+m.Email)
		c.Hidden = append(c.Hidden, hidden{"guid", guid})
	}
	return v.confirm(c)
}
