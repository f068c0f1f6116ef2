package client

import (
	"context"
	"errors"
	"fmt"

	"furrow/sstp"
	"furrow/sstp/auth"
)

// connect makes the connection and proves the device ([MS-GRVSSTPS] 3.2.4.1). With
// [auth.ErrRegistrationNeeded] comes a link that is good for one registration.
func connect(ctx context.Context, o Options) (*Link, error) {
	transport, err := o.Dialer.DialRelay(ctx, o.Relay.URL)
	if err != nil {
		return nil, &UnreachableError{o.Relay.URL, err}
	}
	login, token, err := auth.NewLogin(auth.DeviceLayer, o.User.Device.Key)
	if err != nil {
		return nil, errors.Join(err, transport.Close())
	}
	l := &Link{options: o, log: o.Log, failed: make(chan error, 1)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	conn, answer, err := sstp.Dial(ctx, transport, sstp.Config{
		LocalDeviceURLs: []string{o.User.Device.URL},
		ProductVersion:  o.ProductVersion,
		Timers:          o.Timers,
		Logger:          o.Log,
		Diagnose:        o.Diagnose,
	}, o.Relay.URL, token, events{l})
	var refused *sstp.ConnectRefusedError
	if errors.As(err, &refused) && len(refused.Response.AuthenticationToken) > 0 {
		_, why := login.Receive(refused.Response.Response, refused.Response.AuthenticationToken)
		err = errors.Join(err, why)
	}
	if err != nil {
		l.cancel()
		return nil, fmt.Errorf("connecting to %s: %w", o.Relay.URL, err)
	}
	l.conn = conn
	proof, err := login.Receive(answer.Response, answer.AuthenticationToken)
	if err == nil {
		err = conn.Authenticate(proof)
	}
	if err == nil || errors.Is(err, auth.ErrRegistrationNeeded) {
		return l, err
	}
	l.hangUp(err)
	return nil, fmt.Errorf("authenticating to %s: %w", o.Relay.URL, err)
}

// hangUp closes the connection for what has gone wrong.
func (l *Link) hangUp(err error) {
	reason := sstp.ReasonNone
	var parse *sstp.ParseError
	switch {
	case errors.As(err, &parse):
		reason = sstp.ReasonProtocolError
	case errors.Is(err, auth.ErrNotGenuine):
		reason = sstp.ReasonDeviceAuthenticationFailed
	}
	l.end(reason)
	l.cancel()
}

// unknownAccount reports whether a relay has refused the registration of a device
// because it does not know the account (wire profile 1).
func unknownAccount(err error) bool {
	var refused *auth.RefusedError
	return errors.As(err, &refused) && refused.Reason == auth.RefusedUser
}

// register sends a registration of the device with its account, of which the
// relay knows the key or not.
func (l *Link) register(ctx context.Context, known bool) error {
	u, relay := &l.options.User, l.options.Relay
	var r *auth.Registering
	var err error
	if known {
		r, err = auth.RegisterAccountOnDevice(relay.Key, u.Device, u.Account)
	} else {
		r, err = auth.RegisterAccount(relay.Key, u.Device, u.Account, u.Token, []string{u.IdentityURL})
	}
	if err != nil {
		return err
	}
	return l.exchange(ctx, r, "the device and the account")
}

// RegisterIdentity makes sure that the relay knows the identity, and that the
// management server's announcement of it stands. It is for a link that has
// attached the account.
func (l *Link) RegisterIdentity(ctx context.Context) error {
	u := &l.options.User
	r, err := auth.RegisterIdentity(u.Account, u.IdentityURL, u.Token)
	if err != nil {
		return err
	}
	return l.exchange(ctx, r, "the identity")
}

// exchange sends a registration and takes the answer.
func (l *Link) exchange(ctx context.Context, r *auth.Registering, what string) error {
	answer, err := l.conn.Register(ctx, l.options.Relay.URL, l.options.User.Account.URL, r.Token())
	if err == nil {
		err = r.Receive(answer.Response, answer.AuthenticationToken)
	}
	if err != nil {
		return fmt.Errorf("registering %s with %s: %w", what, l.options.Relay.URL, err)
	}
	return nil
}

// Attach proves the account, for which the relay delivers from then on
// ([MS-GRVSSTPS] 3.2.4.2). The account is registered before if the relay asks for
// it. Errors are those of Dial. It is called once.
func (l *Link) Attach(ctx context.Context) error {
	err := l.attach(ctx)
	if !errors.Is(err, auth.ErrRegistrationNeeded) || l.options.LoginOnly {
		return err
	}
	err = l.register(ctx, l.options.Known)
	if l.options.Known && unknownAccount(err) {
		err = l.register(ctx, false)
	}
	if err != nil {
		return err
	}
	return l.attach(ctx)
}

func (l *Link) attach(ctx context.Context) error {
	relayURL, account := l.options.Relay.URL, &l.options.User.Account
	login, token, err := auth.NewLogin(auth.AccountLayer, account.Key)
	if err != nil {
		return err
	}
	attachment, err := l.conn.Attach(ctx, relayURL, account.URL, token)
	if err != nil {
		return fmt.Errorf("attaching the account at %s: %w", relayURL, err)
	}
	proof, err := login.Receive(attachment.Response, attachment.Token)
	if err == nil {
		err = attachment.Authenticate(proof)
	}
	if err != nil {
		attachment.Close(sstp.ReasonNone)
		return fmt.Errorf("attaching the account at %s: %w", relayURL, err)
	}
	l.account = attachment
	return nil
}
