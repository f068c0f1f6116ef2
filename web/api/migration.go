package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"furrow/gms/directory"
	"furrow/web/access"
)

// NewMigration says where a member is to move: to another domain of this server, given by name or GUID, or to another
// server, http://host/gms.dll, that has a member for the person already.
type NewMigration struct {
	Domain    string `json:"domain,omitempty"`
	ServerURL string `json:"serverURL,omitempty"`
}

// DeviceFailure is what a client has failed to do for the management of its device (MS-GRVSPCM 3.2.5.2.6).
type DeviceFailure struct {
	Domain      string    `json:"domain"`               // name
	Member      string    `json:"member,omitempty"`     // GUID, if the account is a member's
	MemberName  string    `json:"memberName,omitempty"` // full name
	Account     string    `json:"account"`
	Device      string    `json:"device"`     // GUID
	DeviceName  string    `json:"deviceName"` // host name
	Subtype     int32     `json:"subtype"`
	Description string    `json:"description"`
	Count       int       `json:"count"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
}

// MigrateMember has a member move to another domain or server.
func (c *Client) MigrateMember(ctx context.Context, guid string, to NewMigration) (Member, error) {
	return call[Member](ctx, c, http.MethodPost, migrationPath(guid), to)
}

// CancelMigration ends MigrateMember.
func (c *Client) CancelMigration(ctx context.Context, guid string) (Member, error) {
	return call[Member](ctx, c, http.MethodDelete, migrationPath(guid), nil)
}

func migrationPath(guid string) string { return "/v1/members/" + url.PathEscape(guid) + "/migration" }

// Failures returns the failures of a domain, given by name or GUID, or of all domains when it is empty.
func (c *Client) Failures(ctx context.Context, domain string) ([]DeviceFailure, error) {
	return call[[]DeviceFailure](ctx, c, http.MethodGet, "/v1/failures?"+url.Values{"domain": {domain}}.Encode(), nil)
}

func (h *handler) migrationRoutes() []Route {
	return []Route{
		{
			Method: "POST", Path: "/v1/members/{guid}/migration", Role: access.Domain,
			Summary: "Have a member move to another domain or server",
			action:  ask(h, h.migrate),
		},
		{
			Method: "DELETE", Path: "/v1/members/{guid}/migration", Role: access.Domain,
			Summary: "Let a member stay",
			action:  answer(h, h.act(h.Directory.CancelMigration)),
		},
		{
			Method: "GET", Path: "/v1/failures", Role: access.Member, Query: []string{"domain"},
			Summary: "What clients have failed to do",
			action:  answer(h, h.failures),
		},
	}
}

func (h *handler) migrate(r *http.Request, to NewMigration) (Member, error) {
	if (to.Domain == "") == (to.ServerURL == "") {
		return Member{}, &Error{Code: "invalid", Message: "want either a domain or a server to migrate to", Field: "domain"}
	}
	var m directory.Member
	var err error
	if to.ServerURL != "" {
		m, err = h.Directory.MigrateToServer(r.Context(), r.PathValue("guid"), to.ServerURL)
	} else {
		var domain directory.Domain
		if domain, err = h.Directory.FindDomain(to.Domain); err == nil {
			m, _, err = h.Directory.MigrateToDomain(r.Context(), r.PathValue("guid"), domain.GUID)
		}
	}
	if err != nil {
		return Member{}, err
	}
	h.nudge()
	return h.showMember(r.Context(), m)
}

func (h *handler) failures(r *http.Request) ([]DeviceFailure, error) {
	guid, err := h.domainParameter(r)
	if err != nil {
		return nil, err
	}
	return h.failuresIn(guid), nil
}

// failuresIn are the failures in a domain, given by GUID, or in all for "".
func (h *handler) failuresIn(domain string) []DeviceFailure {
	shown := []DeviceFailure{}
	for _, account := range h.Directory.Failures(domain) {
		// A device's account has no member.
		member, _ := h.Directory.MemberByIdentity(account.Domain, account.Account, account.IdentityURL)
		for _, f := range account.Failures {
			shown = append(shown, DeviceFailure{
				Domain: h.domainName(account.Domain), Member: member.GUID, MemberName: member.FullName, Account: account.Account,
				Device: f.Device, DeviceName: f.DeviceName, Subtype: int32(f.Subtype), Description: f.Subtype.String(),
				Count: f.Count, First: f.First, Last: f.Last,
			})
		}
	}
	return shown
}

// domainParameter returns the GUID of the domain that a request asks about, "" for all.
func (h *handler) domainParameter(r *http.Request) (string, error) {
	name := r.URL.Query().Get("domain")
	if name == "" {
		return "", nil
	}
	d, err := h.Directory.FindDomain(name)
	return d.GUID, err
}

// domainName returns the name of a domain, or its GUID when nothing else is left of it.
func (h *handler) domainName(guid string) string {
	d, err := h.Directory.Domain(guid)
	if err != nil {
		return guid
	}
	return d.Name
}
