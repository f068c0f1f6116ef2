package roster

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"furrow/gms/directory"
	"furrow/gms/policy"
)

// BenchmarkOffice has a thousand people, and ten thousand, imported, listed, searched and given another policy, and
// reports for each step how many times longer the ten thousand took, for each of them: 1 is linear growth. Memory is what the heap holds more after the import.
func BenchmarkOffice(b *testing.B) {
	const small, large = 1_000, 10_000
	steps := []string{"import", "list", "search", "policy", "told"}
	took := map[int]map[string]time.Duration{small: {}, large: {}}
	heap := map[int]uint64{}
	for b.Loop() {
		for _, members := range []int{small, large} {
			office, used := newOffice(b, members)
			heap[members] += used
			for name, d := range office.day(b) {
				took[members][name] += d
			}
		}
	}
	for _, name := range steps {
		growth := float64(took[large][name]) / float64(took[small][name])
		b.ReportMetric(growth/(large/small), name+"-growth/member")
		b.ReportMetric(float64(took[large][name].Microseconds())/1000/float64(b.N), name+"-ms/10000")
	}
	b.ReportMetric(float64(heap[large])/float64(heap[small])/(large/small), "heap-growth/member")
	b.ReportMetric(float64(heap[large])/float64(b.N)/large, "heap-B/member")
	b.ReportMetric(0, "ns/op")
}

// office is a domain with members from a file.
type office struct {
	*fixture
	members  int
	imported time.Duration
}

func newOffice(b *testing.B, members int) (*office, uint64) {
	b.Helper()
	text := roll(members)
	o := &office{fixture: newFixture(b), members: members}
	before := heapInUse()
	start := time.Now()
	file, err := Read(bytes.NewReader(text), ReadOptions{Format: CSV})
	must(b, err)
	r, err := Import(b.Context(), o.Directory, file, ImportOptions{Domain: o.domain, CreateGroups: true})
	if err != nil || r.Created != members {
		b.Fatalf("%+v, %v", r.Problems, err)
	}
	o.imported = time.Since(start)
	return o, max(heapInUse(), before) - before
}

// heapInUse is what the heap holds when nothing more can be given back.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// day is what an administrator does with the office, and how long each step took.
func (o *office) day(b *testing.B) map[string]time.Duration {
	b.Helper()
	took := map[string]time.Duration{"import": o.imported}
	step := func(name string, do func()) {
		start := time.Now()
		do()
		took[name] = time.Since(start)
	}
	const often = 10 // short steps, of which one alone would mostly show who else was at work
	var all []directory.Member
	step("list", func() {
		for range often {
			all = o.Members(directory.MemberFilter{Domain: o.domain})
		}
	})
	if len(all) != o.members {
		b.Fatalf("%d members listed", len(all))
	}
	step("search", func() {
		text := fmt.Sprintf("MEMBER %d", o.members-1)
		for range often {
			if found := o.Members(directory.MemberFilter{Domain: o.domain, Text: text}); len(found) != 1 {
				b.Fatalf("%d members found", len(found))
			}
		}
	})
	templates, err := o.Templates(o.domain)
	must(b, err)
	step("policy", func() {
		_, err := o.ChangeTemplate(b.Context(), templates[0].GUID, "", []policy.Value{{Key: "identity.lockVCard", Value: "on"}})
		must(b, err)
	})
	// Each hundredth member's client asks what is new, so that growth shows the price for one of them too.
	step("told", func() {
		for i := 0; i < len(all); i += 100 {
			objects, err := o.MemberObjects(all[i].GUID, nil)
			if err != nil || len(objects) < 2 {
				b.Fatalf("%d objects, %v", len(objects), err)
			}
		}
	})
	return took
}
