package api

import (
	"context"
	"net/http"
	"net/url"

	"furrow/gms/soap/spcm"
	"furrow/gms/statistics"
	"furrow/web/access"
)

// UsageDay is what the statistics of one type say of one day, one identity and one tool or space (MS-GRVSPCM
// 3.2.5.3.5).
type UsageDay struct {
	Day         string `json:"day"`    // such as 2026-03-14, UTC
	Domain      string `json:"domain"` // GUID
	Member      string `json:"member"` // GUID; empty if the member's own account has not reported it
	MemberName  string `json:"memberName"`
	Account     string `json:"account"`
	IdentityURL string `json:"identityURL"`
	Type        string `json:"type"` // such as toolTime
	Tool        string `json:"tool,omitempty"`
	Space       string `json:"space,omitempty"`
	SpaceName   string `json:"spaceName,omitempty"`
	Role        string `json:"role,omitempty"`
	Count       int64  `json:"count"`
	Elapsed     int64  `json:"elapsed,omitempty"`
	Uses        int64  `json:"uses,omitempty"`
	Active      int64  `json:"active,omitempty"` // members of the space
	Total       int64  `json:"total,omitempty"`  // members of the space
}

// UsageFilter selects days. Empty fields select all.
type UsageFilter struct {
	Domain   string // name or GUID
	Member   string // GUID
	Type     string
	From, To string // days, both included
}

// StatisticsSettings say how long statistics are kept, in days: the reports as they came, 0 for not at all, and what
// was counted by day, 0 for ever.
type StatisticsSettings struct {
	RawDays int `json:"rawDays"`
	Days    int `json:"days"`
}

// Usage returns the days that a filter selects.
func (c *Client) Usage(ctx context.Context, f UsageFilter) ([]UsageDay, error) {
	q := url.Values{"domain": {f.Domain}, "member": {f.Member}, "type": {f.Type}, "from": {f.From}, "to": {f.To}}
	return call[[]UsageDay](ctx, c, http.MethodGet, "/v1/statistics?"+q.Encode(), nil)
}

// StatisticsSettings returns how long statistics are kept.
func (c *Client) StatisticsSettings(ctx context.Context) (StatisticsSettings, error) {
	return call[StatisticsSettings](ctx, c, http.MethodGet, "/v1/statistics/settings", nil)
}

// SetStatisticsSettings changes StatisticsSettings.
func (c *Client) SetStatisticsSettings(ctx context.Context, s StatisticsSettings) (StatisticsSettings, error) {
	return call[StatisticsSettings](ctx, c, http.MethodPut, "/v1/statistics/settings", s)
}

func (h *handler) statisticsRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/statistics", Role: access.Domain, Query: []string{"domain", "member", "type", "from", "to"},
			Summary: "Usage by day",
			action:  answer(h, h.usage),
		},
		{
			Method: "GET", Path: "/v1/statistics/settings", Role: access.Domain,
			Summary: "How long statistics are kept",
			action: answer(h, func(*http.Request) (StatisticsSettings, error) {
				return StatisticsSettings(h.Statistics.Settings()), nil
			}),
		},
		{
			Method: "PUT", Path: "/v1/statistics/settings", Role: access.Server,
			Summary: "Change how long statistics are kept",
			action:  ask(h, h.setStatisticsSettings),
		},
	}
}

func (h *handler) usage(r *http.Request) ([]UsageDay, error) {
	guid, err := h.domainParameter(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	filter := statistics.Filter{Domain: guid, Member: q.Get("member"), From: q.Get("from"), To: q.Get("to")}
	if name := q.Get("type"); name != "" {
		kind, err := spcm.ParseStatType(name)
		if err != nil {
			return nil, &Error{Code: "invalid", Field: "type", Message: "there is no statistic of this type"}
		}
		filter.Type = &kind
	}
	days := []UsageDay{}
	for d := range h.Statistics.Days(filter) {
		member, _ := h.Directory.Member(d.Member) // there may be none
		days = append(days, UsageDay{
			Day: d.Day, Domain: d.Domain, Member: d.Member, MemberName: member.FullName, Account: d.Account,
			IdentityURL: d.IdentityURL, Type: d.Type.String(), Tool: d.Tool, Space: d.Space, SpaceName: d.SpaceName,
			Role: d.Role, Count: d.Count, Elapsed: d.Elapsed, Uses: d.Uses, Active: d.Active, Total: d.Total,
		})
	}
	return days, nil
}

func (h *handler) setStatisticsSettings(r *http.Request, q StatisticsSettings) (StatisticsSettings, error) {
	err := h.Statistics.SetSettings(r.Context(), statistics.Settings(q))
	return StatisticsSettings(h.Statistics.Settings()), err
}
