package web

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"furrow/gms/directory"
)

// maxSlowdown is how much longer a list of 10,000 members may take than one of 100.
const maxSlowdown = 3

// BenchmarkMembers renders the first page of members, searched and not, of few and of many.
func BenchmarkMembers(b *testing.B) {
	for _, address := range []string{"/members", "/members?sort=-created", "/members?q=member"} {
		var few float64
		for _, size := range []int{100, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", address[1:], size), func(b *testing.B) {
				box := newBox(b)
				box.setUp()
				box.addMembers(size)
				for b.Loop() {
					if w := box.do(http.MethodGet, address, nil); w.Code != http.StatusOK {
						b.Fatal(w.Code)
					}
				}
				took := float64(b.Elapsed()) / float64(b.N)
				if size == 100 {
					few = took
					return
				}
				b.ReportMetric(took/few, "times")
				if took/few > maxSlowdown {
					b.Errorf("%.1f times as long as with 100", took/few)
				}
			})
		}
	}
}

// addMembers adds a domain with members.
func (b *box) addMembers(n int) {
	b.t.Helper()
	d, err := b.Directory.CreateDomain(context.Background(), "Office", "Contoso")
	if err != nil {
		b.t.Fatal(err)
	}
	for n > 0 {
		part := min(n, 2000) // a transaction has its limit
		err = b.Directory.ChangeMembers(context.Background(), func(batch directory.MemberBatch) error {
			for i := range part {
				name := fmt.Sprintf("Member %05d", n-i)
				details := directory.MemberDetails{FullName: name, Email: fmt.Sprintf("m%05d@example.com", n-i)}
				if _, err := batch.Create(d.GUID, details); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.t.Fatal(err)
		}
		n -= part
	}
}
