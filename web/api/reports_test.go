package api

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/spool"
	"furrow/gms/directory"
	"furrow/gms/soap/spcm"
	"furrow/gms/statistics"
	"furrow/relay/queue"
	"furrow/web/access"
	"furrow/web/boxtest"
)

// fullRelay is a relay at which something waits.
type fullRelay struct {
	RelayBox
	queues map[queue.Address]spool.Usage
}

func (r fullRelay) Queues() iter.Seq2[queue.Address, spool.Usage] { return maps.All(r.queues) }

func (r fullRelay) Purge(_ context.Context, target string) (messages int, bytes int64, err error) {
	for a, usage := range r.queues {
		if a.Target() == target {
			messages, bytes = messages+usage.Messages, bytes+usage.Bytes
			delete(r.queues, a)
		}
	}
	return messages, bytes, nil
}

func TestReports(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	box := boxtest.New(t, clock)
	d, book := box.Directory, box.Statistics
	office, err := d.CreateDomain(t.Context(), "Office", "")
	ok(t, err)

	// Ann has an active account, Bo has not joined, and Cy was disabled.
	const account, identity = "annsaccount", "grooveIdentity://ann@"
	ann := newMember(t, d, office, "Ann")
	bo := newMember(t, d, office, "Bo")
	_, err = d.DisableMember(t.Context(), newMember(t, d, office, "Cy").GUID)
	ok(t, err)
	key, err := keys.GenerateSharedKey(keys.AccountKeySize)
	ok(t, err)
	set, err := keys.GenerateKeySet()
	ok(t, err)
	public := set.Signature.Public().DER()
	_, err = d.RegisterAccount(t.Context(), directory.Registration{Domain: office.GUID, Account: account, Key: key, SignatureKey: public, Signed: now.Unix()})
	ok(t, err)
	_, err = d.InstallIdentity(t.Context(), office.GUID, ann.GUID, account, identity)
	ok(t, err)
	_, err = d.EnrollByCode(t.Context(), ann.GUID, account, directory.Contact{
		URL: identity, Data: []byte("<c/>"), Security: []byte("<s/>"), SignatureKey: public,
	})
	ok(t, err)
	now = now.Add(50 * time.Hour)
	ok(t, d.TouchAccount(t.Context(), office.GUID, account))
	for i := range int32(2) {
		ok(t, book.Count(t.Context(), statistics.Package{
			Domain: office.GUID, Account: account, ID: i, Created: int32(now.Unix()) - i*86400,
			Stats: []spcm.Stat{{AccountGUID: account, IdentityURL: identity, Type: spcm.StatToolTime, String: "tool", String2: "space", Long: 60, Long2: 2}},
		}))
	}
	relay := fullRelay{queues: map[queue.Address]spool.Usage{
		{Resource: "r1", Identity: identity}:                 {Messages: 1, Bytes: 10, Oldest: now},
		{Resource: "r2", Identity: identity}:                 {Messages: 2, Bytes: 20, Oldest: now.Add(-time.Hour)},
		{Resource: "r1", Identity: identity, Device: "dpp:"}: {Messages: 1, Bytes: 50, Oldest: now},
		{Relay: "grooveDNS://elsewhere"}:                     {Messages: 9, Bytes: 40, Oldest: now},
	}}
	handler := NewHandler(Config{Directory: d, Store: box.Store, Statistics: book, Relay: relay, Now: clock, Log: box.Log})
	client := NewClientOf(handler, access.Actor{Name: "zoe", Role: access.Auditor})
	ctx := t.Context()

	members, err := client.MemberReport(ctx, ReportFilter{Domain: "office"})
	if err != nil || len(members) != 3 || members[0].FullName != "Ann" || members[1].Status != "disabled" || members[2].FullName != "Bo" {
		t.Errorf("members by status: %+v, %v", members, err)
	}
	if pending, err := client.MemberReport(ctx, ReportFilter{Status: "pending"}); err != nil || len(pending) != 1 || pending[0].Member != bo.GUID {
		t.Errorf("pending members: %+v, %v", pending, err)
	}
	contact, err := client.ContactReport(ctx, ReportFilter{})
	if err != nil || len(contact) != 3 || !contact[0].LastContact.IsZero() || contact[2].FullName != "Ann" || !contact[2].LastContact.Equal(now) {
		t.Errorf("contacts: %+v, %v", contact, err)
	}
	backups, err := client.BackupReport(ctx, ReportFilter{})
	if err != nil || len(backups) != 1 || backups[0].AgeHours != 50 || backups[0].IntervalHours != 24 || !backups[0].Stored.IsZero() {
		t.Errorf("backups: %+v, %v", backups, err)
	}
	for by, want := range map[string]UsageRecord{
		"member": {Name: "Ann", Key: ann.GUID, Days: 2, Count: 2, Elapsed: 120, Uses: 4},
		"space":  {Name: "space", Key: "space", Days: 2, Count: 2, Elapsed: 120, Uses: 4},
		"tool":   {Name: "tool", Key: "tool", Days: 2, Count: 2, Elapsed: 120, Uses: 4},
	} {
		if usage, err := client.UsageReport(ctx, ReportFilter{By: by}); err != nil || len(usage) != 1 || usage[0] != want {
			t.Errorf("usage by %s: %+v, %v; want %+v", by, usage, err, want)
		}
	}
	queues, err := client.QueueReport(ctx, ReportFilter{})
	if err != nil || len(queues) != 3 {
		t.Fatalf("queues: %+v, %v", queues, err)
	}
	if q := queues[0]; q.Kind != "device" || q.FullName != "Ann" || q.Bytes != 50 {
		t.Errorf("the device's queue: %+v", q)
	}
	if q := queues[1]; q.Kind != "relay" || q.FullName != "" || q.Target != "grooveDNS://elsewhere" {
		t.Errorf("the relay's queue: %+v", q)
	}
	if q := queues[2]; q.Kind != "identity" || q.Messages != 3 || q.Bytes != 30 || !q.Oldest.Equal(now.Add(-time.Hour)) {
		t.Errorf("the identity's queues: %+v", q)
	}
	if _, err := client.PurgeQueue(ctx, identity); !refusedAs(err, "forbidden") {
		t.Errorf("an auditor purges: %v", err)
	}
	dora := NewClientOf(handler, access.Actor{Name: "dora", Role: access.Domain})
	if purged, err := dora.PurgeQueue(ctx, identity); err != nil || purged != (QueuePurged{Messages: 3, Bytes: 30}) {
		t.Errorf("purged: %+v, %v", purged, err)
	}
	if _, err := dora.PurgeQueue(ctx, ""); !refusedAs(err, "invalid") {
		t.Errorf("nothing purged: %v", err)
	}
	if queues, err := client.QueueReport(ctx, ReportFilter{}); err != nil || len(queues) != 2 {
		t.Errorf("queues that are left: %+v, %v", queues, err)
	}
	if failures, err := client.FailureReport(ctx, ReportFilter{}); err != nil || len(failures) != 0 {
		t.Errorf("failures: %+v, %v", failures, err)
	}
	for path, want := range map[string]string{
		"usage?by=weather": "usage is by", "members?status=odd": "odd", "members?domain=none": "notFound", "queues?format=xml": "json or csv",
		"queues?format=csv": "50,1,2026-03-16T14:00:00Z,device,Ann,dpp:",
	} {
		recorder := httptest.NewRecorder()
		asked := access.WithActor(ctx, access.Actor{Name: "zoe", Role: access.Auditor})
		handler.ServeHTTP(recorder, httptest.NewRequestWithContext(asked, http.MethodGet, "/v1/reports/"+path, nil))
		if !strings.Contains(recorder.Body.String(), want) {
			t.Errorf("%s: %s, want %q", path, recorder.Body, want)
		}
	}
}

func newMember(t *testing.T, d *directory.Directory, domain directory.Domain, name string) directory.Member {
	t.Helper()
	m, err := d.CreateMember(t.Context(), domain.GUID, directory.MemberDetails{FullName: name, Email: "someone@example.com"})
	ok(t, err)
	return m
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
