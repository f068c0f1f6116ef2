package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"furrow/web/api"
)

// TestAudit is the README's way through auditing: a client uploads events and a file, reports its use and what failed,
// and moves to another domain; the administrator sees it all, also after a kill.
func TestAudit(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	ann := joinAs(t, b, data, "Office", "ann")

	events := writeFile(t, `{"type":"file.open","text":"Plan A.dwg","time":"2026-03-14T15:09:26Z"}
{"type":"file.save","text":"=HYPERLINK(\"http://evil\")","time":"2026-03-15T08:00:00Z"}
`)
	if got := must[map[string]int](t, "client", "audit-upload", "--home", ann.home, events); got["events"] != 2 || got["sequence"] != 0 {
		t.Errorf("uploaded %v", got)
	}
	list := must[[]api.AuditEvent](t, "--data", data, "audit", "list", "--member", ann.member, "--type", "file.open", "--since", "2026-03-14", "--until", "2026-03-15T00:00:00Z")
	if len(list) != 1 || list[0].Text != "Plan A.dwg" || list[0].MemberName != "ann" || !list[0].Verified {
		t.Fatalf("events %+v", list)
	}
	if newest := must[[]api.AuditEvent](t, "--data", data, "audit", "list", "--limit", "2"); len(newest) != 2 || newest[0].Kind != "end" {
		t.Errorf("newest events %+v", newest)
	}
	if devices := must[[]api.AuditDevice](t, "--data", data, "audit", "devices"); len(devices) != 1 || !devices[0].Locked || devices[0].Device != list[0].Device {
		t.Errorf("devices %+v", devices)
	}

	b.kill(t)
	serve(t, data, strings.TrimPrefix(b.address, "http://"), "127.0.0.1:0")
	lines, _, exit := furrow(t, "--data", data, "audit", "export", "--text", "plan")
	if exit != 0 || strings.Count(lines, "\n") != 1 || !strings.Contains(lines, `"text":"Plan A.dwg"`) {
		t.Errorf("exported %q", lines)
	}
	sheet := filepath.Join(t.TempDir(), "events.csv")
	must[map[string]any](t, "--data", data, "audit", "export", "--format", "csv", "--out", sheet)
	written, err := os.ReadFile(sheet)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(written)).ReadAll()
	if err != nil || len(rows) != 5 || rows[3][7] != `'=HYPERLINK("http://evil")` || rows[2][0] != "2026-03-14T15:09:26Z" {
		t.Errorf("CSV %q, %v", rows, err)
	}
	if _, _, exit := furrow(t, "--data", data, "audit", "export", "--out", sheet); exit != 1 {
		t.Error("an export has replaced a file")
	}

	drawing := filepath.Join(t.TempDir(), "plan.dwg")
	content := bytes.Repeat([]byte("drawing\n"), 100_000)
	if err := os.WriteFile(drawing, content, 0o600); err != nil {
		t.Fatal(err)
	}
	uploaded := must[map[string]string](t, "client", "file-upload", "--home", ann.home, drawing)
	if uploaded["state"] != "uploaded" {
		t.Errorf("uploaded %v", uploaded)
	}
	if again := must[map[string]string](t, "client", "file-upload", "--home", ann.home, drawing); again["state"] != "already there" {
		t.Errorf("uploaded again %v", again)
	}
	files := must[[]api.AuditFile](t, "--data", data, "audit", "files", "--domain", "office")
	if len(files) != 1 || files[0].Title != "plan.dwg" || files[0].Hash != uploaded["hash"] {
		t.Fatalf("files %+v", files)
	}
	back := filepath.Join(t.TempDir(), "back.dwg")
	must[map[string]any](t, "--data", data, "audit", "file", "Office", uploaded["hash"], "--out", back)
	if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file came back otherwise: %v", err)
	}
	if _, stderr, exit := furrow(t, "--data", data, "audit", "file", "Office", "0123", "--out", back+"2"); exit != 1 || !strings.Contains(stderr, "not found") {
		t.Errorf("a file that is not there: %d, %s", exit, stderr)
	}
	if got := must[api.AuditSettings](t, "--data", data, "audit", "settings", "--log-days", "30"); got != (api.AuditSettings{LogDays: 30, FileDays: 365}) {
		t.Errorf("settings %+v", got)
	}
	if _, _, exit := furrow(t, "--data", data, "audit", "settings", "--file-days=-1"); exit != 1 {
		t.Error("negative days were taken")
	}
	reportUse(t, data, ann)
	moveTo(t, data, ann)
}

func reportUse(t *testing.T, data string, ann person) {
	t.Helper()
	stats := writeFile(t, `{"type":"toolTime","string":"grooveTool://sketch","string2":"grooveTelespace://a","long":60,"long2":2}`)
	must[map[string]int](t, "client", "statistics", "--home", ann.home, stats)
	usage := must[[]api.UsageDay](t, "--data", data, "statistics", "list", "--type", "toolTime", "--member", ann.member)
	if len(usage) != 1 || usage[0].Elapsed != 60 || usage[0].Uses != 2 || usage[0].Tool != "grooveTool://sketch" || usage[0].MemberName != "ann" {
		t.Errorf("usage %+v", usage)
	}
	if got := must[api.StatisticsSettings](t, "--data", data, "statistics", "settings", "--raw-days", "0"); got != (api.StatisticsSettings{RawDays: 0, Days: 400}) {
		t.Errorf("settings %+v", got)
	}
	must[map[string]int](t, "client", "report-failure", "--home", ann.home, "5", "6")
	failures := must[[]api.DeviceFailure](t, "--data", data, "member", "failures")
	if len(failures) != 2 || failures[0].Member != ann.member || failures[0].Description == "" {
		t.Errorf("failures %+v", failures)
	}
	if _, stderr, exit := furrow(t, "client", "report-failure", "--home", ann.home, "4"); exit != 1 || !strings.Contains(stderr, "204") {
		t.Errorf("a failure that is not published: %d, %s", exit, stderr)
	}
}

func moveTo(t *testing.T, data string, ann person) {
	t.Helper()
	must[api.Domain](t, "--data", data, "domain", "create", "Branch")
	moving := must[api.Member](t, "--data", data, "member", "migrate", ann.member, "--to", "Branch")
	if moving.MigrationServer == "" || moving.MigrationMember == "" {
		t.Fatalf("migrating %+v", moving)
	}
	if stays := must[api.Member](t, "--data", data, "member", "migrate", ann.member, "--cancel"); stays.MigrationServer != "" {
		t.Errorf("cancelled %+v", stays)
	}
	moving = must[api.Member](t, "--data", data, "member", "migrate", ann.member, "--to", "Branch")
	target := must[api.Member](t, "--data", data, "member", "show", moving.MigrationMember)
	if stdout, _, _ := furrow(t, "client", "update", "--home", ann.home); !strings.Contains(stdout, "is to move to "+moving.MigrationServer) {
		t.Errorf("update says %q", stdout)
	}
	moved := must[map[string]string](t, "client", "migrate", "--home", ann.home, "--new-home", filepath.Join(t.TempDir(), "new"), "--code", target.ConfigurationCode)
	if moved["domain"] != "Branch" || moved["member"] != target.GUID {
		t.Errorf("moved %v", moved)
	}
	if m := must[api.Member](t, "--data", data, "member", "show", ann.member); m.Status != "migrated" || m.MigratedDomain != "Branch" {
		t.Errorf("old member %+v", m)
	}
	if _, _, exit := furrow(t, "client", "migration-status", "--home", ann.home, "--domain", "Branch"); exit != 0 {
		t.Error("the same report again is refused")
	}
}
