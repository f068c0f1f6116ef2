package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"furrow/gms/client"
	relayclient "furrow/relay/client"
	"furrow/sstp"
	"furrow/sstp/auth"
	"furrow/sstp/carrier"
	"furrow/sstp/carrier/route"
)

// relayFlags are those of every command that talks to relays.
type relayFlags struct {
	Home     string `required:"" help:"Folder that keeps the account." placeholder:"DIR" type:"path"`
	Diagnose bool   `help:"Log connections, and the first octets of what cannot be parsed, on standard error."`
	wayFlags
}

// relayMember is a member who has joined, as its relays see it.
type relayMember struct {
	home    *client.Home
	profile *client.Profile
	relays  []relayclient.Options // in the order of the identity template
	router  *route.Router
}

// open reads the home folder.
func (f *relayFlags) open() (*relayMember, error) {
	home, err := client.OpenHome(f.Home)
	if err != nil {
		return nil, err
	}
	profile, err := home.Load()
	if err != nil {
		return nil, err
	}
	if !profile.Joined {
		return nil, fmt.Errorf("the account in %s has not finished joining: run furrow client join again with the same code", f.Home)
	}
	relays, token, err := profile.Relays()
	if err != nil {
		return nil, err
	}
	if len(relays) == 0 {
		return nil, errors.New("the management server has named no relay for the member: when it has, run furrow client update")
	}
	log := slog.New(slog.DiscardHandler)
	if f.Diagnose {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	router, err := f.router(log)
	if err != nil {
		return nil, err
	}
	m := &relayMember{home: home, profile: profile, router: router}
	for _, r := range relays {
		relay, err := relayclient.NewRelay(r.URL, r.Certificate)
		if err != nil {
			return nil, err
		}
		m.relays = append(m.relays, relayclient.Options{
			Relay: relay, User: relayUser(profile, token), Known: slices.Contains(profile.KnownToRelays, relay.URL),
			ProductVersion: "Furrow client " + version, Diagnose: f.Diagnose, Log: log,
			Dialer: router, Timers: sstp.Timers{OutboundIdle: carrier.NoopInterval},
		})
	}
	return m, nil
}

// relayUser is a profile in the terms of SSTP Security.
func relayUser(p *client.Profile, token string) relayclient.User {
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
