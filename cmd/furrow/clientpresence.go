package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"furrow/gms/client"
	"furrow/gms/soap/spcm"
	relayclient "furrow/relay/client"
	"furrow/sstp"
)

type clientPresenceCmd struct {
	relayFlags
	Watch []string `help:"Whose presence to show: the identity URL, e-mail address or full name of somebody whose card is kept (see client card), or the URL of a device." placeholder:"IDENTITY"`
}

// change is a change of somebody's presence.
type change struct {
	Time     time.Time `json:"time"`
	State    string    `json:"state"` // online, offline or unknown
	FullName string    `json:"fullName,omitempty"`
	Identity string    `json:"identityURL,omitempty"`
	Device   string    `json:"deviceURL"`
}

func (c *clientPresenceCmd) Run(s *session) error {
	m, err := c.open()
	if err != nil {
		return err
	}
	people, err := m.find(c.Watch)
	if err != nil {
		return err
	}
	v := &presenceView{session: s, people: people}
	relays, elsewhere := m.watchedAt(people)
	for _, device := range elsewhere {
		v.changed(device, relayclient.StateUnknown) // and stays so
	}
	watcher := relayclient.Watcher{Relays: relays, Retry: relayclient.Retry{Notify: v.retrying}, Changed: v.changed}
	return errors.Join(watcher.Run(s.ctx), v.failed)
}

// find returns the contacts of people, by device URL.
func (m *relayMember) find(who []string) (map[string]client.KnownContact, error) {
	known, err := m.home.Contacts()
	if err != nil {
		return nil, err
	}
	own, err := m.profile.Contact()
	if err != nil {
		return nil, err
	}
	self, err := client.ParseContact(own)
	if err != nil {
		return nil, err
	}
	known = append(known, self)
	found := make(map[string]client.KnownContact)
	for _, name := range who {
		some := false
		for _, contact := range known {
			if contact.Is(name) || contact.DeviceURL == name {
				if err := sstp.CheckDeviceURL(contact.DeviceURL); err != nil {
					return nil, fmt.Errorf("card of %q: device: %w", name, err)
				}
				found[contact.DeviceURL], some = contact, true
			}
		}
		switch {
		case some:
		case sstp.CheckDeviceURL(name) == nil:
			found[name] = client.KnownContact{Contact: &spcm.Contact{DeviceURL: name}}
		default:
			return nil, fmt.Errorf("%q is nobody that is known: import the card that they have exported (furrow client card)", name)
		}
	}
	return found, nil
}

// watchedAt groups devices by the account's own relays, at all of which it is
// online. Of a device that names no relay any may know. A device that names only
// others is known elsewhere, where this account cannot ask.
func (m *relayMember) watchedAt(people map[string]client.KnownContact) (relays []relayclient.Watched, elsewhere []string) {
	for _, o := range m.relays {
		relays = append(relays, relayclient.Watched{Options: o})
	}
	for _, device := range slices.Sorted(maps.Keys(people)) {
		named, here := presenceRelays(people[device]), false
		for i := range relays {
			if len(named) == 0 || slices.Contains(named, relays[i].Relay.URL) {
				relays[i].Devices, here = append(relays[i].Devices, device), true
			}
		}
		if !here {
			elsewhere = append(elsewhere, device)
		}
	}
	return relays, elsewhere
}

// presenceView shows changes as they happen: a line for a person, or one JSON object
// on a line.
type presenceView struct {
	session *session
	people  map[string]client.KnownContact // by device URL

	mu     sync.Mutex
	failed error // of printing
}

func (v *presenceView) changed(device string, state relayclient.DeviceState) {
	v.mu.Lock()
	defer v.mu.Unlock()
	who := v.people[device]
	c := change{Time: time.Now(), State: state.String(), FullName: who.FullName, Identity: who.URL, Device: device}
	w := v.session.out.w
	if v.session.out.json {
		v.failed = errors.Join(v.failed, json.NewEncoder(w).Encode(c))
		return
	}
	shown := device
	switch {
	case c.FullName != "":
		shown = relayclient.SafeName(c.FullName) + "  " + device
	case c.Identity != "":
		shown = c.Identity + "  " + device
	}
	_, err := fmt.Fprintf(w, "%s  %-7s  %s\n", c.Time.Format(time.DateTime), c.State, shown)
	v.failed = errors.Join(v.failed, err)
}

func (v *presenceView) retrying(err error, wait time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.session.retrying(err, wait)
}
