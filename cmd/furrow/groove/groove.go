// Package groove puts a member who has joined (package gms/client) into the terms of the relays that the management
// server has named for it (package relay/client). The two know nothing of each other.
package groove

import (
	"context"
	"log/slog"
	"slices"

	"furrow/gms/client"
	relayclient "furrow/relay/client"
	"furrow/sstp"
	"furrow/sstp/auth"
	"furrow/sstp/carrier"
)

// Access is how relays are talked to.
type Access struct {
	Version  string             // of this program
	Dialer   relayclient.Dialer // nil: directly, by TCP
	Diagnose bool               // log octets that do not parse
	Log      *slog.Logger
}

// Relays are the relays of a member, in the order in which they are to be used. There are none while the management
// server has named none.
func Relays(p *client.Profile, a Access) ([]relayclient.Options, error) {
	named, token, err := p.Relays()
	if err != nil {
		return nil, err
	}
	relays := make([]relayclient.Options, 0, len(named))
	for _, r := range named {
		relay, err := relayclient.NewRelay(r.URL, r.Certificate)
		if err != nil {
			return nil, err
		}
		relays = append(relays, relayclient.Options{
			Relay: relay, User: user(p, token), Known: slices.Contains(p.KnownToRelays, relay.URL),
			ProductVersion: "Furrow client " + a.Version, Diagnose: a.Diagnose, Log: a.Log,
			Dialer: a.Dialer, Timers: sstp.Timers{OutboundIdle: carrier.NoopInterval},
		})
	}
	return relays, nil
}

// user is a profile in the terms of SSTP Security.
func user(p *client.Profile, token string) relayclient.User {
	return relayclient.User{
		Device: auth.Principal{
			URL:        p.DeviceURL,
			Key:        p.RelayKeys.Device,
			Signature:  p.Device.Signature,
			Encryption: p.Device.Encryption.Public(),
		},
		Account: auth.Principal{
			URL:        auth.AccountScheme + p.User.GUID,
			Key:        p.RelayKeys.Account,
			Signature:  p.User.Signature,
			Encryption: p.User.Encryption.Public(),
		},
		IdentityURL: p.IdentityURL,
		Token:       token,
	}
}

// Register makes sure that a relay knows the device, the account and the identity.
func Register(ctx context.Context, o relayclient.Options) error {
	link, err := relayclient.Dial(ctx, o)
	if err != nil {
		return err
	}
	defer link.Close()
	if err := link.Attach(ctx); err != nil {
		return err
	}
	return link.RegisterIdentity(ctx)
}
