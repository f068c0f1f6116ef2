package api

import (
	"net/http"

	"furrow/gms/directory"
	"furrow/gms/policy"
	"furrow/web/access"
)

// Policy is a policy template.
type Policy struct {
	GUID   string `json:"guid"`
	Domain string `json:"domain"` // the domain's name
	Kind   string `json:"kind"`   // identity or device
	Name   string `json:"name"`
	// Default says that all in the domain have it who inherit nothing else.
	Default bool `json:"default"`
	// Holders is for how many members, or devices, it holds, however they come to it.
	Holders int `json:"holders"`
	// Settings are the settings as text; lists leave them out. GET /v1/policy-settings describes them.
	Settings []policy.Value `json:"settings,omitempty"`
}

// NewPolicy asks for a policy template in a domain, given by name or GUID: with the default settings, or with those of
// the template From.
type NewPolicy struct {
	Domain string `json:"domain"`
	Kind   string `json:"kind,omitempty"` // needed without From
	Name   string `json:"name"`
	From   string `json:"from,omitempty"` // GUID
}

// PolicyChange changes the name, if that is not empty, and the settings that it names.
type PolicyChange struct {
	Name     string         `json:"name,omitempty"`
	Settings []policy.Value `json:"settings,omitempty"`
}

// PolicyChanged is a template after a change, and what the change was.
type PolicyChanged struct {
	Policy  Policy          `json:"policy"`
	Changes []policy.Change `json:"changes"`
}

func (h *handler) policyRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/policy-settings", Role: access.Member, Query: []string{"kind"},
			Summary: "The settings of identity or device policies",
			action:  answer(h, policySettings),
		},
		{
			Method: "GET", Path: "/v1/policies", Role: access.Member, Query: []string{"domain"},
			Summary: "Policy templates of one domain or of all, without their settings",
			action:  answer(h, h.policies),
		},
		{
			Method: "POST", Path: "/v1/policies", Role: access.Domain,
			Summary: "Make a policy template",
			action:  ask(h, h.createPolicy),
		},
		{
			Method: "GET", Path: "/v1/policies/{guid}", Role: access.Member,
			Summary: "A policy template",
			action:  answer(h, h.policy),
		},
		{
			Method: "PATCH", Path: "/v1/policies/{guid}", Role: access.Domain,
			Summary: "Change a policy template",
			action:  ask(h, h.changePolicy),
		},
		{
			Method: "POST", Path: "/v1/policies/{guid}/preview", Role: access.Domain, Reads: true,
			Summary: "What changing a policy template would change",
			action:  ask(h, h.previewPolicy),
		},
		{
			Method: "DELETE", Path: "/v1/policies/{guid}", Role: access.Domain,
			Summary: "Delete a policy template",
			action:  answer(h, h.deletePolicy),
		},
		{
			Method: "GET", Path: "/v1/policies/{guid}/diff", Role: access.Member, Query: []string{"with"},
			Summary: "How a policy template differs from another one, or from the default settings",
			action:  answer(h, h.diffPolicy),
		},
	}
}

func policySettings(r *http.Request) ([]policy.Setting, error) {
	switch kind := directory.TemplateKind(r.URL.Query().Get("kind")); kind {
	case directory.IdentityKind, directory.DeviceKind:
		return kind.Sheet().Settings(), nil
	}
	return nil, &Error{Code: "invalid", Field: "kind", Message: "kind is neither identity nor device"}
}

func (h *handler) policies(r *http.Request) ([]Policy, error) {
	domains, err := h.domainsOf(r)
	if err != nil {
		return nil, err
	}
	policies := []Policy{}
	for _, d := range domains {
		templates, err := h.Directory.Templates(d.GUID)
		if err != nil {
			return nil, err
		}
		holders, err := h.Directory.TemplateHolders(d.GUID)
		if err != nil {
			return nil, err
		}
		for _, t := range templates {
			t.Values = nil
			policies = append(policies, showPolicy(d, t, holders))
		}
	}
	return policies, nil
}

func showPolicy(d directory.Domain, t directory.Template, holders map[string]int) Policy {
	return Policy{
		GUID: t.GUID, Domain: d.Name, Kind: string(t.Kind), Name: t.Name, Default: t.Default, Holders: holders[t.GUID],
		Settings: t.Values,
	}
}

// shownPolicy shows what an action of the directory returns.
func (h *handler) shownPolicy(t directory.Template, err error) (Policy, error) {
	if err != nil {
		return Policy{}, err
	}
	d, err := h.Directory.Domain(t.Domain)
	if err != nil {
		return Policy{}, err
	}
	holders, err := h.Directory.TemplateHolders(t.Domain)
	return showPolicy(d, t, holders), err
}

func (h *handler) policy(r *http.Request) (Policy, error) {
	return h.shownPolicy(h.Directory.Template(r.PathValue("guid")))
}

func (h *handler) createPolicy(r *http.Request, q NewPolicy) (Policy, error) {
	if q.From != "" {
		return h.shownPolicy(h.Directory.CopyTemplate(r.Context(), q.From, q.Name))
	}
	d, err := h.namedDomain(q.Domain)
	if err != nil {
		return Policy{}, err
	}
	return h.shownPolicy(h.Directory.CreateTemplate(r.Context(), d.GUID, directory.TemplateKind(q.Kind), q.Name))
}

func (h *handler) changePolicy(r *http.Request, q PolicyChange) (PolicyChanged, error) {
	guid := r.PathValue("guid")
	changes, err := h.Directory.ChangeTemplate(r.Context(), guid, q.Name, q.Settings)
	return h.policyChanged(r, changes, err)
}

// previewPolicy answers with the template as it is, and what would change.
func (h *handler) previewPolicy(r *http.Request, q PolicyChange) (PolicyChanged, error) {
	changes, err := h.Directory.PreviewTemplate(r.PathValue("guid"), q.Name, q.Settings)
	return h.policyChanged(r, changes, err)
}

// policyChanged shows what an action of the directory returns.
func (h *handler) policyChanged(r *http.Request, changes []policy.Change, err error) (PolicyChanged, error) {
	if err != nil {
		return PolicyChanged{}, err
	}
	if changes == nil {
		changes = []policy.Change{}
	}
	shown, err := h.policy(r)
	return PolicyChanged{shown, changes}, err
}

func (h *handler) deletePolicy(r *http.Request) (Policy, error) {
	shown, err := h.policy(r)
	if err != nil {
		return Policy{}, err
	}
	return shown, h.Directory.DeleteTemplate(r.Context(), r.PathValue("guid"))
}

// diffPolicy compares a template with another one of its kind, or with the default settings.
func (h *handler) diffPolicy(r *http.Request) ([]policy.Change, error) {
	changes, err := h.Directory.DiffTemplate(r.URL.Query().Get("with"), r.PathValue("guid"))
	if err == nil && changes == nil {
		changes = []policy.Change{}
	}
	return changes, err
}
