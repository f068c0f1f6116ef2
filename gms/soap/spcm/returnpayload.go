package spcm

import (
	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// returnPayload wraps the answer of some services in one more layer, as their
// schemas have it (reading E4):
//
//	<ReturnPayload Data="base64 of the serialized answer"/>
func returnPayload(answer *etree.Element) []byte {
	return soap.Canonical(soap.NewElement(elementReturnPayload,
		soap.Attr{Name: "Data", Value: soap.EncodeBase64(soap.Canonical(answer))}))
}

const elementReturnPayload = "ReturnPayload"

// parseReturnPayload returns the answer of the given name. It may come without
// the layer, as in the examples (MS-GRVSPCM 4.3.2, 4.4.2).
func parseReturnPayload(payload []byte, name string) (*etree.Element, error) {
	root, err := soap.ParsePayload(payload, MaxResponseSize, elementReturnPayload, name)
	if err != nil || soap.Is(root, name) {
		return root, err
	}
	a := soap.AttributesOf(root)
	answer := a.Base64("Data")
	if err := a.Err(); err != nil {
		return nil, err
	}
	return soap.ParsePayload(answer, MaxResponseSize, name)
}

// parseWrapped returns the element of the given name in a fragment, whose
// prefix may be left out in payloads (reading B4).
func parseWrapped(payload []byte, limit int, name string) (*etree.Element, error) {
	root, err := soap.ParsePayload(payload, limit, "fragment")
	if err != nil {
		return nil, err
	}
	return soap.RequiredChild(root, name)
}
