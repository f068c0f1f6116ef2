package service

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap/spcm"
)

// BenchmarkCreateAccount measures CreateAccount through the handler, with its
// durable commit, and reports how many times longer it takes than the one RSA
// private-key operation in it, run in parallel in the same way. Both have as
// many callers as an office that starts work in the morning: those who wait for
// the disk leave the processors to the others.
func BenchmarkCreateAccount(b *testing.B) {
	const callersPerProcessor = 32
	box := newBox(b)
	box.server.log = productionLog()
	requests := make([]*http.Request, b.N)
	for i := range requests {
		a := box.account(b, fmt.Sprintf("n%dx", i), aliceKey(), false)
		requests[i] = httptest.NewRequest(http.MethodPost, pathServices, bytes.NewReader(a.createRequest(b)))
	}
	decryption := testKeys()[1]
	ciphertext, err := decryption.Public().Encrypt(make([]byte, keys.AccountKeySize))
	must(b, err)

	b.SetParallelism(callersPerProcessor)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := decryption.DecryptSharedKey(ciphertext, keys.AccountKeySize); err != nil {
				b.Error(err)
			}
		}
	})
	bare := b.Elapsed()

	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w := &discard{header: http.Header{}}
			box.server.ServeHTTP(w, requests[next.Add(1)-1])
		}
	})
	b.ReportMetric(float64(b.Elapsed())/float64(bare), "x-RSA")
	b.StopTimer()
	want := Count{Service: spcm.ServiceCreateAccount, Requests: uint64(b.N)}
	if got := box.server.Counts(); len(got) != 1 || got[0] != want {
		b.Fatalf("counts are %v", got)
	}
}

// BenchmarkManagedObjectStatus measures a status request that has nothing new,
// and reports how many times longer it takes than a handler that reads the same
// body and parses it with etree: over loopback HTTP with connections kept, and
// without HTTP.
func BenchmarkManagedObjectStatus(b *testing.B) {
	box := newBox(b)
	box.server.log = productionLog()
	_, alice := box.active(b, "alice", aliceKey())
	held := heldOf(box.objects(b, alice), box.clock().Add(time.Hour).UnixMilli())
	for i := len(held); i < 8; i++ { // of another domain's trust, say
		held = append(held, spcm.InstalledObject{
			ID: keys.NewConfigurationCode(), IssuedTime: box.clock().UnixMilli(), Name: held[0].Name,
		})
	}
	body := alice.request(b, spcm.ServiceManagedObjectStatus, alice.status(held...).Encode())
	if r := box.succeed(b, spcm.ServiceManagedObjectStatus, body); r.Payload != nil {
		b.Fatal("there is something new")
	}
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = etree.NewDocument().ReadFromBytes(text)
		}
		if err != nil {
			b.Error(err)
		}
	})

	b.Run("HTTP", func(b *testing.B) {
		web := httptest.NewServer(bare)
		defer web.Close()
		var client http.Client
		ask := func(url string) {
			r, err := client.Post(url, "text/xml", bytes.NewReader(body))
			must(b, err)
			_, err = io.Copy(io.Discard, r.Body)
			must(b, err)
			must(b, r.Body.Close())
		}
		compare(b, func() { ask(web.URL) }, func() { ask(box.url + pathServices) })
	})
	b.Run("handler", func(b *testing.B) {
		ask := func(h http.Handler) {
			r := httptest.NewRequest(http.MethodPost, pathServices, bytes.NewReader(body))
			h.ServeHTTP(&discard{header: http.Header{}}, r)
		}
		compare(b, func() { ask(bare) }, func() { ask(box.server) })
	})
}

// productionLog formats what a server logs by default, and no more.
func productionLog() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// compare runs both b.N times, in turns, so that what disturbs one disturbs the
// other, and reports the time of the second as a multiple of the first's.
func compare(b *testing.B, bare, full func()) {
	var times [2]time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		bare()
		times[0] += time.Since(start)
		start = time.Now()
		full()
		times[1] += time.Since(start)
	}
	b.ReportMetric(float64(times[1])/float64(times[0]), "x-bare")
	b.ReportMetric(float64(times[1].Microseconds())/float64(b.N), "µs/request")
}

// discard is the cheapest ResponseWriter.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
