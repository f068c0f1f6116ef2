package api

import (
	"context"
	"errors"
	"net/http"
	"runtime/metrics"
	"time"

	"furrow/appliance/disk"
	"furrow/appliance/state"
	"furrow/gms/directory"
	"furrow/web/access"
)

// Overview says how the box is, in numbers.
type Overview struct {
	Version   string    `json:"version"`
	ServerURL string    `json:"serverURL"`
	Started   time.Time `json:"started"`
	Now       time.Time `json:"now"`
	// Members counts those of every status: pending, active, disabled, deleted and migrated.
	Members map[string]int `json:"members"`
	Domains int            `json:"domains"`
	// Relay is absent on a box that runs none.
	Relay *RelayOverview `json:"relay,omitempty"`
	// Relays that the management server knows, and those among them that cannot be managed.
	Relays        int      `json:"relays"`
	FailingRelays []string `json:"failingRelays,omitempty"` // device URLs
	// Listeners says where each service listens, host:port.
	Listeners map[string]string `json:"listeners"`
	// DiskFree is what can still be written to the data directory, Memory what the program has taken, in octets.
	DiskFree int64 `json:"diskFree"`
	Memory   int64 `json:"memory"`
	// Mail is false on a box that sends none. MailWaiting counts what is to be sent, MailFailed what was given up.
	Mail        bool `json:"mail"`
	MailWaiting int  `json:"mailWaiting"`
	MailFailed  int  `json:"mailFailed"`
	// Resets counts the password resets that wait for a decision.
	Resets int `json:"resets"`
	// Backup is about backups of the box.
	Backup BackupOverview `json:"backup"`
	// ReadOnly says that the state was restored from damaged files and nothing changes until that is accepted.
	ReadOnly bool `json:"readOnly"`
}

// BackupOverview says how the backups of the box are.
type BackupOverview struct {
	// Planned is false on a box that has no target for them.
	Planned bool `json:"planned"`
	// Last is when the last one succeeded, Failures how often it has failed since.
	Last     time.Time `json:"last,omitzero"`
	Failures int       `json:"failures"`
}

// RelayOverview says how the relay of the box is, in numbers.
type RelayOverview struct {
	Online      int `json:"online"` // devices
	Connections int `json:"connections"`
	// Waiting counts what is stored for recipients who are not there, once for each recipient.
	Waiting      int   `json:"waiting"`
	WaitingBytes int64 `json:"waitingBytes"`
	// Since the start of the box.
	MessagesReceived uint64 `json:"messagesReceived"`
	BytesReceived    uint64 `json:"bytesReceived"`
	MessagesSent     uint64 `json:"messagesSent"`
	BytesSent        uint64 `json:"bytesSent"`
}

// Overview returns how the box is.
func (c *Client) Overview(ctx context.Context) (Overview, error) {
	return call[Overview](ctx, c, http.MethodGet, "/v1/overview", nil)
}

func (h *handler) overviewRoutes() []Route {
	return []Route{{
		Method: "GET", Path: "/v1/overview", Role: access.Member, Summary: "How the box is, in numbers",
		action: answer(h, h.overview),
	}}
}

func (h *handler) overview(r *http.Request) (Overview, error) {
	status, err := h.status(r)
	if err != nil {
		return Overview{}, err
	}
	shown := Overview{
		Version: h.Version, ServerURL: status.ServerURL, Started: h.Started, Now: h.Now(), Domains: status.Domains,
		Listeners: h.Listeners, Members: map[string]int{}, Memory: memoryTaken(),
		ReadOnly: errors.Is(h.Store.Err(), state.ErrRecovery),
	}
	for status, n := range h.Directory.CountMembers("") {
		shown.Members[status.String()] = n
	}
	if shown.DiskFree, err = (disk.OS{}).Free(h.DataDir); err != nil {
		return Overview{}, err
	}
	if h.Relay != nil {
		stats := h.Relay.Stats()
		shown.Relay = &RelayOverview{
			Online: h.Relay.Presence().Online, Connections: stats.Connections,
			MessagesReceived: stats.MessagesReceived, BytesReceived: stats.BytesReceived,
			MessagesSent: stats.MessagesSent, BytesSent: stats.BytesSent,
		}
		shown.Relay.Waiting, shown.Relay.WaitingBytes = h.Relay.Waiting()
	}
	h.countMail(&shown)
	_, shown.Backup.Planned = h.Backup.Settings()
	outcome := h.Backup.Outcome()
	shown.Backup.Last, shown.Backup.Failures = outcome.Succeeded, outcome.Failures
	if h.Links != nil {
		known, err := h.relays(h.Links, r)
		if err != nil {
			return Overview{}, err
		}
		shown.Relays = len(known)
		for _, relay := range known {
			if relay.State == "failing" {
				shown.FailingRelays = append(shown.FailingRelays, relay.DeviceURL)
			}
		}
	}
	for _, reset := range h.Directory.PasswordResets() {
		if reset.Status == directory.ResetPending {
			shown.Resets++
		}
	}
	return shown, nil
}

func (h *handler) countMail(shown *Overview) {
	if h.Mail == nil {
		return
	}
	_, shown.Mail = h.Mail.Settings()
	shown.MailWaiting, shown.MailFailed = h.Mail.Count()
}

// memoryTaken is what the program has from the system.
func memoryTaken() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
