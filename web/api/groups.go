package api

import (
	"net/http"

	"furrow/gms/directory"
	"furrow/web/access"
)

// Group is a group of members in a domain.
type Group struct {
	GUID   string `json:"guid"`
	Domain string `json:"domain"` // the domain's name
	// Path joins the names from the top, such as Sales/North.
	Path    string `json:"path"`
	Name    string `json:"name"`
	Parent  string `json:"parent,omitempty"` // GUID; empty at the top
	Members int    `json:"members"`          // in the group itself, deleted ones not counted
	Holds
}

// GroupName is what a group is called.
type GroupName struct {
	GUID string `json:"guid"`
	Path string `json:"path"`
}

// Holds says which identity policy template and relay set hold for someone.
type Holds struct {
	Policy   Holding `json:"policy"`
	RelaySet Holding `json:"relaySet"`
}

// Holding is a policy template or relay set that holds, and where it comes from.
type Holding struct {
	GUID string `json:"guid"`
	Name string `json:"name"`
	// From is what it is assigned to: domain, group, member or device; Source is the name of that domain or the path of
	// that group.
	From   string `json:"from"`
	Source string `json:"source,omitempty"`
}

// NewGroup asks for a group in a domain, given by name or GUID, within the group Parent, given by path or GUID.
type NewGroup struct {
	Domain string `json:"domain"`
	Parent string `json:"parent,omitempty"`
	Name   string `json:"name"`
}

// GroupChange changes what is not nil. Parent, given by path or GUID, is empty for the top; Policy and RelaySet, given by
// GUID, are empty to inherit.
type GroupChange struct {
	Name     *string `json:"name,omitempty"`
	Parent   *string `json:"parent,omitempty"`
	Policy   *string `json:"policy,omitempty"`
	RelaySet *string `json:"relaySet,omitempty"`
}

func (h *handler) groupRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/groups", Role: access.Member, Query: []string{"domain"},
			Summary: "Groups of one domain or of all",
			action:  answer(h, h.groups),
		},
		{
			Method: "GET", Path: "/v1/group-names", Role: access.Member, Query: []string{"domain"},
			Summary: "What groups of one domain or of all are called",
			action:  answer(h, h.groupNames),
		},
		{
			Method: "POST", Path: "/v1/groups", Role: access.Domain,
			Summary: "Make a group",
			action:  ask(h, h.createGroup),
		},
		{
			Method: "GET", Path: "/v1/groups/{group}", Role: access.Member, Query: []string{"domain"},
			Summary: "A group, by GUID, or by path in a domain",
			action:  answer(h, h.group),
		},
		{
			Method: "PATCH", Path: "/v1/groups/{group}", Role: access.Domain, Query: []string{"domain"},
			Summary: "Change a group",
			action:  ask(h, h.changeGroup),
		},
		{
			Method: "DELETE", Path: "/v1/groups/{group}", Role: access.Domain, Query: []string{"domain", "to-parent"},
			Summary: "Delete a group",
			action:  answer(h, h.deleteGroup),
		},
	}
}

// domainOf is the domain named in the parameter of the address, or the only one that there is.
func (h *handler) domainOf(r *http.Request) (directory.Domain, error) {
	if name := r.URL.Query().Get("domain"); name != "" {
		return h.Directory.FindDomain(name)
	}
	return h.onlyDomain()
}

// onlyDomain is the domain that is meant where none is named.
func (h *handler) onlyDomain() (directory.Domain, error) {
	listed := h.listedDomains()
	if len(listed) != 1 {
		return directory.Domain{}, &Error{Code: "invalid", Field: "domain", Message: "say which domain is meant"}
	}
	return listed[0], nil
}

// groupOf is the group in the path: a GUID, or a path in a domain.
func (h *handler) groupOf(r *http.Request) (directory.Group, error) {
	name := r.PathValue("group")
	if g, err := h.Directory.Group(name); err == nil {
		return g, nil
	}
	d, err := h.domainOf(r)
	if err != nil {
		return directory.Group{}, err
	}
	return h.Directory.FindGroup(d.GUID, name)
}

// groupGUID is the GUID of a group given by path or GUID, "" for none. Without a domain it is given by GUID.
func (h *handler) groupGUID(domain, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	if domain == "" {
		g, err := h.Directory.Group(name)
		return g.GUID, err
	}
	g, err := h.Directory.FindGroup(domain, name)
	return g.GUID, err
}

// domainsOf are the domain named in the parameter of the address, or all that lists show.
func (h *handler) domainsOf(r *http.Request) ([]directory.Domain, error) {
	if r.URL.Query().Get("domain") == "" {
		return h.listedDomains(), nil
	}
	d, err := h.domainOf(r)
	return []directory.Domain{d}, err
}

