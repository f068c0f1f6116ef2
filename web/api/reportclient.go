package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// ReportFilter selects rows of a report. Empty fields select all; each report knows its own.
type ReportFilter struct {
	Domain   string // name or GUID
	Status   string // of members
	By       string // of usage: member, space or tool; of traffic: minute, hour or day
	From, To string // days of usage or traffic, both included, such as 2026-03-14
}

func (f ReportFilter) path(name string) string {
	q := url.Values{}
	for key, value := range map[string]string{"domain": f.Domain, "status": f.Status, "by": f.By, "from": f.From, "to": f.To} {
		if value != "" {
			q.Set(key, value)
		}
	}
	return "/v1/reports/" + name + "?" + q.Encode()
}

// MemberReport returns the members by status.
func (c *Client) MemberReport(ctx context.Context, f ReportFilter) ([]MemberRecord, error) {
	return call[[]MemberRecord](ctx, c, http.MethodGet, f.path("members"), nil)
}

// ContactReport returns when each member's client was last heard of, the one longest silent first.
func (c *Client) ContactReport(ctx context.Context, f ReportFilter) ([]ContactRecord, error) {
	return call[[]ContactRecord](ctx, c, http.MethodGet, f.path("contact"), nil)
}

// BackupReport returns the account backups of active members, the oldest first.
func (c *Client) BackupReport(ctx context.Context, f ReportFilter) ([]BackupRecord, error) {
	return call[[]BackupRecord](ctx, c, http.MethodGet, f.path("backups"), nil)
}

// UsageReport adds up the statistics by member, space or tool, the most used first.
func (c *Client) UsageReport(ctx context.Context, f ReportFilter) ([]UsageRecord, error) {
	return call[[]UsageRecord](ctx, c, http.MethodGet, f.path("usage"), nil)
}

// QueueReport returns who has how much waiting at the box's relay, the most first.
func (c *Client) QueueReport(ctx context.Context, f ReportFilter) ([]QueueRecord, error) {
	return call[[]QueueRecord](ctx, c, http.MethodGet, f.path("queues"), nil)
}

// FailureReport returns what clients have reported to have failed.
func (c *Client) FailureReport(ctx context.Context, f ReportFilter) ([]DeviceFailure, error) {
	return call[[]DeviceFailure](ctx, c, http.MethodGet, f.path("failures"), nil)
}

// TrafficReport returns what the box's relay has carried: in the last 60 minutes, the last 24 hours, or by days.
func (c *Client) TrafficReport(ctx context.Context, f ReportFilter) ([]TrafficRecord, error) {
	return call[[]TrafficRecord](ctx, c, http.MethodGet, f.path("traffic"), nil)
}

// ReportSheet returns a report as CSV, by the last part of its path.
func (c *Client) ReportSheet(ctx context.Context, name string, f ReportFilter) (io.ReadCloser, error) {
	return c.stream(ctx, f.path(name)+"&format=csv")
}
