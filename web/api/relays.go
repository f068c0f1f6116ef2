package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"furrow/appliance/spool"
	"furrow/gms/directory"
	"furrow/gms/relaylink"
	"furrow/gms/soap/spmr"
	"furrow/relay"
	"furrow/relay/presence"
	"furrow/relay/queue"
	"furrow/relay/registry"
	"furrow/web/access"
)

// RelayBox is the relay of this box.
type RelayBox interface {
	Registry() *registry.Registry
	Stats() relay.Stats
	Presence() presence.Stats
	// Waiting counts what is stored for recipients who are not there, once for each recipient.
	Waiting() (messages int, bytes int64)
	// Queues yields every queue in which something waits, in no order.
	Queues() iter.Seq2[queue.Address, spool.Usage]
	// DeviceState says whether a device says that it is online, and what is stored for it.
	DeviceState(deviceURL string) (online bool, messages int, bytes int64)
	// Purge throws away what is stored for a device, an identity or another relay, given by URL, for good.
	Purge(ctx context.Context, target string) (messages int, bytes int64, err error)
	// AssignToEmptySets gives this box's relay to every domain whose default relay set is empty.
	AssignToEmptySets(ctx context.Context) error
	// ServeOutsideManagers opens the relay-management port once a manager outside this box is known.
	ServeOutsideManagers() error
}

// LocalRelay describes the relay of this box.
type LocalRelay struct {
	DeviceURL string `json:"deviceURL"`
	SOAPURL   string `json:"soapURL"`
	// Active is false while a management server has made the relay inactive, such as during a build of the user database.
	Active      bool      `json:"active"`
	Managers    []Manager `json:"managers"`
	Connections int       `json:"connections"`
	Devices     int       `json:"devices"` // authenticated connections
	// Online is the number of devices that say so, and Subscriptions that of devices watched, once for each who watches.
	Online        int `json:"online"`
	Subscriptions int `json:"subscriptions"`
	// Waiting counts what is stored for recipients who are not there, once for each recipient.
	Waiting      int   `json:"waiting"`
	WaitingBytes int64 `json:"waitingBytes"`
}

// Manager is a management server that this box's relay knows.
type Manager struct {
	GUID         string `json:"guid"`
	Name         string `json:"name"`
	Organization string `json:"organization"`
	Users        int    `json:"users"`
	// Registered says that the manager shares a key with the relay.
	Registered bool `json:"registered"`
}

// Relay is a relay known to this box's management server: its own or one elsewhere.
type Relay struct {
	GUID      string `json:"guid"`
	DeviceURL string `json:"deviceURL"`
	SOAPURL   string `json:"soapURL"`
	// State is one of: ready, building (its user database), waiting (for a first contact) and failing.
	State string `json:"state"`
	// Pending is the number of members of whom the relay has yet to be told.
	Pending int `json:"pending"`
	// Users is the number of users that the relay is known to have, Own says that it is the relay of this box.
	Users int  `json:"users"`
	Own   bool `json:"own"`
	// Settings are those that the relay has or is to have, nil if it was left its own and these are not known.
	Settings *RelayDefaults `json:"settings,omitempty"`
	// Problem is why the last attempt failed; Next is the time of the next one.
	Problem string    `json:"problem,omitempty"`
	Next    time.Time `json:"next,omitzero"`
	Contact time.Time `json:"contact,omitzero"`
}

// RelayDefaults are the settings that a relay is told (MS-GRVSPMR 2.2.3.6.1), all positive.
type RelayDefaults struct {
	DeviceLifetimeDays   int32 `json:"deviceLifetimeDays"`
	IdentityLifetimeDays int32 `json:"identityLifetimeDays"`
	DeviceQuotaMB        int32 `json:"deviceQuotaMB"`
	IdentityQuotaMB      int32 `json:"identityQuotaMB"`
	// PurgeEnabled and QuotaEnabled put the lifetimes and the quotas into force.
	PurgeEnabled bool `json:"purgeEnabled"`
	QuotaEnabled bool `json:"quotaEnabled"`
}

// errNoRelay answers requests about relays on a box that is none, or not yet.
func errNoRelay() error {
	return &refusal{http.StatusServiceUnavailable, &Error{
		Code: "noRelay", Message: "this box runs no relay: its port is off or taken (see the log), or its state is being recovered",
	}}
}

// errNoLinks answers requests about the management of relays in recovery mode.
func errNoLinks() error {
	return &refusal{http.StatusServiceUnavailable, &Error{
		Code: "readOnly", Message: "relays are not managed before the restored state is accepted and the box restarted",
	}}
}

