package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"furrow/cmd/furrow/groove"
	"furrow/gms/client"
	relayclient "furrow/relay/client"
	"furrow/web/api"
)

// requestTimeout ends a request to the management server that is not answered.
const requestTimeout = 30 * time.Second

// people are the two test members, in a hidden domain of their own.
type people struct {
	domain string // GUID
	dir    string // of their home folders
	ann    *person
	bob    *person
}

// person is one test member on one device.
type person struct {
	member  api.Member
	home    string
	profile *client.Profile // nil before the join
	relays  []relayclient.Options
}

// makeDomain makes the hidden domain with its members.
func makeDomain(ctx context.Context, e *examination) (string, error) {
	dir, err := os.MkdirTemp("", "furrow-doctor-*")
	if err != nil {
		return "", fmt.Errorf("making a folder for the test accounts: %w", err)
	}
	e.people = &people{dir: dir}
	domain, err := e.api.CreateDomain(ctx, api.NewDomain{Name: "Self-test " + rand.Text(), Hidden: true})
	if err != nil {
		return "", err
	}
	e.people.domain = domain.GUID
	for _, p := range []struct {
		to   **person
		name string
	}{{&e.people.ann, "Ann"}, {&e.people.bob, "Bob"}} {
		member, err := e.api.CreateMember(ctx, api.NewMember{Domain: domain.GUID, MemberDetails: api.MemberDetails{
			FullName: p.name + " Self-Test", Email: strings.ToLower(p.name) + "@self-test.invalid",
		}})
		if err != nil {
			return "", err
		}
		*p.to = &person{member: member, home: filepath.Join(dir, p.name)}
	}
	return "a hidden domain with two members", nil
}

// join turns both members' codes into active members, as their clients would.
func join(ctx context.Context, e *examination) (string, error) {
	if e.people == nil || e.people.bob == nil {
		return "", notTried("there are no test members")
	}
	for _, p := range []*person{e.people.ann, e.people.bob} {
		if err := p.join(ctx, e); err != nil {
			return "", fmt.Errorf("%s: %w", p.member.FullName, err)
		}
	}
	return fmt.Sprintf("both are active members at %s, with %d managed objects each",
		e.status.ServerURL, len(e.people.ann.profile.Objects)), nil
}

func (p *person) join(ctx context.Context, e *examination) error {
	home, err := client.OpenHome(p.home)
	if err != nil {
		return err
	}
	server, err := client.Connect(ctx, &http.Client{Timeout: requestTimeout}, e.status.ServerURL)
	if err != nil {
		return err
	}
	p.profile, err = client.Join(ctx, client.JoinOptions{
		Server: server, Address: e.status.ServerURL, Code: p.member.ConfigurationCode, Home: home, DeviceName: "self-test",
		Now: e.Now, NewKeyPair: client.NewKeyPair, Progress: func(client.Step) {},
	})
	if err != nil {
		p.profile = nil
	}
	return err
}

// search has one member look the other up in the contact directory.
func search(ctx context.Context, e *examination) (string, error) {
	if !e.joined() {
		return "", notTried("the test members have not joined")
	}
	ann, bob := e.people.ann, e.people.bob
	server, err := client.Connect(ctx, &http.Client{Timeout: requestTimeout}, e.status.ServerURL)
	if err != nil {
		return "", err
	}
	found, err := client.New(server, ann.profile, e.Now).SearchContacts(ctx, strings.ToUpper(bob.member.Email))
	if err != nil {
		return "", err
	}
	if len(found) != 1 || found[0].IdentityGUID != bob.member.GUID {
		return "", fmt.Errorf("%d contacts were found by the address of the other", len(found))
	}
	return "one found the other by the e-mail address", nil
}

// register makes both known to their relays.
func register(ctx context.Context, e *examination) (string, error) {
	if !e.joined() {
		return "", notTried("the test members have not joined")
	}
	for _, p := range []*person{e.people.ann, e.people.bob} {
		relays, err := groove.Relays(p.profile, groove.Access{Version: e.Version, Log: e.Log})
		if err != nil {
			return "", err
		}
		if len(relays) == 0 {
			return "", failed("see furrow relay-set list: the default relay set of a domain must name a relay",
				"the management server names no relay for its members")
		}
		for _, o := range relays {
			if err := groove.Register(ctx, o); err != nil {
				return "", err
			}
		}
		p.relays = relays
	}
	return "both are known to " + e.people.ann.relays[0].Relay.URL, nil
}

func (e *examination) joined() bool {
	return e.people != nil && e.people.bob != nil && e.people.ann.profile != nil && e.people.bob.profile != nil
}

func (e *examination) registered() bool {
	return e.joined() && e.people.ann.relays != nil && e.people.bob.relays != nil
}

// cleanUp takes away what the examination has made.
func cleanUp() check {
	return check{
		name: "clean-up", tried: "delete the test domain with all that is in it",
		remedy: "look for it with furrow domain list --all, and delete it with furrow domain delete --with-members",
		run: func(ctx context.Context, e *examination) (string, error) {
			err := os.RemoveAll(e.people.dir)
			if e.people.domain == "" {
				return "there was none", err
			}
			_, deleted := e.api.DeleteDomain(ctx, e.people.domain, true)
			if err := errors.Join(err, deleted); err != nil {
				return "", err
			}
			return "nothing is left of it", nil
		},
	}
}
