package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"furrow/cmd/furrow/groove"
	"furrow/gms/client"
	relayclient "furrow/relay/client"
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
	log := slog.New(slog.DiscardHandler)
	if f.Diagnose {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	router, err := f.router(log)
	if err != nil {
		return nil, err
	}
	relays, err := groove.Relays(profile, groove.Access{Version: version, Dialer: router, Diagnose: f.Diagnose, Log: log})
	if err != nil {
		return nil, err
	}
	if len(relays) == 0 {
		return nil, errors.New("the management server has named no relay for the member: when it has, run furrow client update")
	}
	return &relayMember{home: home, profile: profile, relays: relays, router: router}, nil
}
