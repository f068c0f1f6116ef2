package web

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"furrow/web/api"
)

// maxIndent is how deep a group is shown; those below stand under it.
const maxIndent = 6

// groupList is what groups.html shows.
type groupList struct {
	List    *list
	Groups  []groupRow
	Domains int
}

// groupRow is a group in the tree.
type groupRow struct {
	api.Group
	Depth int // 0 at the top
}

func groupPath(g api.Group) string { return "/groups/" + url.PathEscape(g.GUID) }

func getGroups(v *visit) error {
	l := v.list(column{name: "name"}, column{name: "domain"}, column{name: "members", right: true}, column{name: "policy"},
		column{name: "relays"})
	domains, domain, err := v.ofDomain(l)
	if err != nil {
		return err
	}
	groups, err := v.client.Groups(v.ctx(), domain)
	if err != nil {
		return err
	}
	var rows []groupRow
	for _, g := range groups {
		if l.finds(g.Path) {
			rows = append(rows, groupRow{g, min(strings.Count(g.Path, "/"), maxIndent)})
		}
	}
	return v.render("groups.html", groupList{l, of(l, rows), len(domains)})
}

func groupOptions(groups []api.GroupName) []option {
	var options []option
	for _, g := range groups {
		options = append(options, option{Value: g.GUID, Label: g.Path})
	}
	return options
}

// newGroupForm is the form of a group to be. It may say in the address which domain and group it is to be in.
func (v *visit) newGroupForm() (*form, error) {
	v.under(v.T("groups.title"), "/groups")
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return nil, err
	}
	inputs := []input{{name: "groupName", required: true, wide: true}}
	asked := v.r.URL.Query()
	parent, err := v.groupOf(asked.Get("parent"))
	switch {
	case err != nil:
		return nil, err
	case parent.GUID != "":
		v.under(parent.Path, groupPath(parent))
	case len(domains) > 1:
		inputs = append(inputs, input{name: "domain", kind: "select", required: true, wide: true, options: domainOptions(domains)})
	}
	f := v.form("groups.create", inputs...)
	f.Action = v.r.URL.RequestURI() // says the parent
	f.Back = "/groups"
	return f, nil
}

// groupOf is the group with this GUID, none for "".
func (v *visit) groupOf(guid string) (api.Group, error) {
	if guid == "" {
		return api.Group{}, nil
	}
	return v.client.Group(v.ctx(), "", guid)
}

func getNewGroup(v *visit) error {
	f, err := v.newGroupForm()
	if err != nil {
		return err
	}
	return v.render("form.html", f)
}

func postNewGroup(v *visit) error {
	f, err := v.newGroupForm()
	if err != nil {
		return err
	}
	if f.complete() {
		parent, err := v.groupOf(v.r.URL.Query().Get("parent"))
		if err != nil {
			return err
		}
		g, err := v.client.CreateGroup(v.ctx(), api.NewGroup{
			Domain: cmp.Or(parent.Domain, f.value("domain")), Parent: parent.GUID, Name: f.value("groupName"),
		})
		if err == nil {
			return v.done(groupPath(g), "done.groupCreated", "name", g.Name)
		}
		if err = f.refused(renamed(err, "name", "groupName")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// groupPage is what group.html shows.
type groupPage struct {
	api.Group
	Above  *api.Group // nil at the top
	Inside []api.Group
	Form   *form
}

func (v *visit) group() (groupPage, error) {
	g, err := v.client.Group(v.ctx(), "", v.r.PathValue("group"))
	if err != nil {
		return groupPage{}, err
	}
	v.under(v.T("groups.title"), "/groups")
	v.title = g.Path
	shown := groupPage{Group: g}
	all, err := v.client.Groups(v.ctx(), g.Domain)
	if err != nil {
		return groupPage{}, err
	}
	parents := []option{{Value: "", Label: v.T("groups.top")}}
	for _, other := range all {
		if other.GUID == g.Parent {
			shown.Above = &other
		}
		if other.Parent == g.GUID {
			shown.Inside = append(shown.Inside, other)
		}
		if other.GUID != g.GUID && !strings.HasPrefix(other.Path, g.Path+"/") {
			parents = append(parents, option{Value: other.GUID, Label: other.Path})
		}
	}
	inputs, err := v.holdsInputs(g.Domain)
	if err != nil {
		return groupPage{}, err
	}
	shown.Form = v.form("groups.save", slices.Concat([]input{
		{name: "groupName", required: true}, {name: "parentGroup", kind: "select", options: parents},
	}, inputs)...)
	return shown, nil
}

func getGroup(v *visit) error {
	g, err := v.group()
	if err != nil {
		return err
	}
	g.Form.fill(map[string]string{
		"groupName": g.Name, "parentGroup": g.Parent, "ownPolicy": ownHolding(g.Policy, "group", g.Path),
		"ownRelays": ownHolding(g.RelaySet, "group", g.Path),
	})
	return v.render("group.html", g)
}

func postGroup(v *visit) error {
	g, err := v.group()
	if err != nil {
		return err
	}
	if g.Form.complete() {
		name, parent := g.Form.value("groupName"), g.Form.value("parentGroup")
		policy, relays := g.Form.value("ownPolicy"), g.Form.value("ownRelays")
		changed, err := v.client.ChangeGroup(v.ctx(), "", g.GUID, api.GroupChange{
			Name: &name, Parent: &parent, Policy: &policy, RelaySet: &relays,
		})
		if err == nil {
			return v.done(groupPath(changed), "done.groupChanged", "name", changed.Path)
		}
		if err = g.Form.refused(renamed(err, "name", "groupName")); err != nil {
			return err
		}
	}
	return v.again("group.html", g)
}

func getDeleteGroup(v *visit) error {
	g, err := v.group()
	if err != nil {
		return err
	}
	v.under(g.Path, groupPath(g.Group))
	v.title = v.T("groups.delete")
	above := v.T("groups.top")
	if g.Above != nil {
		above = g.Above.Path
	}
	question := confirmation{
		Text: v.T("groups.delete.text", "name", g.Path), Button: v.T("groups.delete"), Back: groupPath(g.Group),
	}
	if g.Members > 0 {
		question.Items = append(question.Items, v.T("groups.delete.members", "n", g.Members, "to", above))
	}
	if len(g.Inside) > 0 {
		question.Items = append(question.Items, v.T("groups.delete.groups", "n", len(g.Inside), "to", above))
	}
	return v.confirm(question)
}

func postDeleteGroup(v *visit) error {
	g, err := v.client.DeleteGroup(v.ctx(), "", v.r.PathValue("group"), true)
	if err != nil {
		return err
	}
	return v.done("/groups", "done.groupDeleted", "name", g.Path)
}
