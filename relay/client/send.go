package client

import (
	"context"
	"errors"
	"io"
	"slices"
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
	// ResourceURL is that of the session; [Session.Send] has no use for it.
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

// Send sends one message to one or more targets, in a session of its own, and
// returns when the relay has acknowledged it. The outcomes are in the order of the
// targets. Errors are those of [Session.Send].
func (l *Link) Send(ctx context.Context, targets []Target, m Message) ([]Outcome, error) {
	s, err := l.OpenSession(ctx, m.ResourceURL, targets)
	if err != nil {
		return nil, err
	}
	// [MS-GRVSSTP] 3.2.5.8: a session without targets is the client's to close too.
	defer s.Close()
	outcomes, err := s.Send(ctx, m)
	if err == nil && slices.ContainsFunc(targets, func(t Target) bool { return !l.isOwn(t) }) {
		l.linger(ctx)
		s.update(outcomes)
	}
	return outcomes, err
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

// readerOnly hides WriteTo, which would have the pieces be as large as the body
// likes.
type readerOnly struct{ io.Reader }
