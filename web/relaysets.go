package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"furrow/web/api"
)

// relaySetList is what relay-sets.html shows.
type relaySetList struct {
	List *list
	Sets []relaySetRow
}

// relaySetRow is a relay set with the names of its relays.
type relaySetRow struct {
	api.RelaySet
	Names []string
}

func relaySetPath(guid string) string { return "/relay-sets/" + url.PathEscape(guid) }

// relayName is what a person calls a relay: its host.
func relayName(deviceURL string) string { return strings.TrimPrefix(deviceURL, "grooveDNS://") }

// relayNames are the names of relays by GUID. A box that cannot manage relays now knows none.
func (v *visit) relayNames() (map[string]string, []api.Relay, error) {
	relays, err := v.client.Relays(v.ctx())
	if err != nil && !isRefused(err, "readOnly") {
		return nil, nil, err
	}
	names := map[string]string{}
	for _, r := range relays {
		names[r.GUID] = relayName(r.DeviceURL)
	}
	return names, relays, nil
}

func getRelaySets(v *visit) error {
	l := v.list(column{name: "name", sortable: true}, column{name: "domain", sortable: true}, column{name: "relaysInOrder"})
	_, domain, err := v.ofDomain(l)
	if err != nil {
		return err
	}
	sets, err := v.client.RelaySets(v.ctx(), domain)
	if err != nil {
		return err
	}
	names, _, err := v.relayNames()
	if err != nil {
		return err
	}
	sets = slices.DeleteFunc(sets, func(s api.RelaySet) bool { return !l.finds(s.Name) })
	inOrder(l, sets, func(by string, a, b api.RelaySet) int {
		if by == "domain" {
			return compareText(a.Domain, b.Domain)
		}
		return compareText(a.Name, b.Name)
	})
	page := relaySetList{List: l}
	for _, s := range of(l, sets) {
		row := relaySetRow{RelaySet: s}
		for _, guid := range s.Relays {
			row.Names = append(row.Names, names[guid])
		}
		page.Sets = append(page.Sets, row)
	}
	return v.render("relay-sets.html", page)
}

func (v *visit) newRelaySetForm(domains []api.DomainName) *form {
	v.under(v.T("relaysets.title"), "/relay-sets")
	f := v.form("relaysets.create", input{name: "domain", kind: "select", required: true, wide: true, options: domainOptions(domains)},
		input{name: "setName", required: true, wide: true, autocomplete: "off"})
	f.Back = "/relay-sets"
	return f
}

func getNewRelaySet(v *visit) error {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	return v.render("form.html", v.newRelaySetForm(domains))
}

