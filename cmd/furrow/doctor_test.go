package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"furrow/cmd/furrow/doctor"
	"furrow/web/api"
)

// TestDoctor examines a box that is well: every check that is about the box itself says so, and nothing is left behind.
func TestDoctor(t *testing.T) {
	data := filepath.Join(t.TempDir(), "var")
	serve(t, data, "127.0.0.1:0", "127.0.0.1:0", "--listen", "https=127.0.0.1:0")
	for _, r := range must[[]doctor.Result](t, "--data", data, "doctor") {
		switch r.Check {
		case "disk-speed", "disk-space", "clock": // the machine's affair
		default:
			if r.Outcome != doctor.Well {
				t.Errorf("%s: %s: %s", r.Check, r.Outcome, r.Found)
			}
		}
	}
	if left := must[[]api.Domain](t, "--data", data, "domain", "list", "--all"); len(left) != 0 {
		t.Errorf("left behind: %+v", left)
	}
	if relay := must[api.LocalRelay](t, "--data", data, "relay", "show"); relay.Waiting != 0 {
		t.Errorf("left behind at the relay: %+v", relay)
	}
}

// TestDoctorFindsWhatIsWrong shows that a box that is not well is not called well.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	outcomes := func(t *testing.T, data string) map[string]doctor.Result {
		stdout, stderr, exit := furrow(t, "--data", data, "doctor", "--json")
		if exit != 1 || !strings.Contains(stderr, "not well") {
			t.Errorf("exit %d, %s", exit, stderr)
		}
		var results []doctor.Result
		if err := json.Unmarshal([]byte(stdout), &results); err != nil {
			t.Fatalf("%v in %s", err, stdout)
		}
		byName := map[string]doctor.Result{}
		for _, r := range results {
			byName[r.Check] = r
		}
		return byName
	}
	t.Run("no box", func(t *testing.T) {
		got := outcomes(t, t.TempDir())
		if r := got["box"]; r.Outcome != doctor.Failed || !strings.Contains(r.Remedy, "furrow serve") {
			t.Errorf("%+v", r)
		}
		if r := got["join"]; r.Outcome != doctor.NotTried {
			t.Errorf("%+v", r)
		}
	})
	t.Run("no relay", func(t *testing.T) {
		data := filepath.Join(t.TempDir(), "var")
		serve(t, data, "127.0.0.1:0", "")
		got := outcomes(t, data)
		if r := got["join"]; r.Outcome != doctor.Well {
			t.Errorf("%+v", r)
		}
		if r := got["register"]; r.Outcome != doctor.Failed || !strings.Contains(r.Remedy, "relay-set") {
			t.Errorf("%+v", r)
		}
		if r := got["way-sstp"]; r.Outcome != doctor.NotTried {
			t.Errorf("%+v", r)
		}
		if r := got["clean-up"]; r.Outcome != doctor.Well {
			t.Errorf("%+v", r)
		}
	})
}
