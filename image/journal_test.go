//go:build image

package image

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// journalFields wants the box's records in the journal with their levels and details as fields.
func journalFields(t *testing.T, m *machine) {
	found := map[string]int{}
	for line := range strings.Lines(m.must("journalctl -q -b -u furrow -t furrow _TRANSPORT=journal -n 100 -o json --no-pager | cat")) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		found["priority "+fmt.Sprint(entry["PRIORITY"])]++
		for field := range entry {
			if strings.HasPrefix(field, "FURROW_") {
				found["details"]++
				break
			}
		}
	}
	if found["priority 6"] == 0 || found["details"] == 0 || found["priority <nil>"] != 0 {
		t.Errorf("the journal has %v", found)
	}
	// What has a detail is found by it.
	relay := m.must("journalctl -q -b -u furrow -F FURROW_RELAY | head -n 1")
	if relay == "" {
		t.Fatal("no record is about a relay")
	}
	if lines := m.must("journalctl -q -b -u furrow FURROW_RELAY=" + relay + " -o cat --no-pager | cat"); !strings.Contains(lines, relay) {
		t.Errorf("about relay %s: %q", relay, lines)
	}
}
