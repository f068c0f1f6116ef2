package api

import (
	"context"
	"net/http"
	"net/url"

	"furrow/gms/ldapsync"
	"furrow/web/access"
)

// LDAPSource is a directory server whose people become members.
type LDAPSource struct {
	ldapsync.Source
	// Domain is the domain of the members, by name or GUID in a change, by name in an answer.
	Domain string `json:"domain"`
	// Group is where new members are put, a path of names such as Sales/North or a GUID in a change.
	Group string `json:"group,omitempty"`
	// Password is never shown. Left empty in a change it stays, if servers, their protection and account do.
	Password string `json:"password,omitempty"`
}

// LDAPTest is what a directory server shows.
type LDAPTest struct {
	Entries int `json:"entries"`
	// Names are the distinguished names of some of them, fit to print.
	Names []string `json:"names"`
}

// LDAPSync asks for a sync or its preview.
type LDAPSync struct {
	// Force lets it disable however many members it finds.
	Force bool `json:"force"`
}

func (h *handler) ldapRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/ldap", Role: access.Domain,
			Summary: "Directory servers",
			action:  answer(h, h.ldapSources),
		},
		{
			Method: "PUT", Path: "/v1/ldap/{name}", Role: access.Server,
			Summary: "Make or change a directory server",
			action:  ask(h, h.setLDAP),
		},
		{
			Method: "GET", Path: "/v1/ldap/{name}", Role: access.Domain,
			Summary: "A directory server",
			action: answer(h, func(r *http.Request) (LDAPSource, error) {
				s, err := h.LDAP.Source(r.PathValue("name"))
				return h.showLDAP(s, err)
			}),
		},
		{
			Method: "DELETE", Path: "/v1/ldap/{name}", Role: access.Server,
			Summary: "Remove a directory server; its members stay",
			action: answer(h, func(r *http.Request) (LDAPSource, error) {
				s, err := h.LDAP.Remove(r.Context(), r.PathValue("name"))
				return h.showLDAP(s, err)
			}),
		},
		{
			Method: "POST", Path: "/v1/ldap/{name}/test", Role: access.Domain,
			Summary: "Read a directory server once",
			action:  answer(h, h.testLDAP),
		},
		{
			Method: "POST", Path: "/v1/ldap/{name}/preview", Role: access.Domain, Reads: true,
			Summary: "What a sync would do",
			action:  ask(h, h.ldapAct((*ldapsync.Syncer).Preview)),
		},
		{
			Method: "POST", Path: "/v1/ldap/{name}/sync", Role: access.Domain,
			Summary: "Sync members with a directory server",
			action:  ask(h, h.ldapAct((*ldapsync.Syncer).Sync)),
		},
		{
			Method: "GET", Path: "/v1/ldap/{name}/reports", Role: access.Domain,
			Summary: "Reports of the last syncs, without their lines",
			action: answer(h, func(r *http.Request) ([]ldapsync.Report, error) {
				return h.LDAP.Reports(r.PathValue("name"))
			}),
		},
		{
			Method: "GET", Path: "/v1/ldap/{name}/reports/{id}", Role: access.Domain,
			Summary: "The report of a sync",
			action: answer(h, func(r *http.Request) (ldapsync.Report, error) {
				return h.LDAP.Report(r.PathValue("name"), r.PathValue("id"))
			}),
		},
	}
}

func (h *handler) ldapSources(*http.Request) ([]LDAPSource, error) {
	sources := []LDAPSource{}
	for _, s := range h.LDAP.Sources() {
		shown, err := h.showLDAP(s, nil)
		if err != nil {
			return nil, err
		}
		sources = append(sources, shown)
	}
	return sources, nil
}

func (h *handler) setLDAP(r *http.Request, q LDAPSource) (LDAPSource, error) {
	q.Source.Name, q.Source.Domain, q.Source.Group, q.Source.Password = r.PathValue("name"), q.Domain, q.Group, q.Password
	s, err := h.LDAP.Set(r.Context(), q.Source)
	return h.showLDAP(s, err)
}

