package spcm

import "furrow/gms/soap"

// elementIdentityList is the name of the list of a ContactFetch, of its entries,
// and of the list in the answer.
const elementIdentityList = "IdentityList"

// ContactFetch asks for the vCards of members (MS-GRVSPCM 2.2.3.15.1, 4.4.1).
//
//	<ContactFetch>
//	  <IdentityList><IdentityList IdentityGUID=""/>...</IdentityList>
//	</ContactFetch>
type ContactFetch struct {
	Identities []string // GUIDs, one at least
}

// Encode returns the payload.
func (m *ContactFetch) Encode() []byte {
	list := soap.NewElement(elementIdentityList)
	for _, guid := range m.Identities {
		list.AddChild(soap.NewElement(elementIdentityList, soap.Attr{Name: "IdentityGUID", Value: guid}))
	}
	e := soap.NewElement("ContactFetch")
	e.AddChild(list)
	return soap.Canonical(e)
}

// DecodeContactFetch reads the payload.
func DecodeContactFetch(payload []byte) (*ContactFetch, error) {
	e, err := soap.ParsePayload(payload, listRequest, "ContactFetch")
	if err != nil {
		return nil, err
	}
	list, err := soap.RequiredChild(e, elementIdentityList)
	if err != nil {
		return nil, err
	}
	m := &ContactFetch{}
	for _, identity := range soap.Children(list, elementIdentityList) {
		a := soap.AttributesOf(identity)
		m.Identities = append(m.Identities, a.Name("IdentityGUID"))
		if err := a.Err(); err != nil {
			return nil, err
		}
	}
	if len(m.Identities) == 0 {
		return nil, soap.InvalidParameter("IdentityList/IdentityList", "missing")
	}
	return m, nil
}

// ContactFetchResponse is the answer to [ContactFetch] (MS-GRVSPCM 2.2.3.16.1,
// 4.4.2), in the layer of reading E4:
//
//	<IdentityList IdentityCount="">
//	  <Identity IdentityGUID="" VCard="base64"/>...
//	</IdentityList>
type ContactFetchResponse struct {
	Contacts []FetchedContact
}

// FetchedContact is what a member has published.
type FetchedContact struct {
	IdentityGUID string
	VCard        []byte
}

// Encode returns the payload.
func (m *ContactFetchResponse) Encode() []byte {
	e := soap.NewElement(elementIdentityList,
		soap.Attr{Name: "IdentityCount", Value: soap.FormatInt(int32(len(m.Contacts)))})
	for _, c := range m.Contacts {
		e.AddChild(soap.NewElement("Identity",
			soap.Attr{Name: "IdentityGUID", Value: c.IdentityGUID},
			soap.Attr{Name: "VCard", Value: soap.EncodeBase64(c.VCard)}))
	}
	return returnPayload(e)
}

// DecodeContactFetchResponse reads the payload.
func DecodeContactFetchResponse(payload []byte) (*ContactFetchResponse, error) {
	e, err := parseReturnPayload(payload, elementIdentityList)
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	elements := soap.Children(e, "Identity")
	if a.Int("IdentityCount") != int32(len(elements)) {
		a.Reject("IdentityCount", "not the number of identities")
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	m := &ContactFetchResponse{}
	for _, identity := range elements {
		a := soap.AttributesOf(identity)
		m.Contacts = append(m.Contacts, FetchedContact{IdentityGUID: a.Name("IdentityGUID"), VCard: a.Base64("VCard")})
		if err := a.Err(); err != nil {
			return nil, err
		}
	}
	return m, nil
}
