package spool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const benchWriters = 64

// BenchmarkAppend commits bodies from 64 writers and, turn by turn on the same
// disk, writes the same octets to one file in three plain ways. Each ratio is
// the spool's best throughput divided by that way's best:
//
//	/each: one write and one flush per body
//	/group: one write per body, one flush per 64 bodies
//	/once: one write per body, one flush per turn, of 1024 or 256 bodies
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ size, perWriter int }{{4 << 10, 16}, {1 << 20, 4}} {
		b.Run(fmt.Sprintf("%dKiB", c.size>>10), func(b *testing.B) {
			data := body(1, c.size)
			count := c.perWriter * benchWriters
			s := open(b, Options{Dir: filepath.Join(b.TempDir(), "spool")})
			spooled, each, group, once := best(0), best(0), best(0), best(0)
			for b.Loop() {
				spooled.note(benchSpool(b, s, data, c.perWriter))
				each.note(plain(b, data, count/16, 1) * 16)
				group.note(plain(b, data, count, benchWriters))
				once.note(plain(b, data, count, count))
			}
			for unit, way := range map[string]best{"each": each, "group": group, "once": once} {
				b.ReportMetric(float64(way)/float64(spooled), "ratio/"+unit)
			}
			b.ReportMetric(float64(count*c.size)/time.Duration(spooled).Seconds()/1e6, "MB/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// best is the shortest of several times, the one least disturbed by others on
// the machine; 0 before the first.
type best time.Duration

func (t *best) note(d time.Duration) {
	if *t == 0 || d < time.Duration(*t) {
		*t = best(d)
	}
}

// benchSpool commits perWriter bodies from each writer, and takes them out of
// the spool outside of the time that it returns.
func benchSpool(b *testing.B, s *Spool, data []byte, perWriter int) time.Duration {
	var writers sync.WaitGroup
	start := time.Now()
	for range benchWriters {
		writers.Go(func() {
			for range perWriter {
				if _, err := tryPut(s, to("recipient"), data); err != nil {
					b.Error(err)
				}
			}
		})
	}
	writers.Wait()
	took := time.Since(start)
	s.Purge("recipient")
	if err := s.Maintain(context.Background()); err != nil {
		b.Fatal(err)
	}
	return took
}

// plain appends count copies of data to a file with one flush per every.
func plain(b *testing.B, data []byte, count, every int) time.Duration {
	name := filepath.Join(b.TempDir(), "plain")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for i := range count {
		if _, err := f.Write(data); err != nil {
			b.Fatal(err)
		}
		if (i+1)%every == 0 || i+1 == count {
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	}
	took := time.Since(start)
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		b.Fatal(err)
	}
	return took
}

// BenchmarkFanout stores one body for 500 recipients. disk/body is what it
// takes on disk, by the body's length; ratio is its time by that of the same
// body for one recipient.
func BenchmarkFanout(b *testing.B) {
	data := body(1, 1<<20)
	var keys []string
	for i := range 500 {
		keys = append(keys, fmt.Sprintf("grooveAccount://%024d;dpp://device%024d;grooveDynamics", i, i))
	}
	run := func(e Envelope) (time.Duration, int64) {
		s := open(b, Options{Dir: filepath.Join(b.TempDir(), "spool")})
		start := time.Now()
		for range b.N {
			if _, err := tryPut(s, e, data); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start), s.Stats().DiskBytes
	}
	one, _ := run(to(keys[0]))
	all, disk := run(to(keys...))
	b.ReportMetric(float64(disk)/float64(b.N)/float64(len(data)), "disk/body")
	b.ReportMetric(all.Seconds()/one.Seconds(), "ratio")
}

// BenchmarkOpen rebuilds the queues of 10,000 small messages.
func BenchmarkOpen(b *testing.B) {
	o := Options{Dir: filepath.Join(b.TempDir(), "spool")}
	s, _, err := Open(o)
	if err != nil {
		b.Fatal(err)
	}
	var writers sync.WaitGroup
	for i := range benchWriters {
		writers.Go(func() {
			for range 10_000 / benchWriters {
				if _, err := tryPut(s, to(fmt.Sprint(i), "all"), body(1, 4<<10)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if err := s.Maintain(context.Background()); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, _, err := Open(o)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