func (h *handler) relayRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/relay", Role: access.Member,
			Summary: "The relay of this box",
			action:  answer(h, withRelay(h, localRelay)),
		},
		{
			Method: "GET", Path: "/v1/relay/identity", Role: access.Domain,
			Summary: "The identity file of this relay, for an outside management server",
			action:  answer(h, withRelay(h, relayIdentity)),
		},
		{
			Method: "POST", Path: "/v1/relay/managers", Role: access.Server,
			Summary: "Let an outside management server use this relay",
			action:  ask(h, h.importManager),
		},
		{
			Method: "GET", Path: "/v1/manager/identity", Role: access.Domain,
			Summary: "The identity file of this management server, for an outside relay",
			action:  answer(h, withLinks(h, managerIdentity)),
		},
		{
			Method: "GET", Path: "/v1/relays", Role: access.Member,
			Summary: "Relays",
			action:  answer(h, withLinks(h, h.relays)),
		},
		{
			Method: "POST", Path: "/v1/relays", Role: access.Domain,
			Summary: "Add an outside relay",
			action:  ask(h, h.importRelay),
		},
		{
			Method: "PUT", Path: "/v1/relays/{guid}/defaults", Role: access.Domain,
			Summary: "Change the settings that a relay is told",
			action:  ask(h, h.setDefaults),
		},
		{
			Method: "GET", Path: "/v1/relay-sets", Role: access.Member, Query: []string{"domain"},
			Summary: "Relay sets of one domain or of all",
			action:  answer(h, h.relaySets),
		},
		{
			Method: "POST", Path: "/v1/relay-sets", Role: access.Domain,
			Summary: "Make a relay set",
			action:  ask(h, h.createRelaySet),
		},
		{
			Method: "PATCH", Path: "/v1/relay-sets/{guid}", Role: access.Domain,
			Summary: "Rename a relay set",
			action:  ask(h, h.renameRelaySet),
		},
		{
			Method: "DELETE", Path: "/v1/relay-sets/{guid}", Role: access.Domain,
			Summary: "Delete a relay set that nobody is assigned",
			action:  answer(h, h.deleteRelaySet),
		},
		{
			Method: "PUT", Path: "/v1/relay-sets/{guid}/relays", Role: access.Domain,
			Summary: "Set the relays of a relay set, in order",
			action:  ask(h, h.orderRelaySet),
		},
		{
			Method: "POST", Path: "/v1/relay-sets/{guid}/assignment", Role: access.Domain,
			Summary: "Give a relay set to its domain, a group or a member",
			action:  ask(h, h.assignRelaySet),
		},
	}
}

// withRelay refuses what needs a relay on a box without one.
func withRelay[Answer any](h *handler, f func(RelayBox, *http.Request) (Answer, error)) func(*http.Request) (Answer, error) {
	return func(r *http.Request) (answer Answer, err error) {
		if h.Relay == nil {
			return answer, errNoRelay()
		}
		return f(h.Relay, r)
	}
}

// withLinks refuses what needs the management of relays where there is none.
func withLinks[Answer any](h *handler, f func(*relaylink.Links, *http.Request) (Answer, error)) func(*http.Request) (Answer, error) {
	return func(r *http.Request) (answer Answer, err error) {
		if h.Links == nil {
			return answer, errNoLinks()
		}
		return f(h.Links, r)
	}
}

func localRelay(box RelayBox, _ *http.Request) (LocalRelay, error) {
	identity, err := box.Registry().RelayIdentity()
	if err != nil {
		return LocalRelay{}, err
	}
	stats := box.Stats()
	shown := LocalRelay{
		DeviceURL: identity.DeviceURL, SOAPURL: identity.SOAPURL, Active: !box.Registry().Quiescent(), Managers: []Manager{},
		Connections: stats.Connections, Devices: stats.Devices,
	}
	present := box.Presence()
	shown.Online, shown.Subscriptions = present.Online, present.Subscriptions
	shown.Waiting, shown.WaitingBytes = box.Waiting()
	for _, m := range box.Registry().Managers() {
		shown.Managers = append(shown.Managers, Manager{
			GUID: m.GUID, Name: m.Name, Organization: m.Organization, Users: len(box.Registry().Users(m.GUID)),
			Registered: !m.Registered.IsZero(),
		})
	}
	return shown, nil
}

// File is a file of the outside exchange between management servers and relays.
type File struct {
	Name    string `json:"name"`
	Content []byte `json:"content"` // base64 in JSON
}

func relayIdentity(box RelayBox, _ *http.Request) (File, error) {
	identity, err := box.Registry().RelayIdentity()
	if err != nil {
		return File{}, err
	}
	return File{Name: "ServerID.xml", Content: identity.Encode()}, nil
}

func managerIdentity(links *relaylink.Links, _ *http.Request) (File, error) {
	identity, err := links.Identity()
	if err != nil {
		return File{}, err
	}
	return File{Name: "ManagementServer.reg", Content: identity.EncodeRegistry()}, nil
}

