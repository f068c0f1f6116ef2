package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"furrow/gms/directory"
	"furrow/sstp"
	"furrow/web/access"
)

// MemberDevice is a device on which a member's account is, as the relay of the box knows it.
type MemberDevice struct {
	URL       string    `json:"url"`
	Added     time.Time `json:"added"` // when the relay came to know it
	Online    bool      `json:"online"`
	LockedOut bool      `json:"lockedOut"`
	// Waiting and WaitingBytes are what the relay keeps for it.
	Waiting      int   `json:"waiting"`
	WaitingBytes int64 `json:"waitingBytes"`
	// Account is the device as the member's domain knows it, by the GUID in its URL; nil if it has no account there.
	Account *Device `json:"account,omitempty"`
}

func (h *handler) memberDeviceRoutes() []Route {
	return []Route{{
		Method: "GET", Path: "/v1/members/{guid}/devices", Role: access.Member,
		Summary: "The devices of a member that this box's relay knows", action: answer(h, h.memberDevices),
	}}
}

func (h *handler) memberDevices(r *http.Request) ([]MemberDevice, error) {
	m, err := h.Directory.Member(r.PathValue("guid"))
	if err != nil {
		return nil, err
	}
	devices := []MemberDevice{}
	if h.Relay == nil {
		return devices, nil
	}
	identity, known := h.Relay.Registry().Identity(m.IdentityURL)
	if !known {
		return devices, nil
	}
	for _, url := range h.Relay.Registry().DevicesOf(identity.AccountURL) {
		device, known := h.Relay.Registry().LookupDevice(url)
		if !known {
			continue
		}
		shown := MemberDevice{URL: url, Added: device.Added, LockedOut: device.LockedOut}
		if shown.Account, err = h.deviceAccount(m.Domain, sstp.DeviceGUID(url)); err != nil {
			return nil, err
		}
		shown.Online, shown.Waiting, shown.WaitingBytes = h.Relay.DeviceState(url)
		devices = append(devices, shown)
	}
	return devices, nil
}

// deviceAccount is a device of a domain, nil if there is none.
func (h *handler) deviceAccount(domain, guid string) (*Device, error) {
	d, err := h.Directory.Domain(domain)
	if err != nil {
		return nil, err
	}
	device, err := h.Directory.Device(domain, guid)
	if errors.Is(err, directory.ErrDeviceNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	shown, err := h.showDevice(d, device, h.failuresByDevice(d))
	return &shown, err
}

// MemberDevices returns the devices of a member that the box's relay knows.
func (c *Client) MemberDevices(ctx context.Context, guid string) ([]MemberDevice, error) {
	return call[[]MemberDevice](ctx, c, http.MethodGet, "/v1/members/"+url.PathEscape(guid)+"/devices", nil)
}
