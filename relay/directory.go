package relay

import (
	"slices"
	"time"

	"furrow/relay/queue"
	"furrow/relay/registry"
)

// directory is what the queues see of the registry.
type directory struct{ registry *registry.Registry }

// NewDirectory returns the queues' view of a registry, for [queue.Options].
func NewDirectory(r *registry.Registry) queue.Directory { return directory{r} }

const (
	megabyte = 1 << 20
	day      = 24 * time.Hour
)

// Limits implements [queue.Directory].
func (d directory) Limits() queue.Limits {
	s := d.registry.Settings()
	var l queue.Limits
	if s.QuotaEnabled {
		l.DeviceQuota, l.IdentityQuota = int64(s.DeviceQuota)*megabyte, int64(s.IdentityQuota)*megabyte
	}
	if s.PurgeEnabled {
		l.DeviceLifetime, l.IdentityLifetime = time.Duration(s.DeviceLifetime)*day, time.Duration(s.IdentityLifetime)*day
	}
	return l
}

// Recipient implements [queue.Directory]. Nothing is stored for what has not
// registered: the names come from whoever sends.
func (d directory) Recipient(identityURL, deviceURL string) (queue.Verdict, error) {
	identity, known := d.registry.Identity(identityURL)
	if !known {
		return queue.Unknown, nil
	}
	if deviceURL != "" {
		device, known := d.registry.LookupDevice(deviceURL)
		if !known || !slices.Contains(device.AccountURLs, identity.AccountURL) {
			return queue.Unknown, nil
		}
	}
	if identity.LockedOut {
		return queue.LockedOut, nil
	}
	return queue.Accepted, nil
}
