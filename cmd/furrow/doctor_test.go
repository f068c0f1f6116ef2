package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"furrow/appliance/checkup"
	"furrow/web/api"
)

// TestDoctor examines a box that is well: every check that is about the box itself says so, and nothing is left behind.
func TestDoctor(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	serve(t, data, "127.0.0.1:0", "127.0.0.1:0", "--listen", "https=127.0.0.1:0")
	results, stderr, exit := examine(t, data)
	failed := false
	for _, r := range results {
		failed = failed || r.Outcome == checkup.Failed
		switch r.Check {
		case "disk-speed", "disk-space", "clock": // the machine's affair
		default:
			if r.Outcome != checkup.Well {
				t.Errorf("%s: %s: %s", r.Check, r.Outcome, r.Found)
			}
		}
	}
	if (exit != 0) != failed {
		t.Errorf("exit %d, %s", exit, stderr)
	}
	if left := must[[]api.Domain](t, "--data", data, "domain", "list", "--all"); len(left) != 0 {
		t.Errorf("left behind: %+v", left)
	}
	if relay := must[api.LocalRelay](t, "--data", data, "relay", "show"); relay.Waiting != 0 {
		t.Errorf("left behind at the relay: %+v", relay)
	}
}

// examine runs the doctor, whose findings come with every exit status.
func examine(t *testing.T, data string) (results []checkup.Finding, stderr string, exit int) {
	t.Helper()
	stdout, stderr, exit := furrow(t, "--data", data, "doctor", "--json")
	if err := json.Unmarshal([]byte(stdout), &results); err != nil {
		t.Fatalf("%v in %s: %s", err, stdout, stderr)
	}
	return results, stderr, exit
}

// TestDoctorFindsWhatIsWrong shows that a box that is not well is not called well.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	outcomes := func(t *testing.T, data string) map[string]checkup.Finding {
		results, stderr, exit := examine(t, data)
		if exit != 1 || !strings.Contains(stderr, "not well") {
			t.Errorf("exit %d, %s", exit, stderr)
		}
		byName := map[string]checkup.Finding{}
		for _, r := range results {
			byName[r.Check] = r
		}
		return byName
	}
	t.Run("no box", func(t *testing.T) {
		got := outcomes(t, t.TempDir())
		if r := got["box"]; r.Outcome != checkup.Failed || !strings.Contains(r.Remedy, "furrow serve") {
			t.Errorf("%+v", r)
		}
		if r := got["join"]; r.Outcome != checkup.NotTried {
			t.Errorf("%+v", r)
		}
	})
	t.Run("no relay", func(t *testing.T) {
		data := filepath.Join(t.TempDir(), "var")
		serve(t, data, "127.0.0.1:0", "")
		got := outcomes(t, data)
		if r := got["join"]; r.Outcome != checkup.Well {
			t.Errorf("%+v", r)
		}
		if r := got["register"]; r.Outcome != checkup.Failed || !strings.Contains(r.Remedy, "relay-set") {
			t.Errorf("%+v", r)
		}
		if r := got["way-sstp"]; r.Outcome != checkup.NotTried {
			t.Errorf("%+v", r)
		}
		if r := got["clean-up"]; r.Outcome != checkup.Well {
			t.Errorf("%+v", r)
		}
	})
}
