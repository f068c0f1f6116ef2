package main

import (
	"path/filepath"
	"strings"
	"testing"

	"furrow/web/api"
)

// TestReportVerbs asks a box for reports and for what was done to it. What is in them is shown by the tests of package
// api and appliance.
func TestReportVerbs(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	must[api.Member](t, "--data", data, "member", "add", "--domain", "Office", "--full-name", "=Ann Smith", "--email", "ann@example.com")
	for report, want := range map[string]string{
		"members": "pending,'=Ann Smith,ann@example.com", "contact": ",'=Ann Smith,ann@example.com,pending", "backups": "stored,ageHours",
		"usage": "name,days", "queues": "bytes,messages", "failures": "last,first",
	} {
		if stdout, stderr, exit := furrow(t, "--data", data, "report", report, "--csv"); exit != 0 || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit %d, %s%s", report, exit, stdout, stderr)
		}
	}
	if rows := must[[]api.MemberRecord](t, "--data", data, "report", "members", "--status", "pending"); len(rows) != 1 {
		t.Errorf("%+v", rows)
	}
	if actions := must[[]api.ActionRecord](t, "--data", data, "actions", "--what", "member"); len(actions) != 1 || actions[0].Name != "=Ann Smith" {
		t.Errorf("%+v", actions)
	}
	if stdout, stderr, exit := furrow(t, "--data", data, "actions"); exit != 0 || strings.Count(stdout, "\n") != 3 {
		t.Errorf("exit %d, %s%s", exit, stdout, stderr)
	}
	if stdout, stderr, exit := furrow(t, "--data", data, "actions", "check"); exit != 0 || !strings.HasPrefix(stdout, "4 lines since ") {
		t.Errorf("exit %d, %s%s", exit, stdout, stderr)
	}
	settings := must[api.AlertSettings](t, "--data", data, "alert", "set", "--mail", "ann@example.com", "--threshold", "disk=1000/100", "--off", "clock")
	for _, r := range settings.Rules {
		if r.Off != (r.Kind == "clock") || r.Usual != (r.Kind != "disk") {
			t.Errorf("%+v", r)
		}
	}
	for args, want := range map[string]string{
		"alert": "nothing is wrong", "alert show": "but no mail server is set", "alert set --threshold weather=1/2": "is no kind of alert",
		"alert test": "1 of 1 ways did not work",
	} {
		stdout, stderr, _ := furrow(t, append([]string{"--data", data}, strings.Fields(args)...)...)
		if !strings.Contains(stdout+stderr, want) {
			t.Errorf("%s says %s%s; want %q", args, stdout, stderr, want)
		}
	}
}
