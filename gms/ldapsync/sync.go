package ldapsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"furrow/gms/directory"
)

// batchSize is how many members change in one transaction. Other writers wait for it, some milliseconds on a small box.
const batchSize = 50

// errSettingsChanged ends a sync whose source is not any more what it was begun with.
var errSettingsChanged = errors.New("the settings of the source were changed during the sync")

// Test reads all people of a source and returns how many there are, and some of their names.
func (y *Syncer) Test(ctx context.Context, name string) (count int, some []string, err error) {
	source, _, err := y.account(name)
	if err != nil {
		return 0, nil, err
	}
	entries, err := y.Search(ctx, source)
	if err != nil {
		return 0, nil, err
	}
	const names = 5
	for _, e := range entries[:min(len(entries), names)] {
		some = append(some, show(e.DN))
	}
	return len(entries), some, nil
}

// Preview returns the report of a sync that would be done now, and does nothing. What keeps the directory server's list
// from being read is an error.
func (y *Syncer) Preview(ctx context.Context, name string, force bool) (Report, error) {
	source, _, err := y.account(name)
	if err != nil {
		return Report{}, err
	}
	r := y.newReport(name)
	planned, err := y.plan(ctx, &source, force, &r)
	if err != nil {
		return Report{}, err
	}
	for _, c := range planned.changes {
		r.add(c.Line)
	}
	r.Ended = y.Now().UTC()
	return r, nil
}

func (y *Syncer) newReport(source string) Report {
	return Report{Source: source, Began: y.Now().UTC(), Counts: map[Action]int{}}
}

// Sync makes the members of a source's domain what the directory server has. With force the safety stop does not hold.
// The report is kept, also that of a sync that failed, whose Error says why. It fails with ErrUnknown or ErrBusy, or when
// the report cannot be kept.
func (y *Syncer) Sync(ctx context.Context, name string, force bool) (Report, error) {
	return y.sync(ctx, name, force, false)
}

func (y *Syncer) sync(ctx context.Context, name string, force, scheduled bool) (Report, error) {
	select {
	case y.turn <- struct{}{}:
		defer func() { <-y.turn }()
	default:
		return Report{}, ErrBusy
	}
	source, stamp, err := y.account(name)
	if err != nil {
		return Report{}, err
	}
	r := y.newReport(name)
	r.Scheduled = scheduled
	planned, err := y.plan(ctx, &source, force, &r)
	if err == nil {
		err = y.apply(ctx, &source, stamp, planned, &r)
	}
	if err != nil {
		r.Error = err.Error()
	}
	r.Ended = y.Now().UTC()
	y.log(ctx, &r)
	// What was done stays done when whoever asked has gone.
	if err := y.keep(context.WithoutCancel(ctx), &r); err != nil {
		return Report{}, fmt.Errorf("keeping the report on LDAP source %s: %w", name, err)
	}
	return r, nil
}

// plan reads the directory server and says what is to be done. What is not goes into the report at once, so that it is
// not what is left out of a long one.
func (y *Syncer) plan(ctx context.Context, source *Source, force bool, r *Report) (plan, error) {
	entries, err := y.Search(ctx, *source)
	if err != nil {
		return plan{}, err
	}
	if len(entries) > maxEntries {
		return plan{}, fmt.Errorf("the directory server shows more than %d people; the filter is too wide", maxEntries)
	}
	view := y.Store.Snapshot()
	links := slices.Collect(y.Tables.links.All(view))
	planned := newPlan(source, y.Directory.Members(directory.MemberFilter{}), links, entries, force)
	r.Entries, r.Stopped = len(entries), planned.stopped
	r.add(planned.skipped...)
	return planned, nil
}

// apply does what was planned, some members at a time.
func (y *Syncer) apply(ctx context.Context, source *Source, stamp int64, planned plan, r *Report) error {
	defer func() {
		if y.Changed != nil && r.changed() {
			y.Changed()
		}
	}()
	for chunk := range slices.Chunk(planned.clear, batchSize) {
		err := y.change(ctx, source, stamp, func(b directory.MemberBatch) error {
			for _, l := range chunk {
				if err := y.Tables.links.Put(b.Tx(), l); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(planned.changes, batchSize) {
		var lines []Line
		err := y.change(ctx, source, stamp, func(b directory.MemberBatch) error {
			lines = nil
			for _, c := range chunk {
				line, err := y.applyOne(b, source, c)
				if err != nil {
					return err
				}
				lines = append(lines, line)
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.add(lines...)
	}
	return nil
}

// change runs one transaction of a sync.
func (y *Syncer) change(ctx context.Context, source *Source, stamp int64, fn func(directory.MemberBatch) error) error {
	return y.Directory.ChangeMembers(ctx, func(b directory.MemberBatch) error {
		if row, ok := y.Tables.sources.Get(b.Tx(), source.Name); !ok || row.Stamp != stamp {
			return errSettingsChanged
		}
		return fn(b)
	})
}

// applyOne does one thing and says what it did. An administrator may have changed the member since the plan was made:
// what the directory refuses then is skipped.
func (y *Syncer) applyOne(b directory.MemberBatch, source *Source, c change) (Line, error) {
	if c.Action == Hold {
		return c.Line, nil
	}
	m, err := y.changeMember(b, source, c)
	if refused(err) {
		c.Line.Action, c.Line.Reason = Skip, err.Error()
		return c.Line, nil
	}
	if err != nil {
		return Line{}, err
	}
	c.link.Member, c.Line.Member = m.GUID, m.GUID
	if c.drop != "" {
		y.Tables.links.Delete(b.Tx(), below(source.Name)+c.drop)
	}
	return c.Line, y.Tables.links.Put(b.Tx(), c.link)
}

func (y *Syncer) changeMember(b directory.MemberBatch, source *Source, c change) (directory.Member, error) {
	switch c.Action {
	case Add:
		details, _, err := c.person.details()
		if err != nil {
			return directory.Member{}, err
		}
		details.Group = source.Group
		return b.Create(source.Domain, details)
	case Disable:
		return b.Disable(c.Line.Member)
	case Enable:
		return b.Enable(c.Line.Member)
	}
	return b.Update(c.Line.Member, func(d *directory.MemberDetails) {
		c.person.onto(d, c.given)
		if c.Action == Merge {
			d.Group = cmp.Or(d.Group, source.Group)
		}
	})
}

// refused reports whether an error concerns one member, and the others can go on.
func refused(err error) bool {
	for _, kind := range []error{
		directory.ErrInvalid, directory.ErrStatus, directory.ErrLoginTaken, directory.ErrMemberNotFound,
		directory.ErrTemplateNotFound, directory.ErrRelaySetNotFound, directory.ErrGroupNotFound,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// changed reports whether the sync has changed members.
func (r *Report) changed() bool {
	for _, a := range []Action{Add, Merge, Update, Disable, Enable} {
		if r.Counts[a] > 0 {
			return true
		}
	}
	return false
}

func (y *Syncer) log(ctx context.Context, r *Report) {
	log := y.Log.With("source", r.Source, "entries", r.Entries, "counts", r.Counts)
	switch {
	case r.Error != "" && ctx.Err() == nil:
		log.Error("LDAP sync failed", "error", r.Error)
	case r.Stopped != "":
		log.Warn("LDAP sync changed nothing", "reason", r.Stopped)
	default:
		log.Info("LDAP sync", "error", r.Error)
	}
}
