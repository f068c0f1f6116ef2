package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/soap/spcm"
)

// registered returns the GUID of an account that CreateAccount has made.
func (f *fixture) registered(t failer, domain Domain, guid string) string {
	t.Helper()
	_, err := f.RegisterAccount(context.Background(), Registration{
		Domain: domain.GUID, Account: guid, Key: keys.CodeKey("code"), SignatureKey: testSets()[0].Signature.Public().DER(),
	})
	must(t, err)
	return guid
}

func TestReportFailures(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	account := f.registered(t, domain, "account")
	report := FailureReport{
		Domain: domain.GUID, Account: account, IdentityURL: "grooveIdentity://a@", Device: "device", DeviceName: "FABRIKAM",
		Subtypes: []spcm.FailureSubtype{spcm.FailurePolicies, spcm.FailureDeclined}, ID: 1, Signed: 100,
	}
	first := f.now
	must(t, f.ReportFailures(t.Context(), report))
	before := f.store.Snapshot().Sequence()
	must(t, f.ReportFailures(t.Context(), report)) // again
	older := report
	older.ID, older.Signed = 2, 99
	must(t, f.ReportFailures(t.Context(), older))
	if after := f.store.Snapshot().Sequence(); after != before {
		t.Errorf("a recording made %d changes", after-before)
	}

	f.now = f.now.Add(time.Hour)
	report.ID, report.Signed, report.DeviceName = 3, 101, "CONTOSO"
	report.Subtypes = report.Subtypes[:1]
	must(t, f.ReportFailures(t.Context(), report))
	f.reopen(t)
	all := f.Failures(domain.GUID)
	if len(all) != 1 || all[0].Account != account || all[0].IdentityURL != report.IdentityURL {
		t.Fatalf("failures %+v", all)
	}
	want := fmt.Sprint([]Failure{
		{spcm.FailurePolicies, "device", "CONTOSO", 2, first, first.Add(time.Hour)},
		{spcm.FailureDeclined, "device", "FABRIKAM", 1, first, first},
	})
	if got := fmt.Sprint(all[0].Failures); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	// What is kept is bounded, whatever the client calls its devices.
	for i := range 3 * maxFailures {
		report.Signed++
		report.Device = fmt.Sprint("device", i)
		must(t, f.ReportFailures(t.Context(), report))
	}
	kept := f.Failures("")[0].Failures
	if len(kept) != maxFailures || kept[0].Device != report.Device {
		t.Errorf("%d failures kept, the last of %s", len(kept), kept[0].Device)
	}
	if other := f.domain(t, "Fabrikam"); len(f.Failures(other.GUID)) != 0 {
		t.Error("failures in another domain")
	}
}

func TestReportFailuresRefuses(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	account := f.registered(t, domain, "account")
	for name, c := range map[string]struct {
		report FailureReport
		want   error
	}{
		"no domain":   {FailureReport{Domain: "nowhere", Account: account}, ErrDomainNotFound},
		"no account":  {FailureReport{Domain: domain.GUID, Account: "nobody"}, ErrAccountNotFound},
		"long device": {FailureReport{Domain: domain.GUID, Account: account, Device: strings.Repeat("x", 200)}, ErrInvalid},
		"long name":   {FailureReport{Domain: domain.GUID, Account: account, DeviceName: strings.Repeat("x", 300)}, ErrInvalid},
	} {
		if err := f.ReportFailures(t.Context(), c.report); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
