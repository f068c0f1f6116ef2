package spmr

import (
	"cmp"

	"furrow/gms/soap"
)

// RelayDefault changes the settings of a relay's service (MS-GRVSPMR 2.2.3.6.1):
//
//	<RelayDefault>
//	  <relay deviceLifetime="" deviceTargetQuotaSize="" identityLifetime=""
//	   identityTargetQuotaSize="" purgeEnabled="" quotaEnabled=""/>
//	</RelayDefault>
//
// Numbers must be positive. A relay ignores those that are not (note <2>); what
// was no number at all is 0 after decoding.
type RelayDefault struct {
	DeviceLifetime   int32 // days
	DeviceQuota      int32 // megabytes
	IdentityLifetime int32 // days
	IdentityQuota    int32 // megabytes
	PurgeEnabled     bool
	QuotaEnabled     bool
}

// Names of attributes.
const (
	attrDeviceLifetime   = "deviceLifetime"
	attrDeviceQuota      = "deviceTargetQuotaSize"
	attrIdentityLifetime = "identityLifetime"
	attrIdentityQuota    = "identityTargetQuotaSize"
	attrPurgeEnabled     = "purgeEnabled"
	attrQuotaEnabled     = "quotaEnabled"
)

// Encode returns the payload.
func (m *RelayDefault) Encode() []byte {
	e := soap.NewElement(MethodRelayDefault)
	e.AddChild(soap.NewElement("relay",
		soap.Attr{Name: attrDeviceLifetime, Value: soap.FormatInt(m.DeviceLifetime)},
		soap.Attr{Name: attrDeviceQuota, Value: soap.FormatInt(m.DeviceQuota)},
		soap.Attr{Name: attrIdentityLifetime, Value: soap.FormatInt(m.IdentityLifetime)},
		soap.Attr{Name: attrIdentityQuota, Value: soap.FormatInt(m.IdentityQuota)},
		soap.Attr{Name: attrPurgeEnabled, Value: soap.FormatBool(m.PurgeEnabled)},
		soap.Attr{Name: attrQuotaEnabled, Value: soap.FormatBool(m.QuotaEnabled)}))
	return soap.Canonical(e)
}

// DecodeRelayDefault reads the payload. It fails with faults 310 to 312.
func DecodeRelayDefault(payload []byte) (*RelayDefault, error) {
	e, err := parse(payload, shortRequest, MethodRelayDefault)
	if err != nil {
		return nil, err
	}
	relay, err := only(e, "relay")
	if err != nil {
		return nil, err
	}
	number := func(name string) int32 {
		a := soap.AttributesOf(relay) // of its own: the failure of one is none of the others
		return a.Int(name)
	}
	a := soap.AttributesOf(relay)
	m := &RelayDefault{
		DeviceLifetime:   number(attrDeviceLifetime),
		DeviceQuota:      number(attrDeviceQuota),
		IdentityLifetime: number(attrIdentityLifetime),
		IdentityQuota:    number(attrIdentityQuota),
		PurgeEnabled:     a.Bool(attrPurgeEnabled),
		QuotaEnabled:     a.Bool(attrQuotaEnabled),
	}
	return m, cmp.Or(
		present(relay, attrDeviceLifetime, attrDeviceQuota, attrIdentityLifetime, attrIdentityQuota, attrPurgeEnabled, attrQuotaEnabled),
		invalid(a.Err()))
}
