package metrics_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"furrow/appliance/spool"
	"furrow/relay/queue"
	"furrow/web/boxtest"
	"furrow/web/metrics"
)

const (
	// maxSlowdown is how much longer a scrape of an office of 10,000 may take than of one of 100.
	maxSlowdown = 3
	// maxScrape is what a scrape may take with something waiting for each of 10,000: Prometheus asks every 15 s, so that
	// this is a hundredth of a processor.
	maxScrape = 150 * time.Millisecond
)

// BenchmarkScrape scrapes an office with few members and one with many.
func BenchmarkScrape(b *testing.B) {
	few, many := handlerOf(b, 100, 0), handlerOf(b, 10_000, 0)
	if times := slowdown(b, few, many); times > maxSlowdown {
		b.Errorf("%.1f times as long as with 100", times)
	}
}

// BenchmarkScrapeWaiting has something wait for every member; the queues are gone through.
func BenchmarkScrapeWaiting(b *testing.B) {
	few, many := handlerOf(b, 0, 100), handlerOf(b, 0, 10_000)
	slowdown(b, few, many)
	if took := b.Elapsed() / time.Duration(b.N); took > maxScrape {
		b.Errorf("%v for both", took)
	}
}

// slowdown is how much longer one box takes than another. The two are asked in turn, so that what else the machine does
// slows down both.
func slowdown(b *testing.B, few, many http.Handler) float64 {
	b.Helper()
	var took [2]time.Duration
	for b.Loop() {
		for i, handler := range []http.Handler{few, many} {
			began := time.Now()
			scrape(b, handler)
			took[i] += time.Since(began)
		}
	}
	times := float64(took[1]) / float64(took[0])
	b.ReportMetric(times, "times")
	return times
}

func handlerOf(b *testing.B, members, waiting int) http.Handler {
	parts := boxtest.New(b, time.Now)
	parts.AddMembers(b, members)
	box, busy := parts.Measured(), busyRelay{map[queue.Address]spool.Usage{}}
	for i := range waiting {
		address := queue.Address{Resource: "r", Identity: fmt.Sprintf("grooveIdentity://%032d@", i)}
		busy.queues[address] = spool.Usage{Messages: 1, Bytes: 100, Oldest: time.Now()}
	}
	box.Relay = busy
	return metrics.NewHandler(box, metrics.NewRequests())
}
