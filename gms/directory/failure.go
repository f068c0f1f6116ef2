package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"furrow/appliance/state"
	"furrow/gms/soap/spcm"
)

// maxFailures bounds what is kept for one account: each of the four failures
// for a few devices. The ones that were reported last stay.
const maxFailures = 16

// Failure is what a client has failed to do for the management of its device
// (MS-GRVSPCM 3.2.5.2.6), how often and when.
type Failure struct {
	Subtype    spcm.FailureSubtype `json:"subtype"`
	Device     string              `json:"device"`     // GUID
	DeviceName string              `json:"deviceName"` // host name
	Count      int                 `json:"count"`
	First      time.Time           `json:"first"`
	Last       time.Time           `json:"last"`
}

// FailureReport is one report of an account.
type FailureReport struct {
	Domain      string
	Account     string
	IdentityURL string
	Device      string // GUID
	DeviceName  string
	Subtypes    []spcm.FailureSubtype
	// ID and Signed are the identifier and the created attribute of the event;
	// a report that is not newer than the last one of its account is a
	// recording.
	ID, Signed int32
}

// AccountFailures are the failures of an account, the last reported first.
type AccountFailures struct {
	Domain      string    `json:"domain"`
	Account     string    `json:"account"`
	IdentityURL string    `json:"identityURL"` // of the last report
	Failures    []Failure `json:"failures"`
}

type failureRow struct {
	AccountFailures
	ID     int32 `json:"id"`     // of the last report
	Signed int32 `json:"signed"` // of the last report
}

// ReportFailures records a report. One that was recorded before, or is older
// than the last, changes nothing.
func (d *Directory) ReportFailures(ctx context.Context, r FailureReport) error {
	if err := cmp.Or(
		checkText("deviceGUID", r.Device, maxClientGUID),
		checkText("deviceName", r.DeviceName, maxText),
		checkText("identityURL", r.IdentityURL, maxURL),
	); err != nil {
		return fmt.Errorf("recording failures: %w", err)
	}
	now := d.now().UTC()
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		if _, err := d.liveDomainAt(tx, r.Domain); err != nil {
			return err
		}
		if _, err := d.accountAt(tx, r.Domain, r.Account); err != nil {
			return err
		}
		row, known := d.t.failures.Get(tx, joinKey(r.Domain, r.Account))
		if known && (r.Signed < row.Signed || (r.Signed == row.Signed && r.ID == row.ID)) {
			return nil
		}
		row.Domain, row.Account, row.IdentityURL = r.Domain, r.Account, r.IdentityURL
		row.ID, row.Signed = r.ID, r.Signed
		row.Failures = slices.Clone(row.Failures)
		for _, subtype := range r.Subtypes {
			row.Failures = addFailure(row.Failures, subtype, &r, now)
		}
		return d.t.failures.Put(tx, row)
	})
	if err != nil {
		return fmt.Errorf("recording failures of account %q: %w", r.Account, err)
	}
	return nil
}

// addFailure counts a failure and puts it first.
func addFailure(list []Failure, subtype spcm.FailureSubtype, r *FailureReport, now time.Time) []Failure {
	added := Failure{Subtype: subtype, Device: r.Device, First: now}
	if i := slices.IndexFunc(list, func(f Failure) bool {
		return f.Subtype == subtype && f.Device == r.Device
	}); i >= 0 {
		added = list[i]
		list = slices.Delete(list, i, i+1)
	}
	added.DeviceName, added.Last = r.DeviceName, now
	added.Count++
	list = slices.Insert(list, 0, added)
	return list[:min(len(list), maxFailures)]
}

// Failures returns the failures of all accounts of a domain, or of all domains
// if it is empty, in order of domains and accounts.
func (d *Directory) Failures(domain string) []AccountFailures {
	from, to := "", ""
	if domain != "" {
		from, to = joinKey(domain, ""), domain+"\x01"
	}
	var all []AccountFailures
	for row := range d.t.failures.Range(d.store.Snapshot(), from, to) {
		all = append(all, row.AccountFailures)
	}
	return all
}