func (h *handler) showLDAP(s ldapsync.Source, err error) (LDAPSource, error) {
	if err != nil {
		return LDAPSource{}, err
	}
	d, err := h.Directory.Domain(s.Domain)
	if err != nil { // a hidden domain leaves nothing behind
		d.Name = s.Domain
	}
	return LDAPSource{Source: s, Domain: d.Name, Group: h.Directory.GroupPathOf(s.Group)}, nil
}

// testLDAP shows what the directory server said: whoever sets it up has to know.
func (h *handler) testLDAP(r *http.Request) (LDAPTest, error) {
	if _, err := h.LDAP.Source(r.PathValue("name")); err != nil {
		return LDAPTest{}, err
	}
	count, names, err := h.LDAP.Test(r.Context(), r.PathValue("name"))
	if err != nil {
		return LDAPTest{}, &refusal{http.StatusBadGateway, &Error{Code: "ldapFailed", Message: err.Error()}}
	}
	return LDAPTest{Entries: count, Names: names}, nil
}

// ldapAct makes an answer of a sync or its preview. That the directory server does not answer is for the one who asked.
func (h *handler) ldapAct(
	act func(*ldapsync.Syncer, context.Context, string, bool) (ldapsync.Report, error),
) func(*http.Request, LDAPSync) (ldapsync.Report, error) {
	return func(r *http.Request, q LDAPSync) (ldapsync.Report, error) {
		report, err := act(h.LDAP, r.Context(), r.PathValue("name"), q.Force)
		if _, known := refuse(err); err != nil && known.Code == "internal" {
			return ldapsync.Report{}, &refusal{http.StatusBadGateway, &Error{Code: "ldapFailed", Message: err.Error()}}
		}
		return report, err
	}
}

func ldapPath(name string, more string) string { return "/v1/ldap/" + url.PathEscape(name) + more }

// LDAPSources returns all directory servers.
func (c *Client) LDAPSources(ctx context.Context) ([]LDAPSource, error) {
	return call[[]LDAPSource](ctx, c, http.MethodGet, "/v1/ldap", nil)
}

// LDAPSource returns one.
func (c *Client) LDAPSource(ctx context.Context, name string) (LDAPSource, error) {
	return call[LDAPSource](ctx, c, http.MethodGet, ldapPath(name, ""), nil)
}

// SetLDAP makes or changes the directory server with the name of s.
func (c *Client) SetLDAP(ctx context.Context, s LDAPSource) (LDAPSource, error) {
	return call[LDAPSource](ctx, c, http.MethodPut, ldapPath(s.Name, ""), s)
}

// RemoveLDAP removes a directory server; its members stay.
func (c *Client) RemoveLDAP(ctx context.Context, name string) (LDAPSource, error) {
	return call[LDAPSource](ctx, c, http.MethodDelete, ldapPath(name, ""), nil)
}

// TestLDAP reads a directory server and changes nothing.
func (c *Client) TestLDAP(ctx context.Context, name string) (LDAPTest, error) {
	return call[LDAPTest](ctx, c, http.MethodPost, ldapPath(name, "/test"), nil)
}

// PreviewLDAP returns the report of a sync that would be done now.
func (c *Client) PreviewLDAP(ctx context.Context, name string, force bool) (ldapsync.Report, error) {
	return call[ldapsync.Report](ctx, c, http.MethodPost, ldapPath(name, "/preview"), LDAPSync{force})
}

// SyncLDAP does a sync and returns its report, whose Error says whether it came to its end.
func (c *Client) SyncLDAP(ctx context.Context, name string, force bool) (ldapsync.Report, error) {
	return call[ldapsync.Report](ctx, c, http.MethodPost, ldapPath(name, "/sync"), LDAPSync{force})
}

// LDAPReports returns the reports of the last syncs, the newest first, without their lines.
func (c *Client) LDAPReports(ctx context.Context, name string) ([]ldapsync.Report, error) {
	return call[[]ldapsync.Report](ctx, c, http.MethodGet, ldapPath(name, "/reports"), nil)
}

// LDAPReport returns one report.
func (c *Client) LDAPReport(ctx context.Context, name, id string) (ldapsync.Report, error) {
	return call[ldapsync.Report](ctx, c, http.MethodGet, ldapPath(name, "/reports/"+url.PathEscape(id)), nil)
}
