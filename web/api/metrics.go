package api

import (
	"context"
	"io"
	"net/http"

	"furrow/web/access"
	"furrow/web/metrics"
)

const metricsPath = "/v1/metrics"

func (h *handler) metricsRoutes() []Route {
	return []Route{{
		Method: "GET", Path: metricsPath, Role: access.Metrics,
		Summary: "The figures of the box in the text format of Prometheus",
		action:  stream(metrics.ContentType, func(w http.ResponseWriter, r *http.Request) { h.Metrics.ServeHTTP(w, r) }),
	}}
}

// Metrics returns the figures of the box in the text format of Prometheus, which the caller closes.
func (c *Client) Metrics(ctx context.Context) (io.ReadCloser, error) {
	return c.stream(ctx, metricsPath)
}
