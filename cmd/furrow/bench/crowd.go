package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"furrow/appliance/keys"
	"furrow/gms/client"
	"furrow/gms/policy"
	relayclient "furrow/relay/client"
	"furrow/sstp"
	"furrow/sstp/auth"
	"furrow/web/api"
)

const (
	// crowdDomain is the domain of the simulated members.
	crowdDomain = "Load"
	// enrolAtOnce is how many are made or registered at a time: they share the
	// box's commits.
	enrolAtOnce = 16
)

// enrol makes members, has the relay hear of them, and registers a client of each.
func (b *Box) enrol(ctx context.Context, count int) error {
	if _, err := b.admin.CreateDomain(ctx, api.NewDomain{Name: crowdDomain}); err != nil {
		return err
	}
	set, err := keys.GenerateKeySet()
	if err != nil {
		return err
	}
	status, err := b.admin.Status(ctx)
	if err != nil {
		return err
	}
	server, err := client.Connect(ctx, http.DefaultClient, status.ServerURL)
	if err != nil {
		return err
	}
	b.crowd = make([]relayclient.User, count)
	err = forEach(ctx, count, enrolAtOnce, func(ctx context.Context, i int) error {
		name := fmt.Sprintf("load-%d", i)
		member, err := b.admin.CreateMember(ctx, api.NewMember{Domain: crowdDomain, MemberDetails: api.MemberDetails{
			FullName: name, Email: name + "@load.example",
		}})
		if err != nil {
			return fmt.Errorf("making member %s: %w", name, err)
		}
		token, err := tokenOf(ctx, server, member.ConfigurationCode)
		if err != nil {
			return fmt.Errorf("asking for the identity of member %s: %w", name, err)
		}
		b.crowd[i], err = simulated(name, token, set)
		return err
	})
	if err != nil {
		return err
	}
	if err := b.await(ctx, "the relay knows the members", b.announced); err != nil {
		return err
	}
	return forEach(ctx, count, enrolAtOnce, func(ctx context.Context, i int) error {
		link, err := b.dial(ctx, i, relayclient.Options{})
		if err != nil {
			return err
		}
		link.Close()
		return nil
	})
}

// tokenOf asks the management server, as the client of the member with this code does, for what to show to relays.
func tokenOf(ctx context.Context, server *client.Server, code string) (string, error) {
	answer, err := server.KeyActivation(ctx, code)
	if err != nil {
		return "", err
	}
	for _, o := range answer.Objects {
		signed, err := policy.Parse(o.Object)
		if err != nil {
			return "", err
		}
		// The server is a process of ours: what it signed needs no proof.
		if identity, ok := signed.Unverified().Body.(policy.Identity); ok {
			return identity.PreAuthToken, nil
		}
	}
	return "", errors.New("the server sent no identity template")
}

// announced reports whether the relay has been told of all members.
func (b *Box) announced(ctx context.Context) error {
	relays, err := b.admin.Relays(ctx)
	if err != nil {
		return err
	}
	for _, r := range relays {
		if r.State != "ready" || r.Pending > 0 {
			return fmt.Errorf("relay %s is %s, %d members behind: %s", r.DeviceURL, r.State, r.Pending, r.Problem)
		}
	}
	if len(relays) == 0 {
		return errors.New("the box has no relay")
	}
	return nil
}

// simulated is a client of a member with this pre-authentication token. The key pair
// is everybody's.
func simulated(name, token string, set *keys.KeySet) (u relayclient.User, err error) {
	u = relayclient.User{
		Device:      auth.Principal{URL: sstp.DeviceScheme + "/" + name, Signature: set.Signature, Encryption: set.Encryption.Public()},
		Account:     auth.Principal{URL: auth.AccountScheme + name, Signature: set.Signature, Encryption: set.Encryption.Public()},
		IdentityURL: "grooveIdentity://" + name + "@",
		Token:       token,
	}
	for _, key := range []*keys.SharedKey{&u.Device.Key, &u.Account.Key} {
		if *key, err = keys.GenerateSharedKey(auth.KeySize); err != nil {
			return u, err
		}
	}
	return u, nil
}

// dial connects a client; o says in what it is unlike others.
func (b *Box) dial(ctx context.Context, person int, o relayclient.Options) (*relayclient.Link, error) {
	o.Relay, o.User = b.relay, b.crowd[person]
	return relayclient.Dial(ctx, o)
}

// attach connects a client and its account, for which the relay delivers from then
// on. They must be registered.
func (b *Box) attach(ctx context.Context, person int, handlers relayclient.Handlers) (*relayclient.Link, error) {
	link, err := b.dial(ctx, person, relayclient.Options{Known: true, LoginOnly: true, Handlers: handlers})
	if err != nil {
		return nil, err
	}
	if err := link.Attach(ctx); err != nil {
		link.Close()
		return nil, err
	}
	return link, nil
}
