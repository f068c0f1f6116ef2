//go:build integration

package host

import (
	"os/exec"
	"testing"
)

// TestIntegrationUnitIsHardened has systemd itself judge the unit: 0.0 is shut off, 10.0 is root without limits.
func TestIntegrationUnitIsHardened(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20",
		"../../systemd/furrow.service").CombinedOutput()
	if err != nil {
		t.Fatalf("exposure of 2.0 or more: %v\n%s", err, out)
	}
}
