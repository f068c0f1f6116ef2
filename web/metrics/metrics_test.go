package metrics_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"furrow/appliance/alert"
	"furrow/appliance/spool"
	"furrow/relay"
	"furrow/relay/presence"
	"furrow/relay/queue"
	"furrow/web/access"
	"furrow/web/boxtest"
	"furrow/web/metrics"
)

// busyRelay is a relay with something of everything.
type busyRelay struct {
	queues map[queue.Address]spool.Usage
}

func (busyRelay) Stats() relay.Stats {
	return relay.Stats{
		Connections: 7, Devices: 5, Relays: 1, MessagesReceived: 10, BytesReceived: 1000, MessagesSent: 8, BytesSent: 800,
		Forwarders: []relay.Route{{RelayURL: "grooveDNS://a", Down: "no route"}, {RelayURL: "grooveDNS://b"}},
		Queues:     queue.Stats{Messages: 6, Bytes: 600, Delivered: 4, Expired: 2, NoRoom: 3},
	}
}
func (busyRelay) Presence() presence.Stats                        { return presence.Stats{Online: 4, Subscriptions: 9} }
func (busyRelay) Spool() spool.Stats                              { return spool.Stats{Messages: 3, DiskBytes: 4096} }
func (busyRelay) Encapsulated() map[string]int                    { return map[string]int{"polling": 2, "long-lived": 1} }
func (r busyRelay) Queues() iter.Seq2[queue.Address, spool.Usage] { return maps.All(r.queues) }

// scrape is what a handler answers.
func scrape(t testing.TB, handler http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), metrics.ContentType) {
		t.Fatalf("%d, %v\n%s", w.Code, w.Header(), w.Body)
	}
	return w.Body.String()
}

// TestScrape finds every figure with its value, by names that Prometheus' own rules for them allow.
func TestScrape(t *testing.T) {
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	b := boxtest.New(t, func() time.Time { return now })
	b.AddMembers(t, 3)
	b.Seen = alert.Observations{alert.Disk: {{Value: 1}}}
	b.Alerts.Evaluate(t.Context())
	now = now.Add(time.Hour) // readings have to last
	b.Alerts.Evaluate(t.Context())
	box := b.Measured()
	box.Started = now
	box.Relay = busyRelay{map[queue.Address]spool.Usage{
		{Resource: "r1", Identity: "i"}:              {Messages: 1, Bytes: 10, Oldest: now},
		{Resource: "r2", Identity: "i"}:              {Messages: 2, Bytes: 20, Oldest: now.Add(-time.Hour)},
		{Resource: "r1", Identity: "i", Device: "d"}: {Messages: 1, Bytes: 50, Oldest: now},
	}}
	text := scrape(t, metrics.NewHandler(box, metrics.NewRequests()))
	for _, want := range []string{
		`furrow_build_info{version="test"} 1`,
		`furrow_start_timestamp_seconds 1.7734824e+09`,
		`furrow_state_recovery 0`,
		`furrow_domains 1`,
		`furrow_members{status="pending"} 3`,
		`furrow_members{status="active"} 0`,
		`furrow_alerts{alert="disk",level="critical"} 1`,
		`furrow_alerts{alert="disk",level="warning"} 0`,
		`furrow_alerts{alert="recovery",level="critical"} 0`,
		`furrow_admin_sessions 0`,
		`furrow_mail_waiting_messages 0`,
		`furrow_backup_planned 0`,
		`furrow_relay_connections{encapsulation="none"} 4`,
		`furrow_relay_connections{encapsulation="polling"} 2`,
		`furrow_relay_devices_online 4`,
		`furrow_relay_received_messages_total 10`,
		`furrow_relay_sent_bytes_total 800`,
		`furrow_relay_delivered_messages_total 4`,
		`furrow_relay_expired_messages_total 2`,
		`furrow_relay_refused_messages_total{reason="no_room"} 3`,
		`furrow_relay_routes 2`,
		`furrow_relay_routes_down 1`,
		`furrow_relay_queues{recipient="identity"} 2`,
		`furrow_relay_waiting_messages{recipient="identity"} 3`,
		`furrow_relay_waiting_bytes{recipient="device"} 50`,
		`furrow_relay_waiting_bytes{recipient="relay"} 0`,
		`furrow_relay_oldest_waiting_timestamp_seconds{recipient="identity"} 1.7734788e+09`,
		`furrow_spool_bytes 4096`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
	for _, name := range []string{
		"furrow_state_commits_total", "furrow_state_journal_bytes", "furrow_state_checkpoint_bytes", "furrow_disk_free_bytes",
		"furrow_disk_size_bytes", "furrow_tls_certificate_expiry_timestamp_seconds",
		"furrow_domain_certificate_expiry_timestamp_seconds", "go_goroutines", "process_resident_memory_bytes",
	} {
		if !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("there is no %s", name)
		}
	}
	for _, absent := range []string{
		"furrow_backup_last_success", "furrow_state_last_compaction_timestamp", // have not been
		"Member 0", "Office", "example.com", // what users have chosen
		`oldest_waiting_timestamp_seconds{recipient="relay"}`,
	} {
		if strings.Contains(text, absent) {
			t.Errorf("there is %s", absent)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	box.Relay, box.TLS = nil, nil
	if text := scrape(t, metrics.NewHandler(box, metrics.NewRequests())); strings.Contains(text, "furrow_relay") || strings.Contains(text, "furrow_tls") {
		t.Errorf("figures of what there is not:\n%s", text)
	}
}

// TestSessions counts those that have not ended.
func TestSessions(t *testing.T) {
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	b := boxtest.New(t, func() time.Time { return now })
	code, err := b.Access.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ann := access.NewAdministrator{Name: "ann", Password: "seven purple ploughs"}
	if _, err := b.Access.SetUp(t.Context(), code, ann, access.Visitor{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Access.SignIn(t.Context(), "ann", "seven purple ploughs", access.Visitor{}); err != nil {
		t.Fatal(err)
	}
	handler := metrics.NewHandler(b.Measured(), metrics.NewRequests())
	if text := scrape(t, handler); !strings.Contains(text, "furrow_admin_sessions 1\n") {
		t.Error("who has signed in is not counted")
	}
	now = now.AddDate(1, 0, 0)
	if text := scrape(t, handler); !strings.Contains(text, "furrow_admin_sessions 0\n") {
		t.Error("a session that is over is counted")
	}
}

func TestRequests(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /members/{guid}", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		if r.PathValue("guid") == "none" {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /half", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic(http.ErrAbortHandler)
	})
	requests := metrics.NewRequests()
	counted := requests.Count("https", mux)
	for _, path := range []string{"/members/1", "/members/2", "/members/none", "/live", "/half", "/members/", "/nowhere/at/all"} {
		func() {
			defer func() {
				if reason, _ := recover().(error); reason != nil && !errors.Is(reason, http.ErrAbortHandler) {
					t.Error(reason)
				}
			}()
			counted.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil))
		}()
	}
	b := boxtest.New(t, time.Now)
	text := scrape(t, metrics.NewHandler(b.Measured(), requests))
	for _, want := range []string{
		`furrow_http_requests_total{code="2xx",route="GET /members/{guid}",service="https"} 2`,
		`furrow_http_requests_total{code="4xx",route="GET /members/{guid}",service="https"} 1`,
		`furrow_http_requests_total{code="2xx",route="GET /live",service="https"} 1`,
		`furrow_http_requests_total{code="aborted",route="GET /half",service="https"} 1`,
		`furrow_http_requests_total{code="4xx",route="other",service="https"} 2`,
		`furrow_http_request_duration_seconds_count{service="https"} 6`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
}
