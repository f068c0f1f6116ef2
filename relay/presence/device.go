package presence

import (
	"time"

	"furrow/sstp"
)

// device is what the hub knows of one device. It exists while the device is
// connected, online or watched. The lock of the hub guards it.
type device struct {
	url         string // the spelling that came first
	online      bool
	connections int
	watchers    []*peer     // each knows where it stands
	grace       *time.Timer // runs while the device may reconnect
}

// device returns a device, which is made if it is not there. The caller holds mu.
func (h *Hub) device(url string) *device {
	guid := sstp.DeviceGUID(url)
	d := h.devices[guid]
	if d == nil {
		d = &device{url: url}
		h.devices[guid] = d
	}
	return d
}

// release forgets a device of which nothing is to be known. The caller holds mu.
func (h *Hub) release(d *device) {
	if d.connections == 0 && !d.online && len(d.watchers) == 0 {
		delete(h.devices, sstp.DeviceGUID(d.url))
	}
}

// set makes a device online or offline, which all who watch are to be told. The
// caller holds mu.
func (h *Hub) set(d *device, online bool) {
	d.stay()
	if d.online == online {
		return
	}
	d.online = online
	if online {
		h.stats.Online++
	} else {
		h.stats.Online--
	}
	for _, p := range d.watchers {
		p.mark(d)
		p.gather()
	}
}

// stay ends the grace time.
func (d *device) stay() {
	if d.grace != nil {
		d.grace.Stop()
		d.grace = nil
	}
}
