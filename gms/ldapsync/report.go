package ldapsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"furrow/appliance/state"
)

const (
	// keptReports is how many reports of a source are kept.
	keptReports = 20
	// maxLines bounds the lines of a report: twenty of them stay in memory. Who wants to read more than that wants to
	// count them.
	maxLines = 1000
)

// Action is what a sync does to a member, or why it does nothing.
type Action string

const (
	// Add makes a member of an entry.
	Add Action = "add"
	// Merge makes a member that is there already that of an entry.
	Merge Action = "merge"
	// Update gives a member the values that its entry has now.
	Update Action = "update"
	// Disable locks a member out whose entry is gone or disabled.
	Disable Action = "disable"
	// Enable ends that.
	Enable Action = "enable"
	// Skip leaves an entry alone, for a reason.
	Skip Action = "skip"
	// Hold is anything that the safety stop held back.
	Hold Action = "hold"
)

// Line is one thing that a sync did, would do or left.
type Line struct {
	Action Action `json:"action"`
	Member string `json:"member,omitempty"` // GUID
	Name   string `json:"name,omitempty"`   // full name
	Entry  string `json:"entry,omitempty"`  // distinguished name, fit to print
	Reason string `json:"reason,omitempty"`
	// Fields are the details that change.
	Fields []string `json:"fields,omitempty"`
}

// Report is what came of a sync, or would come of it.
type Report struct {
	Source string `json:"source"`
	// ID sorts as the times do; empty for a preview.
	ID    string    `json:"id,omitempty"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// Scheduled says that nobody asked for the sync.
	Scheduled bool `json:"scheduled,omitempty"`
	// Entries is how many the directory server showed.
	Entries int `json:"entries"`
	// Counts has how often each action occurred.
	Counts map[Action]int `json:"counts"`
	// Lines say each, what needs attention first; LeftOut counts those that are not kept.
	Lines   []Line `json:"lines,omitempty"`
	LeftOut int    `json:"leftOut,omitempty"`
	// Stopped says why nothing was changed.
	Stopped string `json:"stopped,omitempty"`
	// Error says why the sync did not come to its end. What is counted was done.
	Error string `json:"error,omitempty"`
}

func (r *Report) add(lines ...Line) {
	for _, l := range lines {
		r.Counts[l.Action]++
		if len(r.Lines) >= maxLines {
			r.LeftOut++
			continue
		}
		r.Lines = append(r.Lines, l)
	}
}

// Reports returns the reports that are kept of a source, the newest first, without their lines.
func (y *Syncer) Reports(source string) ([]Report, error) {
	if _, err := y.Source(source); err != nil {
		return nil, err
	}
	reports := []Report{}
	for r := range y.Tables.reports.Range(y.Store.Snapshot(), below(source), beyond(source)) {
		r.Lines = nil
		reports = append([]Report{r}, reports...)
	}
	return reports, nil
}

// Report returns one report of a source; an empty ID is that of the newest one. It fails with ErrUnknown.
func (y *Syncer) Report(source, id string) (Report, error) {
	if id == "" {
		reports, err := y.Reports(source)
		if err != nil {
			return Report{}, err
		}
		if len(reports) > 0 {
			id = reports[0].ID
		}
	}
	r, ok := y.Tables.reports.Get(y.Store.Snapshot(), below(source)+id)
	if !ok {
		return Report{}, fmt.Errorf("report %.100q of LDAP source %.100q: %w", id, source, ErrUnknown)
	}
	return r, nil
}

// keep stores a report and removes the oldest ones. A source that is gone meanwhile has none.
func (y *Syncer) keep(ctx context.Context, r *Report) error {
	err := y.Store.Update(ctx, func(tx *state.Tx) error {
		if _, err := y.sourceAt(tx, r.Source); err != nil {
			return err
		}
		r.ID = fmt.Sprintf("%016x", tx.NextStamp(y.Now()).UnixMilli())
		if err := y.Tables.reports.Put(tx, *r); err != nil {
			return err
		}
		var ids []string
		for kept := range y.Tables.reports.Range(tx, below(r.Source), beyond(r.Source)) {
			ids = append(ids, kept.ID)
		}
		for _, id := range ids[:max(0, len(ids)-keptReports)] {
			y.Tables.reports.Delete(tx, below(r.Source)+id)
		}
		return nil
	})
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	return err
}
