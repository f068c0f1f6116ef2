package soap

// payloadForm is how an element carries a payload (reading B16).
type payloadForm uint8

const (
	noPayload        payloadForm = iota
	contentPayload               // text, xsi:type="base64" (MS-GRVSPCM 2.2.2.2.5)
	attributePayload             // @data, xsi:type="binary" (MS-GRVSPCM 2.2.2.2.2)
)

// RequestShape is the layout of a request's service element.
type RequestShape uint8

// The published shapes of requests.
const (
	Request1     RequestShape = iota + 1 // MS-GRVSPCM 2.2.2.2.16
	Request2                             // MS-GRVSPCM 2.2.2.2.17
	Request3                             // MS-GRVSPCM 2.2.2.2.18
	RelayRequest                         // MS-GRVSPMR 2.2.2.2.5
)

// Names of child elements of a service element.
const (
	elementPayload        = "Payload"
	elementManagedObjects = "ManagedObjects"
	elementVersion        = "Version"
	elementBroadcast      = "LastBroadcastProcessed"
	elementSequence       = "MessageSequenceNumber"
	elementReturnCode     = "ReturnCode"
)

// requestLayout says what a request has, in the order of its schema.
type requestLayout struct {
	prolog  bool // reading B13
	payload payloadForm
	// order names the children.
	order []string
}

func (s RequestShape) layout() requestLayout {
	switch s {
	case Request1:
		return requestLayout{true, contentPayload, []string{elementPayload, elementVersion, elementBroadcast, elementSequence}}
	case Request2:
		return requestLayout{true, contentPayload, []string{elementPayload, elementVersion, elementBroadcast}}
	case Request3:
		return requestLayout{true, attributePayload, []string{elementPayload, elementVersion}}
	case RelayRequest:
		return requestLayout{false, attributePayload, []string{elementVersion, elementPayload}}
	}
	return requestLayout{}
}

// ResponseShape is the layout of a response's service element.
type ResponseShape uint8

// The published shapes of responses.
const (
	Response1     ResponseShape = iota + 1 // MS-GRVSPCM 2.2.2.2.19: ReturnCode
	Response2                              // MS-GRVSPCM 2.2.2.2.20: ReturnCode, Payload
	Response3                              // MS-GRVSPCM 2.2.2.2.21: ReturnCode, ManagedObjects if there are any
	RelayResponse                          // MS-GRVSPMR 2.2.2.2.6: Payload
)

// responseLayout says what a response has.
type responseLayout struct {
	suffix     string // of the service's name
	returnCode bool
	payload    string // name of the element, "" for none
	optional   bool   // the payload may be absent
}

func (s ResponseShape) layout() responseLayout {
	switch s {
	case Response1:
		return responseLayout{"Response", true, "", false}
	case Response2:
		return responseLayout{"Response", true, elementPayload, false}
	case Response3:
		return responseLayout{"Response", true, elementManagedObjects, true}
	case RelayResponse:
		return responseLayout{"", false, elementPayload, false}
	}
	return responseLayout{}
}
