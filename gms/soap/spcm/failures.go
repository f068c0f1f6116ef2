package spcm

import "furrow/gms/soap"

// Failures reports what has failed in managing a device (MS-GRVSPCM
// 2.2.3.27.1). The answer is a return code.
//
//	<Failures><Failure Subtype="5" Type="6001"/>...</Failures>
type Failures struct{ Subtypes []FailureSubtype }

// failureType is the only Type.
const failureType = "6001"

// maxFailures bounds the failures of one report: four subtypes are published,
// and a client may have tried each several times.
const maxFailures = 64

// FailureSubtype says what has failed.
type FailureSubtype int32

// The values of MS-GRVSPCM 2.2.3.27.1.
const (
	FailureRegistryChange FailureSubtype = 2
	FailureRegistryCreate FailureSubtype = 3
	FailurePolicies       FailureSubtype = 5
	FailureDeclined       FailureSubtype = 6
)

// String returns the description of the section.
func (s FailureSubtype) String() string {
	switch s {
	case FailureRegistryChange:
		return "unable to delete or modify a registry entry"
	case FailureRegistryCreate:
		return "unable to create a registry entry"
	case FailurePolicies:
		return "unable to retrieve device policies from the server"
	case FailureDeclined:
		return "user declined to manage the device"
	}
	return "failure " + soap.FormatInt(int32(s))
}

// Encode returns the payload. Subtype is spelled as in the schema (reading
// B10).
func (m *Failures) Encode() []byte {
	e := soap.NewElement("Failures")
	for _, s := range m.Subtypes {
		e.AddChild(soap.NewElement("Failure",
			soap.Attr{Name: "Subtype", Value: soap.FormatInt(int32(s))},
			soap.Attr{Name: "Type", Value: failureType}))
	}
	return soap.Canonical(e)
}

// DecodeFailures reads the payload.
func DecodeFailures(payload []byte) (*Failures, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "Failures")
	if err != nil {
		return nil, err
	}
	elements := soap.Children(e, "Failure")
	if len(elements) == 0 || len(elements) > maxFailures {
		return nil, soap.InvalidParameter("Failures/Failure", "none, or too many")
	}
	m := &Failures{}
	for _, element := range elements {
		a := soap.AttributesOf(element)
		a.OneOf("Type", failureType)
		subtype := FailureSubtype(a.Int("Subtype", "SubType"))
		switch subtype {
		case FailureRegistryChange, FailureRegistryCreate, FailurePolicies, FailureDeclined:
		default:
			a.Reject("Subtype", "not one of the published values")
		}
		if err := a.Err(); err != nil {
			return nil, err
		}
		m.Subtypes = append(m.Subtypes, subtype)
	}
	return m, nil
}
