package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"furrow/appliance/state"
)

const (
	// bodyPurpose is what subject and body of a waiting message are sealed for.
	bodyPurpose = "mail body"
	// maxSubject and maxBody bound a message, in octets: what the box writes has a few kilobytes.
	maxSubject = 500
	maxBody    = 64 << 10
	// maxWaiting bounds the outbox: one message for each member of the largest domain.
	maxWaiting = 20_000
)

var (
	// ErrNoServer says that the box has not been told how to send mail.
	ErrNoServer = errors.New("no mail server is set; set one with: furrow mail set")
	// ErrFull says that too much waits in the outbox already.
	ErrFull = errors.New("the outbox is full; see: furrow mail list")
	// ErrUnknown says that no message with that ID is in the outbox.
	ErrUnknown = errors.New("there is no such message in the outbox")
)

// Message is one mail, plain text to one person.
type Message struct {
	To      string // an address, which may have a name
	Subject string
	Body    string
}

func (m Message) check() error {
	if _, err := netmail.ParseAddress(m.To); err != nil {
		return invalid("to", "%q is no mail address", m.To)
	}
	if m.Subject == "" || len(m.Subject) > maxSubject || strings.ContainsAny(m.Subject, "\r\n\x00") {
		return invalid("subject", "must be one line of 1 to %d octets", maxSubject)
	}
	if m.Body == "" || len(m.Body) > maxBody || strings.Contains(m.Body, "\x00") {
		return invalid("body", "must have 1 to %d octets", maxBody)
	}
	return nil
}

// messageRow is a message that has not been handed to the mail server.
type messageRow struct {
	ID       string    `json:"id"` // sorts by time of entry; left side of the Message-ID
	To       string    `json:"to"`
	Sealed   []byte    `json:"sealed"` // contents
	Entered  time.Time `json:"entered"`
	Due      time.Time `json:"due"` // of the next attempt
	Attempts int       `json:"attempts"`
	Error    string    `json:"error,omitempty"` // of the last attempt
	Failed   bool      `json:"failed"`          // given up
}

// contents are what nobody but the recipient is to read.
type contents struct{ Subject, Body string }

// dueKey sorts as the times do.
func dueKey(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000") }

// Add puts a message into the outbox as part of a transaction. Call Nudge when that is durable.
func (p *Post) Add(tx *state.Tx, m Message) (id string, err error) {
	if err := m.check(); err != nil {
		return "", err
	}
	if p.Tables.outbox.Len(tx) >= maxWaiting {
		return "", ErrFull
	}
	text, err := json.Marshal(contents{m.Subject, m.Body})
	if err != nil {
		return "", err
	}
	sealed, err := p.Vault.Seal(bodyPurpose, text)
	if err != nil {
		return "", err
	}
	now := p.Now()
	row := messageRow{ID: fmt.Sprintf("%016x", tx.NextStamp(now).UnixNano()), To: m.To, Sealed: sealed, Entered: now, Due: now}
	return row.ID, p.Tables.outbox.Put(tx, row)
}

// Queue puts a message into the outbox and returns when it is durable there.
func (p *Post) Queue(ctx context.Context, m Message) (id string, err error) {
	if _, ok := p.Settings(); !ok {
		return "", ErrNoServer
	}
	err = p.Store.Update(ctx, func(tx *state.Tx) error {
		id, err = p.Add(tx, m)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("mail to %s: %w", m.To, err)
	}
	p.Nudge()
	return id, nil
}

// Nudge lets Run look at the outbox.
func (p *Post) Nudge() {
	select {
	case p.wake <- struct{}{}:
	default: // it is about to look
	}
}

// Waiting is a message in the outbox, without what it says.
type Waiting struct {
	ID       string
	To       string
	Entered  time.Time
	Attempts int
	// Next is when it is tried again; zero if it was given up.
	Next time.Time
	// Error is what the last attempt ran into.
	Error string
}

// List returns what waits, and what was given up, the oldest first.
func (p *Post) List() []Waiting {
	list := []Waiting{}
	for row := range p.Tables.outbox.All(p.Store.Snapshot()) {
		w := Waiting{ID: row.ID, To: row.To, Entered: row.Entered, Attempts: row.Attempts, Next: row.Due, Error: row.Error}
		if row.Failed {
			w.Next = time.Time{}
		}
		list = append(list, w)
	}
	return list
}

// Count returns how many messages wait, and how many were given up.
func (p *Post) Count() (waiting, failed int) {
	for row := range p.Tables.outbox.All(p.Store.Snapshot()) {
		if row.Failed {
			failed++
		} else {
			waiting++
		}
	}
	return waiting, failed
}

// Retry makes one message due at once, given up or not.
func (p *Post) Retry(ctx context.Context, id string) error {
	return p.change(ctx, id, func(tx *state.Tx, row messageRow) error {
		row.Due, row.Entered, row.Failed = p.Now(), p.Now(), false
		return p.Tables.outbox.Put(tx, row)
	})
}

// Remove takes a message out of the outbox without sending it.
func (p *Post) Remove(ctx context.Context, id string) error {
	return p.change(ctx, id, func(tx *state.Tx, _ messageRow) error {
		p.Tables.outbox.Delete(tx, id)
		return nil
	})
}

func (p *Post) change(ctx context.Context, id string, change func(*state.Tx, messageRow) error) error {
	err := p.Store.Update(ctx, func(tx *state.Tx) error {
		row, ok := p.Tables.outbox.Get(tx, id)
		if !ok {
			return ErrUnknown
		}
		return change(tx, row)
	})
	if err != nil {
		return fmt.Errorf("mail %s: %w", id, err)
	}
	p.Nudge()
	return nil
}

// hurry makes everything that waits due at once.
func (p *Post) hurry(tx *state.Tx) error {
	for _, row := range slices.Collect(p.Tables.outbox.All(tx)) {
		if row.Failed {
			continue
		}
		row.Due = p.Now()
		if err := p.Tables.outbox.Put(tx, row); err != nil {
			return err
		}
	}
	return nil
}
