package api

import "furrow/web/access"

func (h *handler) domainRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/domains", Role: access.Member, Query: []string{"all"},
			Summary: "Domains, with all=true the hidden and deleted ones too",
			action:  answer(h, h.domains),
		},
		{
			Method: "POST", Path: "/v1/domains", Role: access.Domain,
			Summary: "Make a domain",
			action:  ask(h, h.createDomain),
		},
		{
			Method: "GET", Path: "/v1/domains/{domain}", Role: access.Member,
			Summary: "A domain, by name or GUID",
			action:  answer(h, h.domain),
		},
		{
			Method: "DELETE", Path: "/v1/domains/{domain}", Role: access.Domain, Query: []string{"with-members"},
			Summary: "Delete a domain",
			action:  answer(h, h.deleteDomain),
		},
		{
			Method: "GET", Path: "/v1/domains/{domain}/contacts", Role: access.Member, Query: []string{"text"},
			Summary: "Members as the members of a domain find them",
			action:  answer(h, h.contacts),
		},
	}
}

func (h *handler) memberRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/members", Role: access.Member, Query: []string{"domain", "group"},
			Summary: "Members of one domain or a group in it, or of all",
			action:  answer(h, h.members),
		},
		{
			Method: "POST", Path: "/v1/members", Role: access.Member, Query: []string{"send"},
			Summary: "Add a member",
			action:  ask(h, h.createMember),
		},
		{
			Method: "GET", Path: "/v1/members/{guid}", Role: access.Member,
			Summary: "A member",
			action:  answer(h, h.member),
		},
		{
			Method: "DELETE", Path: "/v1/members/{guid}", Role: access.Member,
			Summary: "Delete a member",
			action:  answer(h, h.act(h.Directory.DeleteMember)),
		},
		{
			Method: "POST", Path: "/v1/members/{guid}/disable", Role: access.Member,
			Summary: "Lock a member out",
			action:  answer(h, h.act(h.Directory.DisableMember)),
		},
		{
			Method: "POST", Path: "/v1/members/{guid}/enable", Role: access.Member,
			Summary: "Let a member in again",
			action:  answer(h, h.act(h.Directory.EnableMember)),
		},
		{
			Method: "GET", Path: "/v1/members/{guid}/backup", Role: access.Member, Secret: true,
			Summary: "The account data that a member's client has stored",
			action:  stream("application/octet-stream", h.backup),
		},
	}
}
