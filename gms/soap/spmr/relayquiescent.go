package spmr

import (
	"cmp"

	"furrow/gms/soap"
)

// RelayQuiescent makes a relay inactive or active (MS-GRVSPMR 2.2.3.8.1):
//
//	<RelayQuiescent><relay status=""/></RelayQuiescent>
type RelayQuiescent struct {
	Inactive bool // status 1; a relay takes any other than 0 for it (note <4>)
}

// Encode returns the payload.
func (m *RelayQuiescent) Encode() []byte {
	e := soap.NewElement(MethodRelayQuiescent)
	e.AddChild(soap.NewElement("relay", soap.Attr{Name: "status", Value: soap.FormatBool(m.Inactive)}))
	return soap.Canonical(e)
}

// DecodeRelayQuiescent reads the payload. It fails with faults 310 to 312.
func DecodeRelayQuiescent(payload []byte) (*RelayQuiescent, error) {
	e, err := parse(payload, shortRequest, MethodRelayQuiescent)
	if err != nil {
		return nil, err
	}
	relay, err := only(e, "relay")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(relay)
	m := &RelayQuiescent{Inactive: a.Int("status") != 0}
	return m, cmp.Or(present(relay, "status"), invalid(a.Err()))
}
