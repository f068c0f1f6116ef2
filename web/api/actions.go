package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"furrow/appliance/actionlog"
	"furrow/web/access"
)

// ActionRecord is what somebody has done, and what came of it.
type ActionRecord actionlog.Entry

// Heading implements [Record].
func (ActionRecord) Heading() []string {
	return []string{"time", "who", "outcome", "action", "name", "target", "asked", "changes", "reason", "origin", "address", "role", "what", "sequence"}
}

// Values implements [Record].
func (a ActionRecord) Values() []string {
	changes := ""
	for i, c := range a.Changes {
		if i > 0 {
			changes += ", "
		}
		changes += c.Field + ": " + string(c.Before) + " -> " + string(c.After)
	}
	return []string{
		moment(a.Time), a.Who, string(a.Outcome), a.Summary, a.Name, a.Target, string(a.Asked), changes, a.Reason, a.Origin, a.Address,
		a.Role, a.What, strconv.FormatUint(a.Sequence, 10),
	}
}

// ActionFilter selects actions. Empty fields select all.
type ActionFilter struct {
	Since, Until time.Time // from the one on, before the other
	Who          string
	// What is a part of what was done, Target one of what it was done to, its name or its address.
	What, Target string
	// Before is a sequence: only actions with a lower one, to go on where a page has ended.
	Before uint64
	// Limit is how many actions, the newest; 0: as many as a page may have.
	Limit int
}

// ActionSettings say how long actions are kept, in days; 0 is for ever.
type ActionSettings struct {
	Days int `json:"days"`
}

func (h *handler) actionRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/actions", Role: access.Auditor,
			Query:   []string{"since", "until", "who", "what", "target", "before", "limit", "format"},
			Summary: "Who has changed what, the newest first", action: report(h, h.actions),
		},
		{
			Method: "GET", Path: "/v1/actions/check", Role: access.Auditor,
			Summary: "Whether the action log is whole",
			action:  answer(h, func(*http.Request) (actionlog.Report, error) { return h.Actions.Check() }),
		},
		{
			Method: "GET", Path: "/v1/actions/settings", Role: access.Auditor, Summary: "How long actions are kept",
			action: answer(h, func(*http.Request) (ActionSettings, error) { return ActionSettings(h.Actions.Settings()), nil }),
		},
		{
			Method: "PUT", Path: "/v1/actions/settings", Role: access.Server, Summary: "Change how long actions are kept",
			action: ask(h, func(r *http.Request, q ActionSettings) (ActionSettings, error) {
				return q, h.Actions.SetSettings(r.Context(), actionlog.Settings(q))
			}),
		},
	}
}

func (h *handler) actions(r *http.Request) ([]ActionRecord, error) {
	q := r.URL.Query()
	f := actionlog.Filter{Who: q.Get("who"), What: q.Get("what"), Target: q.Get("target")}
	for name, to := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		var err error
		if s := q.Get(name); s != "" {
			if *to, err = time.Parse(time.RFC3339, s); err != nil {
				return nil, &Error{Code: "invalid", Field: name, Message: name + " is not a time such as 2026-03-14T15:09:26Z"}
			}
		}
	}
	if s := q.Get("before"); s != "" {
		var err error
		if f.Before, err = strconv.ParseUint(s, 10, 64); err != nil {
			return nil, &Error{Code: "invalid", Field: "before", Message: "before is not the sequence of an action"}
		}
	}
	if s := q.Get("limit"); s != "" {
		var err error
		if f.Limit, err = strconv.Atoi(s); err != nil || f.Limit < 0 {
			return nil, &Error{Code: "invalid", Field: "limit", Message: "limit is not a number of actions"}
		}
	}
	entries, err := h.Actions.Entries(f)
	if err != nil {
		return nil, err
	}
	rows := make([]ActionRecord, len(entries))
	for i, e := range entries {
		rows[i] = ActionRecord(e)
	}
	return rows, nil
}

// Actions returns who has changed what, the newest first.
func (c *Client) Actions(ctx context.Context, f ActionFilter) ([]ActionRecord, error) {
	q := url.Values{}
	for name, value := range map[string]string{"who": f.Who, "what": f.What, "target": f.Target, "since": moment(f.Since), "until": moment(f.Until)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Before > 0 {
		q.Set("before", strconv.FormatUint(f.Before, 10))
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return call[[]ActionRecord](ctx, c, http.MethodGet, "/v1/actions?"+q.Encode(), nil)
}

// CheckActions reads the whole action log and looks whether it was changed.
func (c *Client) CheckActions(ctx context.Context) (actionlog.Report, error) {
	return call[actionlog.Report](ctx, c, http.MethodGet, "/v1/actions/check", nil)
}

// ActionSettings returns how long actions are kept.
func (c *Client) ActionSettings(ctx context.Context) (ActionSettings, error) {
	return call[ActionSettings](ctx, c, http.MethodGet, "/v1/actions/settings", nil)
}

// SetActionSettings changes ActionSettings.
func (c *Client) SetActionSettings(ctx context.Context, s ActionSettings) (ActionSettings, error) {
	return call[ActionSettings](ctx, c, http.MethodPut, "/v1/actions/settings", s)
}
