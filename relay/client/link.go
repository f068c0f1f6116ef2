package client

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"furrow/sstp"
)

// Link is one authenticated connection to a relay. It is safe for concurrent use,
// and is to be closed even if the connection has been lost.
type Link struct {
	options Options
	log     *slog.Logger
	conn    *sstp.Conn
	account *sstp.Attachment // nil before Attach

	ctx     context.Context // of the handlers; ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup // handlers
	failed  chan error     // holds the first failure of a handler
}

// fail ends the link for whoever uses it. One failure is enough.
func (l *Link) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

// Dial connects to the relay and authenticates the device, which is registered
// before if the relay asks for it, together with the account. The error is an
// [*UnreachableError], a [*sstp.ConnectRefusedError], a [*sstp.ConnError],
// [auth.ErrAuthenticationFailed], [auth.ErrNotGenuine], a [*auth.RefusedError], or
// ctx's; [Retry] knows which of them pass.
//
// The relay delivers nothing for the account before Attach: of several links of a
// device, one receives.
func Dial(ctx context.Context, o Options) (*Link, error) {
	if o.Dialer == nil {
		o.Dialer = NetDialer{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for range maxLogins {
		l, err := connect(ctx, o)
		switch {
		case l == nil || err == nil:
			return l, err
		case o.LoginOnly:
			l.hangUp(err)
			return nil, err
		}
		err = l.register(ctx, o.Known)
		l.hangUp(err)
		if err != nil && !(o.Known && unknownAccount(err)) {
			return nil, err
		}
		// Whoever has registered connects anew ([MS-GRVSSTPS] 3.2.5), and so does
		// who was refused. An account that the relay has lost is new to it.
		o.Known = err == nil
	}
	return nil, fmt.Errorf("%s asks for a registration after a registration", o.Relay.URL)
}

// maxLogins is enough for a relay that has lost the account: one to find that
// out, one to register it, one that counts.
const maxLogins = 3

// Close ends the link, with the acknowledgments that are due, and returns when
// nothing of it is left.
func (l *Link) Close() {
	l.end(sstp.ReasonNone)
	l.cancel()
	l.running.Wait()
}

func (l *Link) end(reason sstp.Reason) {
	l.conn.Close(reason, 0)
	<-l.conn.Done() // nobody starts a handler after that
}

// Done is closed when the connection has ended.
func (l *Link) Done() <-chan struct{} { return l.conn.Done() }

// Err returns nil while the connection stands and then a [*sstp.ConnError].
func (l *Link) Err() error { return l.conn.Err() }

// events is what the connection calls.
type events struct{ *Link }

// Established implements [sstp.Handler].
func (events) Established() {}

// Attached implements [sstp.Handler]; nobody attaches to a client.
func (events) Attached(uint32, string) {}

// Detached implements [sstp.Handler].
func (events) Detached(uint32, string) {}

// Closed implements [sstp.Handler].
func (e events) Closed(err error) {
	e.log.Debug("relay client: connection ended", "relay", e.options.Relay.URL, "err", err)
}

// FanoutOpen implements [sstp.Handler]. Clients accept none, which the connection
// has said already ([MS-GRVSSTP] 3.1.1.1).
func (events) FanoutOpen(*sstp.InboundSession, *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenNoFanoutEntries
}

// Open implements [sstp.Handler]. On a link that does not receive, a session is
// accepted and told to wait: to refuse it would have the relay think that the
// device does not want what another link of it will take.
func (e events) Open(s *sstp.InboundSession, cmd *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	if sstp.IsWANDPP(cmd.ResourceURL) {
		return e.openNotices()
	}
	in := &inbound{link: e.Link, open: *cmd, handle: e.options.Handlers[cmd.ResourceURL]}
	switch {
	case e.options.Handlers == nil:
		return in, sstp.OpenOkStopSending
	case in.handle == nil:
		e.log.Info("relay client: session for an unknown resource refused", "resource", cmd.ResourceURL)
		return nil, sstp.OpenUnknown
	}
	return in, sstp.OpenOk
}
