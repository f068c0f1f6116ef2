package main

import (
	"errors"
	"io"
	"slices"

	"furrow/cmd/furrow/groove"
)

type clientRegisterCmd struct{ relayFlags }

// registration is what has become of registering with one relay.
type registration struct {
	Relay      string `json:"relay"`
	Registered bool   `json:"registered"`
	Problem    string `json:"problem,omitempty"`
}

func (c *clientRegisterCmd) Run(s *session) error {
	m, err := c.open()
	if err != nil {
		return err
	}
	var done []registration
	var failures []error
	for _, o := range m.relays {
		r := registration{Relay: o.Relay.URL, Registered: true}
		if err := groove.Register(s.ctx, o); err != nil {
			r.Registered, r.Problem = false, oneLine(err)
			failures = append(failures, err)
		} else if !slices.Contains(m.profile.KnownToRelays, o.Relay.URL) {
			m.profile.KnownToRelays = append(m.profile.KnownToRelays, o.Relay.URL)
		}
		done = append(done, r)
	}
	if err := m.home.Save(m.profile); err != nil {
		return errors.Join(append(failures, err)...)
	}
	err = s.out.print(done, func(w io.Writer) error {
		rows := make([][]string, 0, len(done))
		for _, r := range done {
			rows = append(rows, []string{r.Relay, map[bool]string{true: "registered", false: "not registered"}[r.Registered]})
		}
		return table(w, []string{"RELAY", "ACCOUNT"}, rows)
	})
	return errors.Join(append(failures, err)...)
}
