package roster

import (
	"bytes"
	"fmt"
	"testing"

	"furrow/gms/directory"
)

// roll is a file of so many members.
func roll(members int) []byte {
	var b bytes.Buffer
	b.WriteString("fullName,email,login,organization,city,phone,group\n")
	for i := range members {
		fmt.Fprintf(&b, "Member %d,m%d@example.com,m%d,Contoso,Köln,'+49 221 %d,Team %d\n", i, i, i, i, i%20)
	}
	return b.Bytes()
}

// BenchmarkImport imports ten thousand members.
func BenchmarkImport(b *testing.B) {
	const members = 10_000
	text := roll(members)
	for b.Loop() {
		b.StopTimer()
		f := newFixture(b)
		b.StartTimer()
		file, err := Read(bytes.NewReader(text), ReadOptions{Format: CSV})
		must(b, err)
		r, err := Import(b.Context(), f.Directory, file, ImportOptions{Domain: f.domain, CreateGroups: true})
		if err != nil || r.Created != members {
			b.Fatalf("%+v, %v", r.Problems, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*members), "µs/member")
}

// BenchmarkAdd adds members one after the other, to compare with.
func BenchmarkAdd(b *testing.B) {
	f := newFixture(b)
	i := 0
	for b.Loop() {
		name := fmt.Sprintf("m%d", i)
		_, err := f.CreateMember(b.Context(), f.domain, directory.MemberDetails{
			FullName: "Member " + name, Email: name + "@example.com", RemoteUser: name, Organization: "Contoso", City: "Köln",
		})
		must(b, err)
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/member")
}

// TestLargestFile reads as many members as a file may have, and imports some.
func TestLargestFile(t *testing.T) {
	file, err := Read(bytes.NewReader(roll(MaxMembers)), ReadOptions{Format: CSV})
	if err != nil || len(file.Records) != MaxMembers || file.Bad != 0 {
		t.Fatalf("%d records, %v", len(file.Records), err)
	}
	const imported = 2_000
	file.Records = file.Records[:imported]
	f := newFixture(t)
	r, err := Import(t.Context(), f.Directory, file, ImportOptions{Domain: f.domain, CreateGroups: true})
	if err != nil || r.Created != imported || len(r.Groups) != 20 || r.Bad != 0 {
		t.Errorf("created %d, groups %d, bad %d, %v", r.Created, len(r.Groups), r.Bad, err)
	}
}
