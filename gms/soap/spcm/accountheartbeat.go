package spcm

import "furrow/gms/soap"

// AccountHeartbeat says that an account is in use (MS-GRVSPCM 2.2.3.1.1). The
// answer is a return code.
//
//	<AccountHeartbeat Version=""/>
type AccountHeartbeat struct {
	Version string // of the client
}

// Encode returns the payload.
func (m *AccountHeartbeat) Encode() []byte {
	return soap.Canonical(soap.NewElement("AccountHeartbeat", soap.Attr{Name: "Version", Value: m.Version}))
}

// DecodeAccountHeartbeat reads the payload.
func DecodeAccountHeartbeat(payload []byte) (*AccountHeartbeat, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "AccountHeartbeat")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	return &AccountHeartbeat{Version: a.Text("Version")}, a.Err()
}
