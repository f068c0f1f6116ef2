package web

import "furrow/web/api"

// holding is a policy or relay set that holds, and where it comes from.
type holding struct{ Name, From string }

// Holding is a holding in the words of the page.
func (v *visit) Holding(h api.Holding) holding {
	return holding{h.Name, v.T("from."+h.From, "source", h.Source)}
}

// ownHolding is the GUID of a holding that is given at a level itself, to the group at path for groups; "" if it is
// inherited.
func ownHolding(h api.Holding, level, path string) string {
	if h.From == level && (level != "group" || h.Source == path) {
		return h.GUID
	}
	return ""
}

// holdsInputs are the fields by which a group or member of a domain is given an identity policy and a relay set of its own.
func (v *visit) holdsInputs(domain string) ([]input, error) {
	policies, err := v.policyOptions(domain, "identity")
	if err != nil {
		return nil, err
	}
	sets, err := v.client.RelaySets(v.ctx(), domain)
	if err != nil {
		return nil, err
	}
	inherit := []option{{Value: "", Label: v.T("holds.inherit")}}
	relaySets := inherit
	for _, set := range sets {
		relaySets = append(relaySets, option{Value: set.GUID, Label: set.Name})
	}
	return []input{
		{name: "ownPolicy", kind: "select", options: append(inherit, policies...)},
		{name: "ownRelays", kind: "select", options: relaySets},
	}, nil
}

// policyOptions are the policies of a kind in a domain.
func (v *visit) policyOptions(domain, kind string) ([]option, error) {
	policies, err := v.client.Policies(v.ctx(), domain)
	var options []option
	for _, p := range policies {
		if p.Kind == kind {
			options = append(options, option{Value: p.GUID, Label: p.Name})
		}
	}
	return options, err
}
