package main

import (
	"path/filepath"
	"testing"
	"time"

	"furrow/web/api"
)

// TestBoxExaminesItself has the running box do what the doctor does, and finds that in what it has logged.
func TestBoxExaminesItself(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	serve(t, data, "127.0.0.1:0", "127.0.0.1:0", "--listen", "https=127.0.0.1:0")
	client := api.NewClient(data)
	defer client.Close()
	report, err := client.Examine(t.Context())
	for end := time.Now().Add(2 * time.Minute); err == nil && report.Running(); report, err = client.Examination(t.Context()) {
		if time.Now().After(end) {
			t.Fatalf("no end: %+v", report)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil || report.Problem != "" || len(report.Findings) < 15 {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, f := range report.Findings {
		switch f.Check {
		case "disk-speed", "disk-space", "clock": // the machine's affair
		default:
			if f.Outcome != "well" {
				t.Errorf("%s: %s: %s", f.Check, f.Outcome, f.Found)
			}
		}
	}
	if deleted, err := client.RecentLog(t.Context(), api.LogFilter{Text: "domain deleted"}); err != nil || len(deleted) != 1 {
		t.Errorf("the log has %+v, %v", deleted, err)
	}
}