func postNewRelaySet(v *visit) error {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	f := v.newRelaySetForm(domains)
	if f.complete() {
		set, err := v.client.CreateRelaySet(v.ctx(), api.NewRelaySet{Domain: f.value("domain"), Name: f.value("setName")})
		if err == nil {
			return v.done(relaySetPath(set.GUID), "done.relaySetCreated", "name", set.Name)
		}
		if err = f.refused(renamed(renamed(err, "name", "setName"), "", "setName")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// relaySetPage is what relay-set.html shows.
type relaySetPage struct {
	api.RelaySet
	Order  *form // of the relays
	Assign *form
	Rename *form
	Relays []relayInSet
	Groups []string // paths of those that it is assigned to
}

// relayInSet is a relay of a set, in order.
type relayInSet struct{ GUID, Name string }

func (v *visit) relaySet() (relaySetPage, error) {
	sets, err := v.client.RelaySets(v.ctx(), "")
	if err != nil {
		return relaySetPage{}, err
	}
	set, err := one(sets, func(s api.RelaySet) bool { return s.GUID == v.r.PathValue("guid") })
	if err != nil {
		return relaySetPage{}, err
	}
	p := relaySetPage{RelaySet: set}
	v.under(v.T("relaysets.title"), "/relay-sets")
	v.title = p.Name
	names, relays, err := v.relayNames()
	if err != nil {
		return p, err
	}
	for _, guid := range p.RelaySet.Relays {
		p.Relays = append(p.Relays, relayInSet{guid, names[guid]})
	}
	groups, err := v.client.Groups(v.ctx(), p.Domain)
	if err != nil {
		return p, err
	}
	assignable := []option{{Value: "domain", Label: v.T("relaysets.toDomain", "domain", p.Domain)}}
	for _, g := range groups {
		if g.RelaySet.GUID == p.GUID && g.RelaySet.From == "group" && g.RelaySet.Source == g.Path {
			p.Groups = append(p.Groups, g.Path)
		}
		assignable = append(assignable, option{Value: g.GUID, Label: v.T("relaysets.toGroup", "group", g.Path)})
	}
	p.Order = v.relayOrderForm(relays)
	p.Order.Action = relaySetPath(p.GUID) + "/relays"
	p.Rename = v.form("relaysets.rename", input{name: "setName", required: true, wide: true, autocomplete: "off"})
	p.Rename.Action = relaySetPath(p.GUID) + "/name"
	p.Assign = v.form("relaysets.assignNow",
		input{name: "assignTo", kind: "select", required: true, wide: true, options: append(assignable, option{Value: "member", Label: v.T("relaysets.toMember")})},
		input{name: "memberEmail", kind: "email", wide: true, autocomplete: "off"})
	p.Assign.Action = relaySetPath(p.GUID) + "/assign"
	return p, nil
}

// fill puts into the forms how the set is now.
func (p relaySetPage) fill() {
	p.Rename.fill(map[string]string{"setName": p.Name})
	p.fillOrder()
}

func (p relaySetPage) fillOrder() {
	places := map[string]string{}
	for i, guid := range p.RelaySet.Relays {
		places["place-"+guid] = strconv.Itoa(i + 1)
	}
	p.Order.fill(places)
}

// relayOrderForm asks for the place of each relay in a set.
func (v *visit) relayOrderForm(relays []api.Relay) *form {
	places := []option{{Value: "", Label: v.T("relaysets.notUsed")}}
	for i := range relays {
		place := strconv.Itoa(i + 1)
		places = append(places, option{Value: place, Label: v.T("relaysets.place", "place", place)})
	}
	var inputs []input
	for _, r := range relays {
		inputs = append(inputs, input{name: "place-" + r.GUID, kind: "select", required: true, wide: true, options: slices.Clone(places)})
	}
	f := v.form("relaysets.saveOrder", inputs...)
	for i, r := range relays {
		f.Fields[i].Label, f.Fields[i].Required = relayName(r.DeviceURL), false
		if r.Own {
			f.Fields[i].Help = v.T("relays.own")
		}
	}
	return f
}

// order is what relayOrderForm asks for: the GUIDs of the relays that have a place, in order of it.
func order(f *form) []string {
	type placed struct {
		place int
		guid  string
	}
	var chosen []placed
	for _, field := range f.Fields {
		if place, err := strconv.Atoi(field.Value); err == nil {
			chosen = append(chosen, placed{place, strings.TrimPrefix(field.Name, "place-")})
		}
	}
	slices.SortStableFunc(chosen, func(a, b placed) int { return a.place - b.place })
	guids := []string{}
	for i, one := range chosen {
		if i > 0 && one.place == chosen[i-1].place {
			f.wrong("place-"+one.guid, f.Words.T("relaysets.twice"))
		}
		guids = append(guids, one.guid)
	}
	return guids
}

func getRelaySet(v *visit) error {
	p, err := v.relaySet()
	if err != nil {
		return err
	}
	p.fill()
	return v.render("relay-set.html", p)
}

// postRelaysOfSet changes the relays of a set.
func postRelaysOfSet(v *visit) error {
	p, err := v.relaySet()
	if err != nil {
		return err
	}
	p.Rename.fill(map[string]string{"setName": p.Name})
	relays := order(p.Order)
	if p.Order.Failed() {
		return v.again("relay-set.html", p)
	}
	if _, err := v.client.OrderRelaySet(v.ctx(), p.GUID, relays); err != nil {
		if err := p.Order.refused(err); err != nil {
			return err
		}
		return v.again("relay-set.html", p)
	}
	return v.done(relaySetPath(p.GUID), "done.relaysOrdered", "name", p.Name)
}

func backToRelaySet(v *visit) error {
	v.redirect(relaySetPath(v.r.PathValue("guid")))
	return nil
}

// postAssignRelaySet gives a set to its domain, to a group or to a member.
func postAssignRelaySet(v *visit) error {
	p, err := v.relaySet()
	if err != nil {
		return err
	}
	var to api.Assignment
	switch chosen := p.Assign.value("assignTo"); chosen {
	case "domain":
	case "member":
		if to.Member, err = v.memberByEmail(p.Assign, p.Domain); err != nil {
			return err
		}
	default:
		to.Group = chosen
	}
	if p.Assign.complete() {
		_, err := v.client.AssignRelaySet(v.ctx(), p.GUID, to)
		if err == nil {
			return v.done(relaySetPath(p.GUID), "done.relaySetAssigned", "name", p.Name)
		}
		if err = p.Assign.refused(err); err != nil {
			return err
		}
	}
	p.fill()
	return v.again("relay-set.html", p)
}

// memberByEmail finds the one member of a domain who has the address in a form.
func (v *visit) memberByEmail(f *form, domain string) (string, error) {
	address := f.value("memberEmail")
	if address == "" {
		f.wrong("memberEmail", v.T("error.required"))
		return "", nil
	}
	found, err := v.client.MemberList(v.ctx(), api.MemberQuery{Domain: domain, Text: address, Order: "name", Limit: pageSize})
	if err != nil {
		return "", err
	}
	members := slices.DeleteFunc(found.Members, func(m api.Member) bool {
		return !strings.EqualFold(m.Email, address) || m.Status == "deleted"
	})
	if len(members) != 1 {
		f.wrong("memberEmail", v.T("relaysets.noMember", "n", len(members)))
		return "", nil
	}
	return members[0].GUID, nil
}

func postRenameRelaySet(v *visit) error {
	p, err := v.relaySet()
	if err != nil {
		return err
	}
	if p.Rename.complete() {
		set, err := v.client.RenameRelaySet(v.ctx(), p.GUID, p.Rename.value("setName"))
		if err == nil {
			return v.done(relaySetPath(set.GUID), "done.relaySetRenamed", "name", set.Name)
		}
		if err = p.Rename.refused(renamed(renamed(err, "name", "setName"), "", "setName")); err != nil {
			return err
		}
	}
	p.fillOrder()
	return v.again("relay-set.html", p)
}

func getDeleteRelaySet(v *visit) error {
	p, err := v.relaySet()
	if err != nil {
		return err
	}
	back := relaySetPath(p.GUID)
	v.under(p.Name, back)
	v.title = ""
	return v.confirm(confirmation{Text: v.T("relaysets.delete.text", "name", p.Name), Button: v.T("relaysets.delete"), Back: back})
}

func postDeleteRelaySet(v *visit) error {
	set, err := v.client.DeleteRelaySet(v.ctx(), v.r.PathValue("guid"))
	if err != nil {
		return err
	}
	return v.done("/relay-sets", "done.relaySetDeleted", "name", set.Name)
}
