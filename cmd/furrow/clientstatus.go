package main

import (
	"context"
	"errors"
	"io"

	"furrow/relay/client"
	"furrow/sstp/auth"
)

type clientStatusCmd struct{ relayFlags }

// clientStatus is how an account stands with its relays.
type clientStatus struct {
	FullName string             `json:"fullName"`
	Member   string             `json:"member"`
	Identity string             `json:"identityURL"`
	Device   string             `json:"deviceURL"`
	Relays   []relayAccessState `json:"relays"`
}

type relayAccessState struct {
	Relay string `json:"relay"`
	// State is "ready", "not registered" or "failing".
	State string `json:"state"`
	// Via is the way on which the relay has answered, in words.
	Via     string `json:"via,omitempty"`
	Problem string `json:"problem,omitempty"`
}

func (c *clientStatusCmd) Run(s *session) error {
	m, err := c.open()
	if err != nil {
		return err
	}
	status := clientStatus{
		FullName: m.profile.FullName,
		Member:   m.profile.MemberGUID,
		Identity: m.profile.IdentityURL,
		Device:   m.profile.DeviceURL,
	}
	for _, o := range m.relays {
		state := tryRelay(s.ctx, o)
		state.Via = m.router.Used(o.Relay.URL)
		status.Relays = append(status.Relays, state)
	}
	return s.out.print(status, func(w io.Writer) error {
		err := facts(w,
			[2]string{"full name", status.FullName},
			[2]string{"member", status.Member},
			[2]string{"identity", status.Identity},
			[2]string{"device", status.Device},
		)
		if err != nil {
			return err
		}
		rows := make([][]string, 0, len(status.Relays))
		for _, r := range status.Relays {
			rows = append(rows, []string{r.Relay, r.State, r.Via, r.Problem})
		}
		return table(w, []string{"RELAY", "STATE", "VIA", "PROBLEM"}, rows)
	})
}

// tryRelay logs in to a relay, and changes nothing there.
func tryRelay(ctx context.Context, o client.Options) relayAccessState {
	o.LoginOnly = true
	state := relayAccessState{Relay: o.Relay.URL, State: "ready"}
	link, err := client.Dial(ctx, o)
	if err == nil {
		err = link.Attach(ctx)
		link.Close()
	}
	switch {
	case errors.Is(err, auth.ErrRegistrationNeeded):
		state.State = "not registered"
	case err != nil:
		state.State, state.Problem = "failing", oneLine(err)
	}
	return state
}
