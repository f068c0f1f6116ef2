package plan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"furrow/appliance/backup/target"
	"furrow/appliance/state"
)

// Outcome is what came of the last backups for the target.
type Outcome struct {
	// Tried is when the last one ended, either way.
	Tried time.Time `json:"tried,omitzero"`
	// Error is why it failed; empty if it did not.
	Error string `json:"error,omitempty"`
	// Failures is how many failed since the last success.
	Failures int `json:"failures,omitempty"`
	// Succeeded is when the last one that did not fail ended, Name and Size what it is at the target.
	Succeeded time.Time `json:"succeeded,omitzero"`
	Name      string    `json:"name,omitempty"`
	Size      int64     `json:"size,omitempty"`
}

type outcomeRow struct{ Outcome }

// maxError bounds what is kept of an error, in octets.
const maxError = 500

// Outcome returns what came of the last backups.
func (p *Plan) Outcome() Outcome {
	row, _ := p.Tables.outcome.Get(p.Store.Snapshot(), singleton)
	return row.Outcome
}

// Make makes a backup now, as the settings say, and notes what came of it.
func (p *Plan) Make(ctx context.Context) (Outcome, error) {
	if !p.making.TryLock() {
		return Outcome{}, ErrBusy
	}
	defer p.making.Unlock()
	settings, err := p.complete()
	if errors.Is(err, ErrNoTarget) {
		return Outcome{}, err
	}
	var made target.File
	if err == nil {
		made, err = p.make(ctx, settings)
	}
	if ctx.Err() != nil && err != nil {
		return Outcome{}, err // given up by who asked, or by a stop
	}
	return p.note(ctx, made, err)
}

// note stores what came of a backup.
func (p *Plan) note(ctx context.Context, made target.File, failed error) (Outcome, error) {
	o := p.Outcome()
	o.Tried = p.Now()
	if failed == nil {
		o = Outcome{Tried: o.Tried, Succeeded: o.Tried, Name: made.Name, Size: made.Size}
		p.Log.Info("backup made", "name", made.Name, "bytes", made.Size)
	} else {
		o.Failures++
		o.Error = failed.Error()
		o.Error = strings.ToValidUTF8(o.Error[:min(len(o.Error), maxError)], "")
		p.Log.Error("backup failed", "failures", o.Failures, "error", failed)
	}
	err := p.Store.Update(context.WithoutCancel(ctx), func(tx *state.Tx) error {
		return p.Tables.outcome.Put(tx, outcomeRow{o})
	})
	return o, errors.Join(failed, err)
}

// make puts a backup at the target, reads it back, and removes what is not to be kept any longer. The caller holds
// making.
func (p *Plan) make(ctx context.Context, s Settings) (made target.File, err error) {
	to, err := target.New(s.Target)
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	made.Name = p.name(p.Now())
	sum := sha256.New()
	err = to.Put(ctx, made.Name, p.Source.Size(), func(w io.Writer) error {
		_, err := p.write(ctx, io.MultiWriter(w, sum), s.Passphrase)
		return err
	})
	if err != nil {
		return made, err
	}
	if made.Size, err = p.compare(ctx, to, made.Name, sum.Sum(nil)); err != nil {
		return made, errors.Join(err, to.Remove(ctx, made.Name))
	}
	return made, p.prune(ctx, to, s.Keep)
}

// compare reads a file of the target back.
func (p *Plan) compare(ctx context.Context, from target.Target, name string, want []byte) (size int64, err error) {
	f, err := from.Open(ctx, name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	if size, err = io.Copy(sum, f); err != nil {
		return 0, fmt.Errorf("reading %s back: %w", name, err)
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return 0, fmt.Errorf("reading %s back: it is not what was stored", name)
	}
	return size, nil
}

// prune removes the oldest backups of this box beyond keep.
func (p *Plan) prune(ctx context.Context, at target.Target, keep int) error {
	files, err := p.list(ctx, at)
	if err != nil {
		return err
	}
	for len(files) > keep {
		if err := at.Remove(ctx, files[0].Name); err != nil {
			return err
		}
		p.Log.Info("old backup removed", "name", files[0].Name)
		files = files[1:]
	}
	return nil
}

// List returns the backups of this box at the target, the oldest first.
func (p *Plan) List(ctx context.Context) (files []target.File, err error) {
	settings, err := p.complete()
	if err != nil {
		return nil, err
	}
	at, err := target.New(settings.Target)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, at.Close()) }()
	return p.list(ctx, at)
}

func (p *Plan) list(ctx context.Context, at target.Target) ([]target.File, error) {
	files, err := at.List(ctx, p.prefix())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(files, func(f target.File) bool { return !p.ours(f.Name) }), nil
}

const (
	// nameLayout sorts as the times do.
	nameLayout = "20060102T150405Z"
	nameSuffix = ".backup"
)

// prefix begins the names of this box's backups. What a host name cannot hold becomes a dash.
func (p *Plan) prefix() string {
	host := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(p.Hostname))
	return "furrow-" + host + "-"
}

func (p *Plan) name(made time.Time) string {
	return p.prefix() + made.UTC().Format(nameLayout) + nameSuffix
}

// ours reports whether a file has the name of a backup of this box, and not of one whose host name begins as this one's.
func (p *Plan) ours(name string) bool {
	stamp, ok := strings.CutSuffix(strings.TrimPrefix(name, p.prefix()), nameSuffix)
	_, err := time.Parse(nameLayout, stamp)
	return ok && err == nil
}
