package api

import (
	"context"
	"net/http"

	"furrow/appliance/checkup"
	"furrow/web/access"
)

func (h *handler) examinationRoutes() []Route {
	last := func(*http.Request) (checkup.Report, error) { return h.Checkup.Last(), nil }
	return []Route{
		{
			Method: "GET", Path: "/v1/examination", Role: access.Server,
			Summary: "What the examination of the box has found, the one that goes on or the last", action: answer(h, last),
		},
		{
			Method: "POST", Path: "/v1/examination", Role: access.Server,
			Summary: "Have the box examined as its users meet it, without waiting for the end",
			action: answer(h, func(r *http.Request) (checkup.Report, error) {
				if err := h.Checkup.Start(); err != nil {
					return checkup.Report{}, err
				}
				return last(r)
			}),
		},
	}
}

// Examination returns what the examination of the box has found, the one that goes on or the last.
func (c *Client) Examination(ctx context.Context) (checkup.Report, error) {
	return call[checkup.Report](ctx, c, http.MethodGet, "/v1/examination", nil)
}

// Examine has the box examined and does not wait for the end.
func (c *Client) Examine(ctx context.Context) (checkup.Report, error) {
	return call[checkup.Report](ctx, c, http.MethodPost, "/v1/examination", nil)
}
