package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"furrow/gms/directory"
	"furrow/web/access"
)

// MemberChange changes the attributes that it has: those of MemberDetails, and group, by path or GUID and empty for none,
// policy and relaySet, by GUID and empty to inherit.
type MemberChange map[string]string

// memberAttributes is a MemberChange over what a member has.
type memberAttributes struct {
	MemberDetails
	Group    *string `json:"group"`
	Policy   *string `json:"policy"`
	RelaySet *string `json:"relaySet"`
}

// PolicyAssignment gives a policy template to a domain or device. For a device it may be empty, to inherit.
type PolicyAssignment struct {
	Policy string `json:"policy"` // GUID
}

func (h *handler) memberChangeRoutes() []Route {
	return []Route{
		{
			Method: "PATCH", Path: "/v1/domains/{domain}", Role: access.Domain,
			Summary: "Rename a domain",
			action:  ask(h, h.renameDomain),
		},
		{
			Method: "PUT", Path: "/v1/domains/{domain}/policy", Role: access.Domain,
			Summary: "Set the policy template of a domain",
			action:  ask(h, h.assignDefaultPolicy),
		},
		{
			Method: "PUT", Path: "/v1/devices/{device}/policy", Role: access.Domain, Query: []string{"domain"},
			Summary: "Set the policy template of a device",
			action:  ask(h, h.assignDevicePolicy),
		},
		{
			Method: "PATCH", Path: "/v1/members/{guid}", Role: access.Member,
			Summary: "Change attributes of a member",
			action:  ask(h, h.changeMember),
		},
		{
			Method: "POST", Path: "/v1/members/{guid}/code", Role: access.Member, Query: []string{"reset", "send"},
			Summary: "Give a member a new configuration code",
			action:  answer(h, h.newCode),
		},
	}
}

// shownDetails are the details of a member as the interface shows them.
func shownDetails(m directory.MemberDetails) MemberDetails {
	return MemberDetails{
		FullName: m.FullName, Email: m.Email, FirstName: m.FirstName, LastName: m.LastName, Login: m.RemoteUser,
		Organization: m.Organization, Title: m.Title, Street1: m.Street1, Street2: m.Street2, City: m.City,
		State: m.State, PostalCode: m.PostalCode, Country: m.Country, Phone: m.Phone, Cell: m.Cell, Fax: m.Fax,
	}
}

// take puts details into those of a member; group, template and relay set stay.
func (q MemberDetails) take(m *directory.MemberDetails) {
	*m = directory.MemberDetails{
		FullName: q.FullName, Email: q.Email, FirstName: q.FirstName, LastName: q.LastName, RemoteUser: q.Login,
		Organization: q.Organization, Title: q.Title, Street1: q.Street1, Street2: q.Street2, City: q.City,
		State: q.State, PostalCode: q.PostalCode, Country: q.Country, Phone: q.Phone, Cell: q.Cell, Fax: q.Fax,
		Group: m.Group, IdentityTemplate: m.IdentityTemplate, RelaySet: m.RelaySet,
	}
}

func (h *handler) changeMember(r *http.Request, change MemberChange) (Member, error) {
	asked, body, err := change.attributes()
	if err != nil {
		return Member{}, err
	}
	m, err := h.Directory.Member(r.PathValue("guid"))
	if err != nil {
		return Member{}, err
	}
	if asked.Group != nil {
		if *asked.Group, err = h.groupGUID(m.Domain, *asked.Group); err != nil {
			return Member{}, err
		}
	}
	m, err = h.Directory.UpdateMember(r.Context(), m.GUID, func(d *directory.MemberDetails) {
		with := memberAttributes{MemberDetails: shownDetails(*d)}
		_ = json.Unmarshal(body, &with) // has been read above
		with.take(d)
		for from, to := range map[*string]*string{
			asked.Group: &d.Group, asked.Policy: &d.IdentityTemplate, asked.RelaySet: &d.RelaySet,
		} {
			if from != nil {
				*to = *from
			}
		}
	})
	if err != nil {
		return Member{}, err
	}
	h.nudge()
	return h.showMember(r.Context(), m)
}

