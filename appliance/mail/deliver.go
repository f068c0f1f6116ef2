package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"furrow/appliance/state"
)

const (
	// firstPause is the wait after a first failure; each further one waits twice as long, up to lastPause.
	firstPause = time.Minute
	lastPause  = 4 * time.Hour
	// maxDoublings is more than it takes to get from the one to the other.
	maxDoublings = 10
	// giveUpAfter is how long a message is tried: over a long weekend without a mail server.
	giveUpAfter = 4 * 24 * time.Hour
	// maxIdle is how long Run sleeps at most: a clock that was set must not keep mail back for long.
	maxIdle = time.Hour
	// maxError bounds what is kept of a server's words, in octets.
	maxError = 500
)

// Run sends what becomes due until ctx ends.
func (p *Post) Run(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(p.sendDue(ctx))
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// sendDue sends all that is due and returns how long nothing will be.
func (p *Post) sendDue(ctx context.Context) time.Duration {
	if _, ok := p.Settings(); !ok {
		return maxIdle // SetSettings wakes
	}
	for ctx.Err() == nil {
		row, ok := p.next()
		if !ok {
			return maxIdle
		}
		if wait := row.Due.Sub(p.Now()); wait > 0 {
			return min(wait, maxIdle)
		}
		if !p.attempt(ctx, row) {
			return firstPause // the others would fare no better
		}
	}
	return maxIdle
}

// next is the message that is due first.
func (p *Post) next() (messageRow, bool) {
	for row := range p.Tables.byDue.Range(p.Store.Snapshot(), "", "") {
		return row, true
	}
	return messageRow{}, false
}

// attempt sends one message once and notes what came of it. It says whether the next message is worth trying: not if
// the server could not be talked to, or the outbox not be changed.
func (p *Post) attempt(ctx context.Context, row messageRow) bool {
	sent := p.send(ctx, row)
	if ctx.Err() != nil {
		return false // stopping is no failure of the message's
	}
	err := p.Store.Update(context.WithoutCancel(ctx), func(tx *state.Tx) error {
		now, ok := p.Tables.outbox.Get(tx, row.ID)
		if !ok {
			return nil // removed meanwhile
		}
		if sent == nil {
			p.Tables.outbox.Delete(tx, row.ID)
			return nil
		}
		return p.Tables.outbox.Put(tx, p.failed(now, sent))
	})
	if err != nil {
		p.Log.Error("outbox cannot be changed; mail waits", "error", err)
		return false
	}
	return sent == nil || aboutMessage(sent)
}

// failed is a row after an attempt that failed.
func (p *Post) failed(row messageRow, err error) messageRow {
	now := p.Now()
	row.Attempts++
	row.Error = truncate(err.Error())
	row.Due = now.Add(min(firstPause<<min(row.Attempts-1, maxDoublings), lastPause))
	row.Failed = errors.Is(err, errRefused) || row.Due.Sub(row.Entered) > giveUpAfter
	p.Log.Warn("mail not sent", "id", row.ID, "to", row.To, "attempts", row.Attempts, "givenUp", row.Failed, "error", err)
	return row
}

func truncate(s string) string {
	if len(s) > maxError {
		return s[:maxError] + "…"
	}
	return s
}

func (p *Post) send(ctx context.Context, row messageRow) error {
	account, err := p.account()
	if err != nil {
		return err
	}
	text, err := p.Vault.Open(bodyPurpose, row.Sealed)
	if err != nil {
		return fmt.Errorf("opening the message: %w", err)
	}
	var c contents
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("reading the message: %w", err)
	}
	return p.deliver(ctx, account, row.ID, row.Entered, Message{To: row.To, Subject: c.Subject, Body: c.Body})
}

// Test sends a message past the outbox, so that whoever sets up the mail server sees at once what is wrong.
func (p *Post) Test(ctx context.Context, to string) error {
	return p.Send(ctx, Message{To: to, Subject: "Test from Furrow", Body: "This box can send mail.\n"})
}

// Send sends a message past the outbox, once, for those who have to know at once whether it went out or cannot have it
// kept.
func (p *Post) Send(ctx context.Context, m Message) error {
	account, err := p.account()
	if err != nil {
		return err
	}
	if err := m.check(); err != nil {
		return err
	}
	now := p.Now()
	return p.deliver(ctx, account, fmt.Sprintf("now-%016x", now.UnixNano()), now, m)
}
