// Package metrics is the box in the text format that Prometheus reads.
//
// Figures that the parts of the box keep are read from them at each scrape (box.go, relay.go); the package itself counts
// only requests (requests.go). A scrape costs the same for an office of 10,000 as for one of 100, but for what waits at
// the relay, whose queues are gone through. No label has a value that a user of the box has chosen: labels are kinds,
// levels and routes.
//
// The handler asks nobody who they are. The administration interface, which has it as one of its routes, does.
package metrics

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ContentType is of what the handler answers, without its parameters.
const ContentType = "text/plain"

// maxScrapes is how many may be answered at once: one Prometheus asks again only after it was answered.
const maxScrapes = 4

// NewHandler returns what answers a scrape. Requests are those that are counted besides.
func NewHandler(b Box, requests *Requests) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		boxCollector{b}, requests,
	)
	if b.Relay != nil {
		registry.MustRegister(relayCollector{b.Relay})
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(b.Log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes, DisableCompression: true, // the registry's text is small, a box's processor smaller
	})
}
