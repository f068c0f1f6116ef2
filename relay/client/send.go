package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"furrow/sstp"
)

// Target is one recipient.
type Target struct {
	IdentityURL string
	// DeviceURL is empty for any device of the identity.
	DeviceURL string
	// RelayURL is the recipient's relay; empty for the relay of the link.
	RelayURL string
}

// Message is what is sent.
type Message struct {
	ResourceURL string
	Flags       sstp.MessageFlags // without those of field groups
	// Body is read once. An error of it gives up the message.
	Body io.Reader
	// Progress is told, after each piece, how many octets of the body have been
	// given to the transport; nil if nobody wants to know.
	Progress func(sent int64)
}

// copySize is the size of a piece of a body, eight Data.
const copySize = 16 << 10

// Outcome is what a relay has said about one target.
type Outcome struct {
	// Taken is set when the relay has acknowledged the message, and had not said
	// before that the target has dropped out: it is the relay's to deliver.
	Taken bool
	// Status is why the target has dropped out ([MS-GRVSSTP] 2.2.8.1), zero if it
	// has not. A target of another relay may be Taken and drop out later: that its
	// relay cannot be reached now.
	Status sstp.StatusID
}

// ErrNoTarget says that all targets of a message have dropped out before the
// relay had acknowledged it.
var ErrNoTarget = errors.New("no target is left")

// Send sends one message to one or more targets and returns when the relay has
// acknowledged it. The outcomes are in the order of the targets. A single target
// of the link's own relay drops out by an error: [*sstp.OpenRefusedError], or
// [*sstp.SessionError] such as for QuotaWouldBeExceeded.
//
// After an error other than of the body the fate of the message is not known.
func (l *Link) Send(ctx context.Context, targets []Target, m Message) ([]Outcome, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	f := &flight{
		targets:      targets,
		outcomes:     make([]Outcome, len(targets)),
		giveUp:       giveUp,
		acknowledged: make(chan error, 1),
	}
	session, err := l.open(ctx, m.ResourceURL, f)
	if err != nil {
		return nil, fmt.Errorf("opening a session at %s: %w", l.options.Relay.URL, err)
	}
	// [MS-GRVSSTP] 3.2.5.8: a session without targets is the client's to close too.
	defer session.Close(sstp.ReasonNone)
	if err := f.send(ctx, session, m); err != nil {
		if cause := context.Cause(ctx); cause != nil { // the session knows only that ctx has ended
			err = cause
		}
		return f.known(), fmt.Errorf("sending by %s: %w", l.options.Relay.URL, err)
	}
	if slices.ContainsFunc(targets, func(t Target) bool { return !l.isOwn(t) }) {
		l.linger(ctx)
	}
	return f.known(), nil
}

// lingerTime is how long a session with targets of other relays is kept after
// the acknowledgment. The relay has the message then and dials the others, and
// has nobody to tell what comes of it once the session is closed.
const lingerTime = 2 * time.Second

func (l *Link) linger(ctx context.Context) {
	select {
	case <-time.After(lingerTime):
	case <-l.conn.Done():
	case <-ctx.Done():
	}
}

// isOwn reports whether a target is one of the link's own relay.
func (l *Link) isOwn(t Target) bool { return t.RelayURL == "" || t.RelayURL == l.options.Relay.URL }

// open opens the session that the targets need.
func (l *Link) open(ctx context.Context, resourceURL string, f *flight) (*sstp.OutboundSession, error) {
	switch targets := f.targets; {
	case len(targets) == 0:
		return nil, errors.New("no target")
	case len(targets) == 1 && l.isOwn(targets[0]):
		return l.conn.Open(ctx, sstp.Open{
			ResourceURL: resourceURL,
			IdentityURL: targets[0].IdentityURL,
			DeviceURL:   targets[0].DeviceURL,
		}, f)
	default:
		entries := make([]sstp.FanoutDeviceEntry, 0, len(targets))
		for _, t := range targets {
			entries = append(entries, sstp.FanoutDeviceEntry{IdentityURL: t.IdentityURL, DeviceURL: t.DeviceURL, RelayURL: t.RelayURL})
		}
		return l.conn.FanoutOpen(ctx, sstp.FanoutOpen{ResourceURL: resourceURL, Entries: entries}, f)
	}
}

// flight is one message on its way, the originator of its session.
type flight struct {
	targets      []Target
	giveUp       context.CancelCauseFunc
	acknowledged chan error // holds one

	mu       sync.Mutex
	outcomes []Outcome
}

// send sends the message sequence and waits for its acknowledgment.
func (f *flight) send(ctx context.Context, session *sstp.OutboundSession, m Message) error {
	out, err := session.Send(ctx, sstp.Message{Flags: m.Flags}, f.done)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(&meter{w: out, progress: m.Progress}, readerOnly{m.Body}, make([]byte, copySize)); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	select {
	case err := <-f.acknowledged:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// done is told of the acknowledgment, in its turn among the statuses.
func (f *flight) done(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.outcomes {
		f.outcomes[i].Taken = err == nil && f.outcomes[i].Status == 0
	}
	f.acknowledged <- err
}

// known returns what is known of the targets.
func (f *flight) known() []Outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.outcomes)
}

// Ready implements [sstp.Originator]; Send of the session waits for it by itself.
func (f *flight) Ready(bool) {}

// Closed implements [sstp.Originator]; what waits for the session is told anyway.
func (f *flight) Closed(error) {}

// Status implements [sstp.Originator]. A target may be named more than once
// (note <9>); the last word counts.
func (f *flight) Status(m *sstp.SessionStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, t := range f.targets {
		if concerns(m, i, t) {
			f.outcomes[i].Status = m.Status
		}
	}
	if !slices.ContainsFunc(f.outcomes, func(o Outcome) bool { return o.Status == 0 }) {
		f.giveUp(ErrNoTarget)
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

// readerOnly hides WriteTo, which would have the pieces be as large as the body
// likes.
type readerOnly struct{ io.Reader }
