package registry

import (
	"furrow/appliance/state"
)

// Settings are the defaults of the relay's service (MS-GRVSPMR 3.2.1), for all
// managers: the one that set them last decides.
type Settings struct {
	// DeviceLifetime and IdentityLifetime are the age in days at which a message
	// to a device or an identity is purged, if PurgeEnabled.
	DeviceLifetime   int32 `json:"deviceLifetime"`
	IdentityLifetime int32 `json:"identityLifetime"`
	// DeviceQuota and IdentityQuota are what the relay keeps for one device or
	// identity at most, in megabytes, if QuotaEnabled.
	DeviceQuota   int32 `json:"deviceQuota"`
	IdentityQuota int32 `json:"identityQuota"`
	PurgeEnabled  bool  `json:"purgeEnabled"`
	QuotaEnabled  bool  `json:"quotaEnabled"`
}

// DefaultSettings are those before a manager has set any. The published texts
// give none. Three months outlast a long leave; a quota that is on would refuse
// messages, so it is for an administrator to switch on (MS-GRVSPMR note <3>).
func DefaultSettings() Settings {
	return Settings{
		DeviceLifetime: 90, IdentityLifetime: 90, PurgeEnabled: true,
		DeviceQuota: 1024, IdentityQuota: 1024, QuotaEnabled: false,
	}
}

// override returns s with the values of other that are in range. A value that is
// not positive is ignored and no fault (MS-GRVSPMR note <2>).
func (s Settings) override(other Settings) Settings {
	for _, v := range []struct{ to, from *int32 }{
		{&s.DeviceLifetime, &other.DeviceLifetime}, {&s.IdentityLifetime, &other.IdentityLifetime},
		{&s.DeviceQuota, &other.DeviceQuota}, {&s.IdentityQuota, &other.IdentityQuota},
	} {
		if *v.from > 0 {
			*v.to = *v.from
		}
	}
	s.PurgeEnabled, s.QuotaEnabled = other.PurgeEnabled, other.QuotaEnabled
	return s
}

type settingsRow struct{ Settings }

// Settings returns the settings in force.
func (r *Registry) Settings() Settings { return r.settingsAt(r.store.Snapshot()) }

func (r *Registry) settingsAt(reader state.Reader) Settings {
	if row, ok := r.t.settings.Get(reader, relayKey); ok {
		return row.Settings
	}
	return DefaultSettings()
}
