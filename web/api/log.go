package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"furrow/appliance/recentlog"
	"furrow/web/access"
)

// LogFilter selects records of the log. Empty fields select all.
type LogFilter struct {
	// Level is debug, info, warn or error: only records of this level or a higher one.
	Level string
	// Text is a part of the record, in letters of either case.
	Text string
	// Limit is how many records, the newest; 0: all that are kept.
	Limit int
}

func (h *handler) logRoutes() []Route {
	return []Route{{
		Method: "GET", Path: "/v1/log", Role: access.Server, Query: []string{"level", "text", "limit"},
		Summary: "What the box has logged lately, the newest first", action: answer(h, h.recentLog),
	}}
}

func (h *handler) recentLog(r *http.Request) ([]recentlog.Record, error) {
	q := r.URL.Query()
	lowest, err := recentlog.ParseLevel(q.Get("level"))
	if err != nil {
		return nil, &Error{Code: "invalid", Field: "level", Message: "level: " + err.Error()}
	}
	limit := 0
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 0 {
			return nil, &Error{Code: "invalid", Field: "limit", Message: "limit is not a number of records"}
		}
	}
	wanted := strings.ToLower(q.Get("text"))
	records := h.RecentLog.Records(func(record recentlog.Record) bool {
		return record.Level >= lowest && strings.Contains(strings.ToLower(record.Text()), wanted)
	})
	if limit > 0 {
		records = records[:min(limit, len(records))]
	}
	return append([]recentlog.Record{}, records...), nil // an empty list in JSON, not null
}

// RecentLog returns what the box has logged lately, the newest first.
func (c *Client) RecentLog(ctx context.Context, f LogFilter) ([]recentlog.Record, error) {
	q := url.Values{}
	for name, value := range map[string]string{"level": f.Level, "text": f.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return call[[]recentlog.Record](ctx, c, http.MethodGet, "/v1/log?"+q.Encode(), nil)
}
