package api

import (
	"context"
	"net/http"
	"net/url"

	"furrow/gms/directory"
	"furrow/web/access"
)

// DomainCertificate is what another domain needs to trust this one.
type DomainCertificate struct {
	Domain      string `json:"domain"`      // the domain's name
	Certificate []byte `json:"certificate"` // DER; base64 in JSON
	// Fingerprint is what the administrators compare by another way, such as the telephone.
	Fingerprint string `json:"fingerprint"`
}

// Trust is a domain whose members' contacts the members of a domain trust.
type Trust struct {
	GUID           string `json:"guid"`
	Domain         string `json:"domain"` // name of the one that trusts
	Name           string `json:"name"`   // of the trusted one
	Fingerprint    string `json:"fingerprint"`
	InOrganization bool   `json:"inOrganization"`
}

// NewTrust asks for a trust of a domain, given by name or GUID, in the one with this certificate. Fingerprint is what the
// owner of the certificate says it is; empty Name takes the organization in the certificate.
type NewTrust struct {
	Domain         string `json:"domain"`
	Name           string `json:"name,omitempty"`
	Certificate    []byte `json:"certificate"`
	Fingerprint    string `json:"fingerprint"`
	InOrganization bool   `json:"inOrganization,omitempty"`
}

func (h *handler) trustRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/domains/{domain}/certificate", Role: access.Member,
			Summary: "What another domain needs to trust this one",
			action:  answer(h, h.domainCertificate),
		},
		{
			Method: "GET", Path: "/v1/trusts", Role: access.Member, Query: []string{"domain"},
			Summary: "Domains that are trusted",
			action:  answer(h, h.trusts),
		},
		{
			Method: "POST", Path: "/v1/trusts", Role: access.Domain,
			Summary: "Trust the members of another domain",
			action:  ask(h, h.addTrust),
		},
		{
			Method: "DELETE", Path: "/v1/trusts/{guid}", Role: access.Domain,
			Summary: "End a trust",
			action:  answer(h, h.removeTrust),
		},
	}
}

func (h *handler) domainCertificate(r *http.Request) (DomainCertificate, error) {
	d, err := h.Directory.FindDomain(r.PathValue("domain"))
	if err != nil {
		return DomainCertificate{}, err
	}
	return DomainCertificate{d.Name, d.Certificate, directory.Fingerprint(d.Certificate)}, nil
}

func (h *handler) trusts(r *http.Request) ([]Trust, error) {
	domains, err := h.domainsOf(r)
	if err != nil {
		return nil, err
	}
	trusts := []Trust{}
	for _, d := range domains {
		for _, t := range h.Directory.Trusts(d.GUID) {
			trusts = append(trusts, showTrust(d, t))
		}
	}
	return trusts, nil
}

func showTrust(d directory.Domain, t directory.Trust) Trust {
	return Trust{
		GUID: t.GUID, Domain: d.Name, Name: t.Name, Fingerprint: directory.Fingerprint(t.Certificate),
		InOrganization: t.InOrganization,
	}
}

func (h *handler) addTrust(r *http.Request, q NewTrust) (Trust, error) {
	d, err := h.namedDomain(q.Domain)
	if err != nil {
		return Trust{}, err
	}
	t, err := h.Directory.AddTrust(r.Context(), directory.NewTrust{
		Domain: d.GUID, Name: q.Name, Certificate: q.Certificate, Fingerprint: q.Fingerprint, InOrganization: q.InOrganization,
	})
	return showTrust(d, t), err
}

func (h *handler) removeTrust(r *http.Request) (Trust, error) {
	t, err := h.Directory.RemoveTrust(r.Context(), r.PathValue("guid"))
	if err != nil {
		return Trust{}, err
	}
	d, err := h.Directory.Domain(t.Domain)
	return showTrust(d, t), err
}

// DomainCertificate returns what another domain needs to trust the one with this name or GUID.
func (c *Client) DomainCertificate(ctx context.Context, domain string) (DomainCertificate, error) {
	return call[DomainCertificate](ctx, c, http.MethodGet, "/v1/domains/"+url.PathEscape(domain)+"/certificate", nil)
}

// Trusts returns the domains that a domain trusts, or that all domains do when it is empty.
func (c *Client) Trusts(ctx context.Context, domain string) ([]Trust, error) {
	return call[[]Trust](ctx, c, http.MethodGet, in("/v1/trusts", domain), nil)
}

// AddTrust makes the members of a domain trust those of another.
func (c *Client) AddTrust(ctx context.Context, trust NewTrust) (Trust, error) {
	return call[Trust](ctx, c, http.MethodPost, "/v1/trusts", trust)
}

// RemoveTrust ends a trust.
func (c *Client) RemoveTrust(ctx context.Context, guid string) (Trust, error) {
	return call[Trust](ctx, c, http.MethodDelete, "/v1/trusts/"+url.PathEscape(guid), nil)
}
