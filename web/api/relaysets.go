package api

import (
	"context"
	"net/http"
	"net/url"

	"furrow/gms/directory"
)

// RelaySet is an ordered set of relays of a domain.
type RelaySet struct {
	GUID   string   `json:"guid"`
	Domain string   `json:"domain"` // the domain's name
	Name   string   `json:"name"`
	Relays []string `json:"relays"` // GUIDs in order
	// Default says that the domain's members without a set of their own use it.
	Default bool `json:"default"`
}

// NewRelaySet asks for a relay set in a domain, given by name or GUID.
type NewRelaySet struct {
	Domain string `json:"domain"`
	Name   string `json:"name"`
}

// Assignment gives a relay set to its domain, as the default, or to a group or one member.
type Assignment struct {
	Member string `json:"member,omitempty"` // GUID
	Group  string `json:"group,omitempty"`  // GUID or path in the set's domain
}

// RelaySetChange renames a relay set.
type RelaySetChange struct {
	Name string `json:"name"`
}

func (h *handler) relaySets(r *http.Request) ([]RelaySet, error) {
	domains := h.listedDomains()
	if name := r.URL.Query().Get("domain"); name != "" {
		d, err := h.Directory.FindDomain(name)
		if err != nil {
			return nil, err
		}
		domains = []directory.Domain{d}
	}
	sets := []RelaySet{}
	for _, d := range domains {
		for _, set := range h.Directory.RelaySets(d.GUID) {
			sets = append(sets, showRelaySet(d, set))
		}
	}
	return sets, nil
}

func showRelaySet(d directory.Domain, set directory.RelaySet) RelaySet {
	relays := set.Relays
	if relays == nil {
		relays = []string{}
	}
	return RelaySet{GUID: set.GUID, Domain: d.Name, Name: set.Name, Relays: relays, Default: d.RelaySet == set.GUID}
}

func (h *handler) createRelaySet(r *http.Request, q NewRelaySet) (RelaySet, error) {
	d, err := h.Directory.FindDomain(q.Domain)
	if err != nil {
		return RelaySet{}, err
	}
	set, err := h.Directory.CreateRelaySet(r.Context(), d.GUID, q.Name)
	return showRelaySet(d, set), err
}

func (h *handler) orderRelaySet(r *http.Request, relays []string) (RelaySet, error) {
	set, err := h.Directory.AssignRelays(r.Context(), r.PathValue("guid"), relays)
	if err != nil {
		return RelaySet{}, err
	}
	h.nudge()
	return h.relaySet(set.GUID)
}

func (h *handler) assignRelaySet(r *http.Request, q Assignment) (RelaySet, error) {
	set, err := h.Directory.RelaySet(r.PathValue("guid"))
	if err != nil {
		return RelaySet{}, err
	}
	to := directory.Target{Level: directory.DomainLevel, GUID: set.Domain}
	switch {
	case q.Member != "":
		to = directory.Target{Level: directory.MemberLevel, GUID: q.Member}
	case q.Group != "":
		to.Level = directory.GroupLevel
		if to.GUID, err = h.groupGUID(set.Domain, q.Group); err != nil {
			return RelaySet{}, err
		}
	}
	if err := h.Directory.AssignRelaySet(r.Context(), to, set.GUID); err != nil {
		return RelaySet{}, err
	}
	h.nudge()
	return h.relaySet(set.GUID)
}

func (h *handler) relaySet(guid string) (RelaySet, error) {
	set, err := h.Directory.RelaySet(guid)
	if err != nil {
		return RelaySet{}, err
	}
	d, err := h.Directory.Domain(set.Domain)
	return showRelaySet(d, set), err
}

func (h *handler) renameRelaySet(r *http.Request, q RelaySetChange) (RelaySet, error) {
	set, err := h.Directory.RenameRelaySet(r.Context(), r.PathValue("guid"), q.Name)
	if err != nil {
		return RelaySet{}, err
	}
	return h.relaySet(set.GUID)
}

func (h *handler) deleteRelaySet(r *http.Request) (RelaySet, error) {
	set, err := h.Directory.DeleteRelaySet(r.Context(), r.PathValue("guid"))
	if err != nil {
		return RelaySet{}, err
	}
	d, err := h.Directory.Domain(set.Domain)
	return showRelaySet(d, set), err
}

func relaySetPath(guid, more string) string { return "/v1/relay-sets/" + url.PathEscape(guid) + more }

// RenameRelaySet gives a relay set another name.
func (c *Client) RenameRelaySet(ctx context.Context, set, name string) (RelaySet, error) {
	return call[RelaySet](ctx, c, http.MethodPatch, relaySetPath(set, ""), RelaySetChange{name})
}

// DeleteRelaySet removes a relay set that is assigned to nobody.
func (c *Client) DeleteRelaySet(ctx context.Context, set string) (RelaySet, error) {
	return call[RelaySet](ctx, c, http.MethodDelete, relaySetPath(set, ""), nil)
}
