package metrics

import (
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests counts HTTP requests and how long they took. It is safe for concurrent use.
type Requests struct {
	answered *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

// NewRequests returns one that has counted nothing.
func NewRequests() *Requests {
	return &Requests{
		answered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "http_requests_total",
			Help: "HTTP requests that were answered, by service, route and class of the status; aborted are those that broke off.",
		}, []string{"service", "route", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "http_request_duration_seconds", Buckets: prometheus.DefBuckets,
			Help: "How long HTTP requests took, but for the streams of live pages, which last as long as somebody looks.",
		}, []string{"service"}),
	}
}

// Describe implements [prometheus.Collector].
func (q *Requests) Describe(to chan<- *prometheus.Desc) {
	q.answered.Describe(to)
	q.took.Describe(to)
}

// Collect implements [prometheus.Collector].
func (q *Requests) Collect(to chan<- prometheus.Metric) {
	q.answered.Collect(to)
	q.took.Collect(to)
}

// Count has the requests of a service counted. Their routes are the patterns that handlers leave in the request, as
// http.ServeMux does: there are as many as the program has, whatever is asked.
func (q *Requests) Count(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, answer := time.Now(), &answer{ResponseWriter: w}
		code := "aborted"
		defer func() {
			route := r.Pattern
			if route == "" {
				route = "other"
			}
			q.answered.WithLabelValues(service, route, code).Inc()
			if kind, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type")); kind != "text/event-stream" {
				q.took.WithLabelValues(service).Observe(time.Since(began).Seconds())
			}
		}()
		next.ServeHTTP(answer, r)
		code = answer.class()
	})
}

// answer notes the status of an answer.
type answer struct {
	http.ResponseWriter
	status int // 0 until it is sent
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK { // those before it announce another
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// class is that of the status, such as 2xx.
func (a *answer) class() string {
	if a.status == 0 {
		return "2xx" // net/http sends 200 for a handler that says nothing
	}
	return strconv.Itoa(a.status/100) + "xx"
}
