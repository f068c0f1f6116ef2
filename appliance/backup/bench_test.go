package backup

import (
	"bytes"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkTraffic measures how many messages a second the spool takes from several senders while backups are made one
// after the other, and how many without, in turns. The ratio is the finding.
func BenchmarkTraffic(b *testing.B) {
	const senders, turn = 8, 300 * time.Millisecond
	box := openBox(b, b.TempDir())
	defer box.close(b)
	for i := range 200 {
		if _, err := box.send("ann", random(uint64(i), 100_000)); err != nil {
			b.Fatal(err)
		}
	}
	message := bytes.Repeat([]byte("m"), 1000)
	var sent [2]int64
	var backups, octets atomic.Int64
	for b.Loop() {
		for during := range sent {
			var count atomic.Int64
			stop := make(chan struct{})
			var busy sync.WaitGroup
			over := func() bool {
				select {
				case <-stop:
					return true
				default:
					return false
				}
			}
			for range senders {
				busy.Go(func() {
					for !over() {
						p, err := box.send("bob", message)
						if err != nil {
							b.Error(err)
							return
						}
						box.spool.Ack("bob", p)
						count.Add(1)
					}
				})
			}
			if during == 1 {
				busy.Go(func() {
					for !over() {
						m, err := box.source().Write(b.Context(), io.Discard, password, nil)
						if err != nil {
							b.Error(err)
							return
						}
						backups.Add(1)
						octets.Add(m.Size())
					}
				})
			}
			time.Sleep(turn)
			close(stop)
			busy.Wait()
			sent[during] += count.Load()
			if err := box.spool.Maintain(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(sent[1])/float64(sent[0]), "ratio")
	b.ReportMetric(float64(octets.Load())/(float64(b.N)*turn.Seconds())/1e6, "MB-backed-up/s")
	b.ReportMetric(float64(runtime.NumCPU()), "CPUs")
}