func (h *handler) groupNames(r *http.Request) ([]GroupName, error) {
	domains, err := h.domainsOf(r)
	if err != nil {
		return nil, err
	}
	names := []GroupName{}
	for _, d := range domains {
		for _, g := range h.Directory.GroupNames(d.GUID) {
			names = append(names, GroupName{g.GUID, g.Path})
		}
	}
	return names, nil
}

func (h *handler) groups(r *http.Request) ([]Group, error) {
	domains, err := h.domainsOf(r)
	if err != nil {
		return nil, err
	}
	groups := []Group{}
	for _, d := range domains {
		for _, g := range h.Directory.Groups(d.GUID) {
			shown, err := h.showGroup(d, g)
			if err != nil {
				return nil, err
			}
			groups = append(groups, shown)
		}
	}
	return groups, nil
}

func (h *handler) showGroup(d directory.Domain, g directory.GroupPath) (Group, error) {
	template, set, err := h.Directory.GroupInheritance(g.GUID)
	if err != nil {
		return Group{}, err
	}
	return Group{
		GUID: g.GUID, Domain: d.Name, Path: g.Path, Name: g.Name, Parent: g.Parent, Members: g.Members,
		Holds: Holds{h.showTemplateHolding(template), h.showRelaySetHolding(set)},
	}, nil
}

// showHolding describes where a thing with this name comes from.
func (h *handler) showHolding(i directory.Inherited, name string) Holding {
	shown := Holding{GUID: i.GUID, Name: name, From: string(i.From)}
	switch i.From {
	case directory.DomainLevel:
		if d, err := h.Directory.Domain(i.Source); err == nil {
			shown.Source = d.Name
		}
	case directory.GroupLevel:
		shown.Source = h.Directory.GroupPathOf(i.Source)
	}
	return shown
}

func (h *handler) showTemplateHolding(i directory.Inherited) Holding {
	return h.showHolding(i, h.Directory.TemplateName(i.GUID))
}

func (h *handler) showRelaySetHolding(i directory.Inherited) Holding {
	set, err := h.Directory.RelaySet(i.GUID)
	if err != nil {
		set.Name = ""
	}
	return h.showHolding(i, set.Name)
}

func (h *handler) groupByGUID(guid string) (Group, error) {
	g, err := h.Directory.Group(guid)
	if err != nil {
		return Group{}, err
	}
	d, err := h.Directory.Domain(g.Domain)
	if err != nil {
		return Group{}, err
	}
	members := 0
	for _, m := range h.Directory.Members(directory.MemberFilter{Group: guid}) {
		if m.Status != directory.Deleted {
			members++
		}
	}
	return h.showGroup(d, directory.GroupPath{Group: g, Path: h.Directory.GroupPathOf(guid), Members: members})
}

func (h *handler) group(r *http.Request) (Group, error) {
	g, err := h.groupOf(r)
	if err != nil {
		return Group{}, err
	}
	return h.groupByGUID(g.GUID)
}

func (h *handler) createGroup(r *http.Request, q NewGroup) (Group, error) {
	d, err := h.namedDomain(q.Domain)
	if err != nil {
		return Group{}, err
	}
	parent, err := h.groupGUID(d.GUID, q.Parent)
	if err != nil {
		return Group{}, err
	}
	g, err := h.Directory.CreateGroup(r.Context(), d.GUID, parent, q.Name)
	if err != nil {
		return Group{}, err
	}
	return h.groupByGUID(g.GUID)
}

// namedDomain is the domain with this name or GUID, or the only one for none.
func (h *handler) namedDomain(name string) (directory.Domain, error) {
	if name == "" {
		return h.onlyDomain()
	}
	return h.Directory.FindDomain(name)
}

func (h *handler) changeGroup(r *http.Request, q GroupChange) (Group, error) {
	g, err := h.groupOf(r)
	if err != nil {
		return Group{}, err
	}
	if q.Parent != nil {
		if *q.Parent, err = h.groupGUID(g.Domain, *q.Parent); err != nil {
			return Group{}, err
		}
	}
	if _, err := h.Directory.UpdateGroup(r.Context(), g.GUID, func(g *directory.Group) {
		for from, to := range map[*string]*string{
			q.Name: &g.Name, q.Parent: &g.Parent, q.Policy: &g.IdentityTemplate, q.RelaySet: &g.RelaySet,
		} {
			if from != nil {
				*to = *from
			}
		}
	}); err != nil {
		return Group{}, err
	}
	h.nudge()
	return h.groupByGUID(g.GUID)
}

func (h *handler) deleteGroup(r *http.Request) (Group, error) {
	toParent, err := flag(r, "to-parent")
	if err != nil {
		return Group{}, err
	}
	g, err := h.groupOf(r)
	if err != nil {
		return Group{}, err
	}
	shown, err := h.groupByGUID(g.GUID)
	if err != nil {
		return Group{}, err
	}
	if _, err := h.Directory.DeleteGroup(r.Context(), g.GUID, toParent); err != nil {
		return Group{}, err
	}
	h.nudge()
	return shown, nil
}
