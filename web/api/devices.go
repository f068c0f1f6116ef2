package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"furrow/gms/directory"
	"furrow/web/access"
)

// Device is a computer with a device account in a domain (MS-GRVSPCM 3.2.1).
type Device struct {
	GUID       string `json:"guid"`
	Domain     string `json:"domain"` // the domain's name
	DomainGUID string `json:"domainGUID"`
	// Name is what the device calls itself, empty as long as it has reported no failure: else clients do not say it.
	Name string `json:"name,omitempty"`
	// Status is unmanaged, managed or deleted.
	Status   string    `json:"status"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"lastSeen,omitzero"` // exact to an hour
	Policy   Holding   `json:"policy"`
	// Failures are what its client has failed to do.
	Failures []DeviceFailure `json:"failures,omitempty"`
}

func (h *handler) deviceRoutes() []Route {
	domain := []string{"domain"}
	return []Route{
		{
			Method: "GET", Path: "/v1/devices", Role: access.Member, Query: domain,
			Summary: "Devices of one domain or of all", action: answer(h, h.devices),
		},
		{
			Method: "GET", Path: "/v1/devices/{device}", Role: access.Member, Query: domain,
			Summary: "A device of a domain", action: answer(h, h.device),
		},
	}
}

func (h *handler) devices(r *http.Request) ([]Device, error) {
	domains, err := h.domainsOf(r)
	if err != nil {
		return nil, err
	}
	devices := []Device{}
	for _, d := range domains {
		failures := h.failuresByDevice(d)
		for _, device := range h.Directory.Devices(d.GUID) {
			shown, err := h.showDevice(d, device, failures)
			if err != nil {
				return nil, err
			}
			devices = append(devices, shown)
		}
	}
	return devices, nil
}

func (h *handler) device(r *http.Request) (Device, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return Device{}, err
	}
	device, err := h.Directory.Device(d.GUID, r.PathValue("device"))
	if err != nil {
		return Device{}, err
	}
	return h.showDevice(d, device, h.failuresByDevice(d))
}

// failuresByDevice are the failures in a domain by the GUID of the device, the last reported of an account first.
func (h *handler) failuresByDevice(d directory.Domain) map[string][]DeviceFailure {
	failures := map[string][]DeviceFailure{}
	for _, f := range h.failuresIn(d.GUID) {
		failures[f.Device] = append(failures[f.Device], f)
	}
	return failures
}

func (h *handler) showDevice(d directory.Domain, device directory.DeviceAccount, failures map[string][]DeviceFailure) (Device, error) {
	holds, err := h.Directory.DeviceInheritance(d.GUID, device.GUID)
	if err != nil {
		return Device{}, err
	}
	shown := Device{
		GUID: device.GUID, Domain: d.Name, DomainGUID: d.GUID, Status: device.Status.String(), Created: device.Created,
		Policy: h.showTemplateHolding(holds), Failures: failures[device.GUID],
	}
	if len(shown.Failures) > 0 {
		shown.Name = shown.Failures[0].DeviceName
	}
	if account, err := h.Directory.Account(d.GUID, device.GUID); err == nil {
		shown.LastSeen = account.LastSeen
	}
	return shown, nil
}

// Devices returns the devices of a domain, given by name or GUID, or of all domains when it is empty.
func (c *Client) Devices(ctx context.Context, domain string) ([]Device, error) {
	return call[[]Device](ctx, c, http.MethodGet, in("/v1/devices", domain), nil)
}

// Device returns a device of a domain, given by name or GUID.
func (c *Client) Device(ctx context.Context, domain, guid string) (Device, error) {
	return call[Device](ctx, c, http.MethodGet, in("/v1/devices/"+url.PathEscape(guid), domain), nil)
}