// attributes returns what a change names, and how it writes that.
func (c MemberChange) attributes() (asked memberAttributes, body []byte, err error) {
	if body, err = json.Marshal(c); err != nil {
		return asked, nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return asked, nil, &Error{Code: "invalid", Message: "the request is not understood: " + err.Error()}
	}
	return asked, body, nil
}

func (h *handler) newCode(r *http.Request) (Member, error) {
	reset, err := flag(r, "reset")
	if err != nil {
		return Member{}, err
	}
	m, err := h.orInvited(r, func(b directory.MemberBatch) (directory.Member, error) {
		return b.NewConfigurationCode(r.PathValue("guid"), reset)
	}, func() (directory.Member, error) {
		return h.Directory.NewConfigurationCode(r.Context(), r.PathValue("guid"), reset)
	})
	if err != nil {
		return Member{}, err
	}
	return h.showMember(r.Context(), m)
}

func (h *handler) renameDomain(r *http.Request, q DomainChange) (Domain, error) {
	d, err := h.Directory.FindDomain(r.PathValue("domain"))
	if err != nil {
		return Domain{}, err
	}
	if d, err = h.Directory.RenameDomain(r.Context(), d.GUID, q.Name); err != nil {
		return Domain{}, err
	}
	return h.showDomain(d)
}

func (h *handler) assignDefaultPolicy(r *http.Request, q PolicyAssignment) (Holding, error) {
	d, err := h.Directory.FindDomain(r.PathValue("domain"))
	if err != nil {
		return Holding{}, err
	}
	to := directory.Target{Level: directory.DomainLevel, GUID: d.GUID}
	if err := h.Directory.AssignTemplate(r.Context(), to, q.Policy); err != nil {
		return Holding{}, err
	}
	return h.showTemplateHolding(directory.Inherited{GUID: q.Policy, From: directory.DomainLevel, Source: d.GUID}), nil
}

func (h *handler) assignDevicePolicy(r *http.Request, q PolicyAssignment) (Holding, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return Holding{}, err
	}
	device := r.PathValue("device")
	to := directory.Target{Level: directory.DeviceLevel, GUID: device, Domain: d.GUID}
	if err := h.Directory.AssignTemplate(r.Context(), to, q.Policy); err != nil {
		return Holding{}, err
	}
	holds, err := h.Directory.DeviceInheritance(d.GUID, device)
	return h.showTemplateHolding(holds), err
}

// DomainChange gives a domain another name.
type DomainChange struct {
	Name string `json:"name"`
}

// RenameDomain gives a domain another name, which its members' clients then show.
func (c *Client) RenameDomain(ctx context.Context, nameOrGUID, name string) (Domain, error) {
	return call[Domain](ctx, c, http.MethodPatch, "/v1/domains/"+url.PathEscape(nameOrGUID), DomainChange{name})
}

// AssignDefaultPolicy makes a policy template that of all in its domain who inherit nothing else.
func (c *Client) AssignDefaultPolicy(ctx context.Context, domain, guid string) (Holding, error) {
	return call[Holding](ctx, c, http.MethodPut, "/v1/domains/"+url.PathEscape(domain)+"/policy", PolicyAssignment{guid})
}

// AssignDevicePolicy gives a device policy template to one device; empty lets it inherit the domain's.
func (c *Client) AssignDevicePolicy(ctx context.Context, domain, device, guid string) (Holding, error) {
	path := in("/v1/devices/"+url.PathEscape(device)+"/policy", domain)
	return call[Holding](ctx, c, http.MethodPut, path, PolicyAssignment{guid})
}

// ChangeMember changes attributes of a member.
func (c *Client) ChangeMember(ctx context.Context, guid string, change MemberChange) (Member, error) {
	return call[Member](ctx, c, http.MethodPatch, "/v1/members/"+url.PathEscape(guid), change)
}

// NewCode gives a member another configuration code, and mails it if send. One that has enrolled is refused unless reset
// asks to begin anew.
func (c *Client) NewCode(ctx context.Context, guid string, reset, send bool) (Member, error) {
	query := url.Values{"reset": {strconv.FormatBool(reset)}, "send": {strconv.FormatBool(send)}}
	return call[Member](ctx, c, http.MethodPost, "/v1/members/"+url.PathEscape(guid)+"/code?"+query.Encode(), nil)
}
