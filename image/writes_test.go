//go:build image

package image

import (
	"crypto/rand"
	"strconv"
	"testing"
	"time"
)

const (
	// idleTime is how long a box with nothing to do is watched; a day is reckoned from it.
	idleTime = 10 * time.Minute
	// delivered is what one member sends another, in octets.
	delivered = 8 << 20
)

// writesToDisk measures what wears flash memory out: what is written in an idle day, and for each megabyte that is
// delivered to somebody who was not there.
func writesToDisk(t *testing.T, m *machine) {
	written := func() int64 {
		octets, err := strconv.ParseInt(m.must("sync; awk '{ print $7 * 512 }' /sys/block/vda/stat"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return octets
	}
	before := written()
	time.Sleep(idleTime)
	idle := written() - before
	t.Logf("an idle day writes %d MB to the disk", idle*int64(24*time.Hour/idleTime)/1_000_000)

	content := make([]byte, delivered)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	before = written()
	m.send("Ann", "Bob", content)
	m.receive("Bob", content)
	t.Logf("each octet that is delivered writes %.2f to the disk", float64(written()-before)/delivered)
}
