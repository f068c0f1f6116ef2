package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"furrow/sstp"
)

// Session sends any number of messages to the same targets, in order. It is safe
// for concurrent use.
type Session struct {
	link    *Link
	session *sstp.OutboundSession

	// deserted ends when no target is left.
	deserted context.Context
	desert   context.CancelCauseFunc

	targets []Target
	mu      sync.Mutex
	dropped []sstp.StatusID // by target; zero for those that are left
}

// OpenSession opens a session for messages to one or more targets. It does not
// wait for the relay, which may refuse it: Send says so.
func (l *Link) OpenSession(ctx context.Context, resourceURL string, targets []Target) (*Session, error) {
	s := &Session{link: l, targets: targets, dropped: make([]sstp.StatusID, len(targets))}
	s.deserted, s.desert = context.WithCancelCause(context.Background())
	if err := s.open(ctx, resourceURL); err != nil {
		s.desert(nil)
		return nil, fmt.Errorf("opening a session at %s: %w", l.options.Relay.URL, err)
	}
	return s, nil
}

// open opens the session that the targets need.
func (s *Session) open(ctx context.Context, resourceURL string) (err error) {
	switch conn, targets := s.link.conn, s.targets; {
	case len(targets) == 0:
		return errors.New("no target")
	case len(targets) == 1 && s.link.isOwn(targets[0]):
		s.session, err = conn.Open(ctx, sstp.Open{
			ResourceURL: resourceURL,
			IdentityURL: targets[0].IdentityURL,
			DeviceURL:   targets[0].DeviceURL,
		}, (*originator)(s))
	default:
		entries := make([]sstp.FanoutDeviceEntry, 0, len(targets))
		for _, t := range targets {
			entries = append(entries, sstp.FanoutDeviceEntry{IdentityURL: t.IdentityURL, DeviceURL: t.DeviceURL, RelayURL: t.RelayURL})
		}
		s.session, err = conn.FanoutOpen(ctx, sstp.FanoutOpen{ResourceURL: resourceURL, Entries: entries}, (*originator)(s))
	}
	return err
}

// Close ends the session. Messages that wait for their acknowledgment get it still.
func (s *Session) Close() {
	s.session.Close(sstp.ReasonNone)
	s.desert(nil)
}

// Send sends a message and returns when the relay has acknowledged it. The
// outcomes are in the order of the targets. A single target of the link's own
// relay drops out by an error: [*sstp.OpenRefusedError], or [*sstp.SessionError]
// such as for QuotaWouldBeExceeded. When no target is left the error is
// ErrNoTarget.
//
// After an error other than of the body the fate of the message is not known, and
// the session is to be closed.
func (s *Session) Send(ctx context.Context, m Message) ([]Outcome, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	stop := context.AfterFunc(s.deserted, func() { giveUp(context.Cause(s.deserted)) })
	defer stop()
	outcomes, err := s.send(ctx, m)
	if err == nil {
		return outcomes, nil
	}
	if cause := context.Cause(ctx); cause != nil { // the session knows only that ctx has ended
		err = cause
	}
	return s.outcomes(false), fmt.Errorf("sending by %s: %w", s.link.options.Relay.URL, err)
}

func (s *Session) send(ctx context.Context, m Message) ([]Outcome, error) {
	type fate struct {
		outcomes []Outcome
		err      error
	}
	known := make(chan fate, 1)
	out, err := s.session.Send(ctx, sstp.Message{Flags: m.Flags}, func(err error) {
		// Told in its turn among the statuses: what drops out later has the message.
		known <- fate{s.outcomes(err == nil), err}
	})
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyBuffer(&meter{w: out, progress: m.Progress}, readerOnly{m.Body}, make([]byte, copySize)); err != nil {
		return nil, err
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	select {
	case f := <-known:
		return f.outcomes, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// outcomes tells of every target what is known now. acknowledged says that the
// relay has just acknowledged a message: it is the relay's for those that are left.
func (s *Session) outcomes(acknowledged bool) []Outcome {
	list := make([]Outcome, len(s.targets))
	s.update(list)
	for i := range list {
		list[i].Taken = acknowledged && list[i].Status == 0
	}
	return list
}

// update brings in who has dropped out.
func (s *Session) update(list []Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		list[i].Status = s.dropped[i]
	}
}

// originator is what the connection calls.
type originator Session

// Ready implements [sstp.Originator]; Send of the session waits for it by itself.
func (*originator) Ready(bool) {}

// Closed implements [sstp.Originator]; what waits for the session is told anyway.
func (*originator) Closed(error) {}

// Status implements [sstp.Originator]. A target may be named more than once
// (note <9>); the last word counts.
func (o *originator) Status(m *sstp.SessionStatus) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, t := range o.targets {
		if concerns(m, i, t) {
			o.dropped[i] = m.Status
		}
	}
	if !slices.Contains(o.dropped, 0) {
		o.desert(ErrNoTarget)
	}
}

// concerns reports whether a status is about the target of an index. The form
// without indexes names it, or all targets of a relay, in other words
// ([MS-GRVSSTP] 2.2.8.1).
func concerns(m *sstp.SessionStatus, index int, t Target) bool {
	if m.Indexes != nil {
		return slices.Contains(m.Indexes, uint16(index))
	}
	sameIdentity := m.IdentityURL == t.IdentityURL
	switch m.Status {
	case sstp.StatusDNSLookupFailed, sstp.StatusHostNotReachable, sstp.StatusConnectionClosed:
		return m.DeviceURL == t.RelayURL && (m.IdentityURL == "" || sameIdentity)
	default:
		return sameIdentity && (m.DeviceURL == "" || m.DeviceURL == t.DeviceURL)
	}
}
