package statistics

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"furrow/appliance/state"
	"furrow/gms/soap/spcm"
)

const (
	// window is how old a report may be: a month of holidays.
	window = 31 * 24 * time.Hour

	// maxReports bounds the reports that are remembered: those of some hundred
	// clients that report every few hours. maxOfAccount bounds those of one:
	// one that reports each hour of the month.
	maxReports   = 100_000
	maxOfAccount = 1_000
)

// Report is a report that was counted.
type Report struct {
	Domain   string    `json:"domain"`
	Account  string    `json:"account"`
	Digest   string    `json:"digest"`
	Received time.Time `json:"received"`
	Made     time.Time `json:"made"` // by the client's clock
	// Blob has the statistics as they came, while they are kept.
	Blob string `json:"blob,omitempty"`
}

func (r Report) key() string { return joinKey(r.Domain, r.Account, r.Digest) }

// forgettable is when the report would be refused if it came again.
func (r Report) forgettable(now time.Time) bool {
	return now.Sub(r.Received) > window && now.Sub(r.Made) > window
}

// Package is what a report brings, and who has sent it.
type Package struct {
	Domain  string
	Account string // of the Event
	// ID and Created are those of the Event.
	ID, Created int32
	Stats       []spcm.Stat
}

func (p *Package) digest() (string, []byte, error) {
	raw, err := json.Marshal(p.Stats)
	if err != nil {
		return "", nil, fmt.Errorf("encoding statistics: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d %d ", p.Created, p.ID)
	h.Write(raw)
	return hex.EncodeToString(h.Sum(nil)), raw, nil
}

// Count counts a report, once (MS-GRVSPCM 3.2.5.3.5). It fails with ErrOutdated
// or ErrFull.
func (b *Book) Count(ctx context.Context, p Package) error {
	digest, raw, err := p.digest()
	if err != nil {
		return err
	}
	now, made := b.now().UTC(), time.Unix(int64(p.Created), 0).UTC()
	if now.Sub(made).Abs() > window {
		return fmt.Errorf("counting statistics of account %q: %w: %v", p.Account, ErrOutdated, made)
	}
	row := Report{Domain: p.Domain, Account: p.Account, Digest: digest, Received: now, Made: made}
	if _, known := b.t.reports.Get(b.store.Snapshot(), row.key()); known {
		return nil
	}
	if b.Settings().RawDays > 0 {
		row.Blob = rand.Text()
		if err := b.blobs.Put(row.Blob, raw); err != nil {
			return fmt.Errorf("counting statistics: %w", storageError(err))
		}
	}
	counted := false
	days := b.dailies(p, made.Format(dayLayout))
	err = b.store.Update(ctx, func(tx *state.Tx) error {
		if _, known := b.t.reports.Get(tx, row.key()); known { // the same came meanwhile
			return nil
		}
		if b.t.reports.Len(tx) >= maxReports || b.ofAccount(tx, p.Domain, p.Account) >= maxOfAccount {
			return fmt.Errorf("%w: too many reports", ErrFull)
		}
		for _, d := range days {
			if err := b.count(tx, d); err != nil {
				return err
			}
		}
		counted = true
		return b.t.reports.Put(tx, row)
	})
	if err != nil || !counted {
		b.drop(row.Blob)
	}
	if err != nil {
		return fmt.Errorf("counting statistics of account %q: %w", p.Account, storageError(err))
	}
	return nil
}

// ofAccount counts the reports of an account that are remembered.
func (b *Book) ofAccount(tx *state.Tx, domain, account string) (n int) {
	for range b.t.reports.Range(tx, joinKey(domain, account, ""), joinKey(domain, account)+"\x01") {
		n++
	}
	return n
}

// dailies returns what a report adds to a day.
func (b *Book) dailies(p Package, day string) []Daily {
	days := make([]Daily, 0, len(p.Stats))
	for i := range p.Stats {
		d := newDaily(p.Domain, day, &p.Stats[i])
		if d.Account == p.Account {
			if m, err := b.directory.MemberByIdentity(p.Domain, d.Account, d.IdentityURL); err == nil {
				d.Member = m.GUID
			}
		}
		days = append(days, d)
	}
	return days
}

// Raw returns the statistics of a report as they came, nil if they are not kept
// any more.
func (b *Book) Raw(r Report) (stats []spcm.Stat, err error) {
	if r.Blob == "" {
		return nil, nil
	}
	reader, err := b.blobs.Open(r.Blob)
	if err != nil {
		return nil, fmt.Errorf("reading statistics: %w", err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	raw, err := io.ReadAll(reader)
	if err == nil {
		err = json.Unmarshal(raw, &stats)
	}
	if err != nil {
		return nil, fmt.Errorf("reading statistics: %w", err)
	}
	return stats, nil
}

// Reports returns the reports that are remembered, in order of domains and
// accounts.
func (b *Book) Reports() []Report {
	var reports []Report
	for r := range b.t.reports.All(b.store.Snapshot()) {
		reports = append(reports, r)
	}
	return reports
}
