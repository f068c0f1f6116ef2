package web

import (
	"net/http"
	"testing"
	"time"
)

// maxSlowdown is how much longer a list of 10,000 members may take than one of 100.
const maxSlowdown = 3

// BenchmarkLists renders every page that lists something, of an office with few members and of one with many.
func BenchmarkLists(b *testing.B) {
	few, many := officeOf(b, 100), officeOf(b, 10_000)
	for _, address := range []string{
		"/", "/members", "/members?sort=-created", "/members?q=member", "/members?page=2", "/domains", "/groups", "/devices",
		"/resets", "/policies", "/relay-sets", "/relays", "/queues", "/actions", "/audit", "/outbox",
	} {
		b.Run(address[1:], func(b *testing.B) {
			if times := slowdown(b, address, few, many); times > maxSlowdown {
				b.Errorf("%.1f times as long as with 100", times)
			}
		})
	}
}

// BenchmarkReports renders reports, which are about every member there is and take longer the more there are.
func BenchmarkReports(b *testing.B) {
	few, many := officeOf(b, 100), officeOf(b, 10_000)
	for _, address := range []string{"/reports/members", "/reports/contact", "/reports/backups"} {
		b.Run(address[1:], func(b *testing.B) { slowdown(b, address, few, many) })
	}
}

// slowdown is how much longer a page of one box takes than of another. The two are asked in turn, so that what else the
// machine does slows down both.
func slowdown(b *testing.B, address string, few, many *box) float64 {
	b.Helper()
	var took [2]time.Duration
	for b.Loop() {
		for i, box := range []*box{few, many} {
			began := time.Now()
			if w := box.do(http.MethodGet, address, nil); w.Code != http.StatusOK {
				b.Fatal(w.Code)
			}
			took[i] += time.Since(began)
		}
	}
	times := float64(took[1]) / float64(took[0])
	b.ReportMetric(times, "times")
	return times
}

// officeOf is a box with a relay and so many members.
func officeOf(b *testing.B, members int) *box {
	b.Helper()
	box := newRelayBox(b, online(0))
	box.setUp()
	box.AddMembers(b, members)
	return box
}
