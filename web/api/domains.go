package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"furrow/gms/directory"
)

// listedDomains are the domains that lists show.
func (h *handler) listedDomains() []directory.Domain {
	return slices.DeleteFunc(h.Directory.Domains(), func(d directory.Domain) bool { return d.Hidden })
}

// listedMembers are the members of the domains that lists show.
func (h *handler) listedMembers() []directory.Member {
	listed := map[string]bool{}
	for _, d := range h.listedDomains() {
		listed[d.GUID] = true
	}
	return slices.DeleteFunc(h.Directory.Members(directory.MemberFilter{}), func(m directory.Member) bool {
		return !listed[m.Domain]
	})
}

// flag reads a parameter of the address that is true or false, false when it is not there.
func flag(r *http.Request, name string) (bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return false, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, &Error{Code: "invalid", Message: name + " is neither true nor false", Field: name}
	}
	return value, nil
}

func (h *handler) deleteDomain(r *http.Request) (Domain, error) {
	withMembers, err := flag(r, "with-members")
	if err != nil {
		return Domain{}, err
	}
	d, err := h.Directory.FindDomain(r.PathValue("domain"))
	if err != nil {
		return Domain{}, err
	}
	if d, err = h.Directory.DeleteDomain(r.Context(), d.GUID, withMembers); err != nil {
		return Domain{}, err
	}
	h.nudge()
	return h.showDomain(d)
}

// DomainName is how a domain is chosen.
type DomainName struct {
	GUID string `json:"guid"`
	Name string `json:"name"`
}

func (h *handler) domainNames(*http.Request) ([]DomainName, error) {
	names := []DomainName{}
	for _, d := range h.listedDomains() {
		names = append(names, DomainName{d.GUID, d.Name})
	}
	return names, nil
}

// DomainNames returns what domains are called; it costs less than Domains, which counts members.
func (c *Client) DomainNames(ctx context.Context) ([]DomainName, error) {
	return call[[]DomainName](ctx, c, http.MethodGet, "/v1/domain-names", nil)
}
