package client_test

import (
	"bytes"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/gms/audit"
	"furrow/gms/auditlog"
	"furrow/gms/client"
	"furrow/gms/directory"
	"furrow/gms/soap/spcm"
	"furrow/gms/statistics"
)

// joinedVia returns a member who has joined, its home and a client of it over a transport.
func (o *office) joinedVia(t *testing.T, transport http.RoundTripper) (directory.Member, *client.Home, *client.Profile, *client.Client) {
	t.Helper()
	member, code := o.member(t)
	home := openHome(t, filepath.Join(t.TempDir(), "home"))
	_, profile, err := o.join(t, home, code, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	return member, home, profile, o.clientOf(t, profile, transport)
}

func (o *office) clientOf(t *testing.T, profile *client.Profile, transport http.RoundTripper) *client.Client {
	t.Helper()
	server, err := client.Connect(t.Context(), &http.Client{Transport: transport}, o.url)
	if err != nil {
		t.Fatal(err)
	}
	return client.New(server, profile, time.Now)
}

// TestReporting has clients of one office report, each in its way.
func TestReporting(t *testing.T) {
	o := newOffice(t)
	for name, test := range map[string]func(*testing.T, *office){
		"audit log": testUploadAuditLog, "file": testUploadFile, "file that goes on": testUploadFileGoesOn,
		"statistics and failures": testReports,
	} {
		t.Run(name, func(t *testing.T) { test(t, o) })
	}
}

func testUploadAuditLog(t *testing.T, o *office) {
	member, home, profile, c := o.joinedVia(t, http.DefaultTransport)
	at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	long := strings.Repeat("text ", 1500)
	events := []auditlog.Event{{Time: at, Type: "file.open", Text: "Plan A"}}
	for range 400 { // so much that it becomes two logs of several fragments
		events = append(events, auditlog.Event{Time: at, Type: "file.save", Text: long})
	}
	if sequence, err := c.UploadAuditLog(t.Context(), events); err != nil || sequence != 1 {
		t.Fatalf("sequence %d, %v", sequence, err)
	}
	// The device keeps its key, in its home.
	if err := home.Save(profile); err != nil {
		t.Fatal(err)
	}
	again, err := home.Load()
	if err != nil {
		t.Fatal(err)
	}
	c = o.clientOf(t, again, http.DefaultTransport)
	if sequence, err := c.UploadAuditLog(t.Context(), events[:1]); err != nil || sequence != 2 {
		t.Fatalf("sequence %d, %v", sequence, err)
	}
	if sequence, err := c.UploadAuditLog(t.Context(), nil); err != nil || sequence != 2 {
		t.Errorf("nothing to upload: sequence %d, %v", sequence, err)
	}
	types := map[string]int{}
	for e, err := range o.audit.Events(audit.Filter{Member: member.GUID}) {
		if err != nil {
			t.Fatal(err)
		}
		types[e.Type]++
		if e.Type == "file.open" && (e.Text != "Plan A" || !e.Time.Equal(at)) {
			t.Errorf("event %+v", e)
		}
	}
	if types["session.begin"] != 2 || types["session.end"] != 2 || types["file.open"] != 2 || types["file.save"] != 400 {
		t.Errorf("events %v", types)
	}
	for _, l := range o.audit.Logs() {
		if !l.Verified || l.Undecrypted != 0 || l.Missing != 0 {
			t.Errorf("log %+v", l)
		}
	}

	// A device that has lost its key is not the device.
	stranger := *again
	stranger.AuditKey, err = auditlog.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.clientOf(t, &stranger, http.DefaultTransport).UploadAuditLog(t.Context(), events[:1]); err == nil || !strings.Contains(err.Error(), "did not take") {
		t.Errorf("with another key: %v", err)
	}
}

func testUploadFile(t *testing.T, o *office) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 50_000) // 800 KB: four fragments
	file := client.AuditFile{Title: "plan.dwg", URL: "file:///plan.dwg", Size: int64(len(content)), Content: bytes.NewReader(content)}
	var sent []int64
	file.Progress = func(n int64) { sent = append(sent, n) }
	// GMSConfig, query, then the fragments: the answer to the second is lost.
	_, home, profile, c := o.joinedVia(t, &cutter{at: 4})
	if _, _, err := c.UploadFile(t.Context(), file); !errors.Is(err, errCut) {
		t.Fatalf("cut connection: %v", err)
	}
	if err := home.Save(profile); err != nil {
		t.Fatal(err)
	}
	if profile, err := home.Load(); err != nil || len(profile.AuditFiles) != 1 {
		t.Fatalf("remembered %+v, %v", profile.AuditFiles, err)
	}
	// The server has the second fragment, so it refuses it the second time, and the client begins again.
	c = o.clientOf(t, profile, http.DefaultTransport)
	hash, before, err := c.UploadFile(t.Context(), file)
	if err != nil || before != spcm.FileNotPresent || len(profile.AuditFiles) != 0 {
		t.Fatalf("state %d before, %v", before, err)
	}
	fragment := int64(256 << 10)
	if want := []int64{fragment, fragment, 2 * fragment, 3 * fragment, file.Size}; !slices.Equal(sent, want) {
		t.Errorf("progress %d, want %d", sent, want)
	}
	kept, r, err := o.audit.OpenFile(o.domain.GUID, hash.String())
	if err != nil || kept.Title != "plan.dwg" || kept.Length != file.Size {
		t.Fatalf("file %+v, %v", kept, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, before, err := c.UploadFile(t.Context(), file); err != nil || before != spcm.FilePresent {
		t.Errorf("the same again: state %d, %v", before, err)
	}
	if _, _, err := c.UploadFile(t.Context(), client.AuditFile{}); !errors.Is(err, client.ErrFileSize) {
		t.Errorf("an empty file: %v", err)
	}
}

// stopper cuts the connection before one request, counted from 1, reaches the server.
type stopper struct{ at, count int }

func (r *stopper) RoundTrip(request *http.Request) (*http.Response, error) {
	if r.count++; r.count == r.at {
		return nil, errCut
	}
	return http.DefaultTransport.RoundTrip(request)
}

func testUploadFileGoesOn(t *testing.T, o *office) {
	content := bytes.Repeat([]byte("fedcba9876543210"), 50_000)
	var sent []int64
	file := client.AuditFile{Title: "plan.dwg", Size: int64(len(content)), Content: bytes.NewReader(content),
		Progress: func(n int64) { sent = append(sent, n) }}
	_, _, profile, c := o.joinedVia(t, &stopper{at: 5})
	if _, _, err := c.UploadFile(t.Context(), file); !errors.Is(err, errCut) {
		t.Fatalf("cut connection: %v", err)
	}
	if _, _, err := o.clientOf(t, profile, http.DefaultTransport).UploadFile(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	fragment := int64(256 << 10)
	if want := []int64{fragment, 2 * fragment, 3 * fragment, file.Size}; !slices.Equal(sent, want) {
		t.Errorf("progress %d, want %d: no fragment is sent twice", sent, want)
	}
}

func testReports(t *testing.T, o *office) {
	member, _, profile, c := o.joinedVia(t, http.DefaultTransport)
	stats := []spcm.Stat{{Type: spcm.StatToolTime, Long: 60, Long2: 1, String: "tool", String2: "space"}}
	for range 2 {
		if err := c.StatisticsPackage(t.Context(), &profile.User, stats); err != nil {
			t.Fatal(err)
		}
	}
	for d := range o.statistics.Days(statistics.Filter{Member: member.GUID}) {
		if d.Elapsed != 120 || d.Count != 2 || d.Tool != "tool" {
			t.Errorf("day %+v", d)
		}
	}
	if err := c.Failures(t.Context(), &profile.User, []spcm.FailureSubtype{spcm.FailureDeclined}); err != nil {
		t.Fatal(err)
	}
	if f := o.directory.Failures(""); len(f) != 1 || f[0].Failures[0].Subtype != spcm.FailureDeclined {
		t.Errorf("failures %+v", f)
	}
}

// TestMigrate moves a member to another domain, as an administrator wants it.
func TestMigrate(t *testing.T) {
	o := newOffice(t)
	other, err := o.directory.CreateDomain(t.Context(), "Branch", "")
	if err != nil {
		t.Fatal(err)
	}
	member, _, profile, c := o.joinedVia(t, http.DefaultTransport)
	newHome := openHome(t, filepath.Join(t.TempDir(), "new"))
	server, err := client.Connect(t.Context(), http.DefaultClient, o.url)
	if err != nil {
		t.Fatal(err)
	}
	options := client.JoinOptions{
		Server: server, Address: o.url, Code: "wrong", Home: newHome, DeviceName: "BOX", Now: time.Now,
		NewKeyPair: o.newKeyPair, Progress: func(client.Step) {},
	}
	if _, err := c.Migrate(t.Context(), options); !errors.Is(err, client.ErrNotMigrating) {
		t.Errorf("without the administrator: %v", err)
	}
	_, target, err := o.directory.MigrateToDomain(t.Context(), member.GUID, other.GUID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	if to := profile.MigrateTo(); to != o.url+"/gms.dll" {
		t.Errorf("to move to %q", to)
	}
	if _, err := c.Migrate(t.Context(), options); err == nil {
		t.Error("migrated with a wrong code")
	}
	if m, err := o.directory.Member(member.GUID); err != nil || m.Status != directory.Active || m.Migration.Failure == 0 {
		t.Errorf("after a failure: %+v, %v", m, err)
	}
	if options.Code, err = o.directory.ConfigurationCode(target.GUID); err != nil {
		t.Fatal(err)
	}
	joined, err := c.Migrate(t.Context(), options)
	if err != nil || joined.Domain.GUID != other.GUID || joined.MemberGUID != target.GUID {
		t.Fatalf("joined %+v, %v", joined, err)
	}
	m, err := o.directory.Member(member.GUID)
	if err != nil || m.Status != directory.Migrated || m.Migration.DomainName != "Branch" {
		t.Errorf("after success: %+v, %v", m, err)
	}
}