func (h *handler) importManager(r *http.Request, file File) (LocalRelay, error) {
	if h.Relay == nil {
		return LocalRelay{}, errNoRelay()
	}
	identity, err := spmr.ParseManagerIdentity(file.Content)
	if err != nil {
		return LocalRelay{}, &Error{Code: "invalid", Message: "this is not a management server's identity file: " + err.Error()}
	}
	if _, err := h.Relay.Registry().ImportManager(r.Context(), identity); err != nil {
		return LocalRelay{}, err
	}
	if err := h.Relay.ServeOutsideManagers(); err != nil {
		return LocalRelay{}, err
	}
	return localRelay(h.Relay, r)
}

func (h *handler) relays(links *relaylink.Links, _ *http.Request) ([]Relay, error) {
	own, err := h.ownDeviceURL()
	if err != nil {
		return nil, err
	}
	all := []Relay{}
	for _, s := range links.Status() {
		shown := Relay{
			GUID: s.Relay, DeviceURL: s.DeviceURL, SOAPURL: s.SOAPURL, State: "ready", Pending: s.Pending,
			Problem: s.Error, Next: s.Next, Contact: s.Contact, Users: s.Users, Own: s.DeviceURL == own,
		}
		switch {
		case s.Wanted != nil:
			shown.Settings = showDefaults(*s.Wanted)
		case shown.Own:
			now := h.Relay.Registry().Settings()
			shown.Settings = &RelayDefaults{
				now.DeviceLifetime, now.IdentityLifetime, now.DeviceQuota, now.IdentityQuota, now.PurgeEnabled, now.QuotaEnabled,
			}
		}
		switch {
		case s.Error != "":
			shown.State = "failing"
		case s.Building:
			shown.State = "building"
		case !s.Registered:
			shown.State = "waiting"
		}
		all = append(all, shown)
	}
	return all, nil
}

// ownDeviceURL is the device URL of this box's relay, empty if it has none.
func (h *handler) ownDeviceURL() (string, error) {
	if h.Relay == nil {
		return "", nil
	}
	identity, err := h.Relay.Registry().RelayIdentity()
	if err != nil {
		return "", err
	}
	return identity.DeviceURL, nil
}

func showDefaults(d spmr.RelayDefault) *RelayDefaults {
	return &RelayDefaults{
		DeviceLifetimeDays: d.DeviceLifetime, IdentityLifetimeDays: d.IdentityLifetime,
		DeviceQuotaMB: d.DeviceQuota, IdentityQuotaMB: d.IdentityQuota,
		PurgeEnabled: d.PurgeEnabled, QuotaEnabled: d.QuotaEnabled,
	}
}

func (h *handler) importRelay(r *http.Request, file File) (Relay, error) {
	if h.Links == nil {
		return Relay{}, errNoLinks()
	}
	identity, err := spmr.ParseRelayIdentity(file.Content)
	if err != nil {
		return Relay{}, &Error{Code: "invalid", Message: "this is not a relay's identity file: " + err.Error()}
	}
	imported, err := h.Links.ImportRelay(r.Context(), identity)
	if err != nil {
		return Relay{}, err
	}
	h.Links.Nudge()
	return h.relayByGUID(r, imported.GUID)
}

func (h *handler) setDefaults(r *http.Request, q RelayDefaults) (Relay, error) {
	if h.Links == nil {
		return Relay{}, errNoLinks()
	}
	if min(q.DeviceLifetimeDays, q.IdentityLifetimeDays, q.DeviceQuotaMB, q.IdentityQuotaMB) <= 0 {
		return Relay{}, &Error{Code: "invalid", Message: "lifetimes and quotas must be positive"}
	}
	guid := r.PathValue("guid")
	err := h.Links.SetDefaults(r.Context(), guid, spmr.RelayDefault{
		DeviceLifetime: q.DeviceLifetimeDays, DeviceQuota: q.DeviceQuotaMB,
		IdentityLifetime: q.IdentityLifetimeDays, IdentityQuota: q.IdentityQuotaMB,
		PurgeEnabled: q.PurgeEnabled, QuotaEnabled: q.QuotaEnabled,
	})
	if err != nil {
		return Relay{}, err
	}
	h.Links.Nudge()
	return h.relayByGUID(r, guid)
}

func (h *handler) relayByGUID(r *http.Request, guid string) (Relay, error) {
	all, err := h.relays(h.Links, r)
	for _, shown := range all {
		if shown.GUID == guid {
			return shown, err
		}
	}
	return Relay{}, errors.Join(err, directory.ErrRelayNotFound)
}

// nudge has relays told of a change at once instead of within seconds.
func (h *handler) nudge() {
	if h.Links != nil {
		h.Links.Nudge()
	}
}
