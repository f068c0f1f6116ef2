package wandpp

// Everything in this file is wire profile 1: choices this project makes where
// the text of [MS-GRVWDPP] could not be had. None of it is known to be what the
// original products do. A capture that shows otherwise is obeyed here.
//
//	<?xml version='1.0'?><?groove.net version='1.0'?><Publish Status="Online" Version="1"/>
//	...<Subscribe Version="1"><Device URL="dpp://relay.example/..."/>...</Subscribe>
//	...<Unsubscribe Version="1"><Device URL="..."/>...</Unsubscribe>
//	...<Notify Version="1"><Device Status="Online" URL="..."/>...</Notify>

// Wire profile 1: what a document begins with. The second instruction is the
// family's own. Documents without either are read too.
const (
	prolog       = `<?xml version='1.0'?><?` + familyTarget + ` version='1.0'?>`
	xmlTarget    = "xml"
	familyTarget = "groove.net"
)

// Wire profile 1: names are in no namespace. The family's is read too.
const familyNamespace = "urn:groove.net"

// Wire profile 1: the elements, their attributes, and the only version.
const (
	elementPublish     = "Publish"
	elementSubscribe   = "Subscribe"
	elementUnsubscribe = "Unsubscribe"
	elementNotify      = "Notify"
	elementDevice      = "Device"

	attributeStatus  = "Status"
	attributeVersion = "Version"
	attributeURL     = "URL"

	version       = "1"
	statusOnline  = "Online"
	statusOffline = "Offline"
)

const (
	// MaxDevices is how many devices one document names (wire profile 1 says it of
	// Subscribe).
	MaxDevices = 4096

	// MaxURL is the most octets of a device URL: the longest host name and the
	// identifier of a device make 300.
	MaxURL = 320

	// MaxDocument is the most octets of a document. The most and longest device
	// URLs make 1.5 MB.
	MaxDocument = 2 << 20

	// maxSpan is the most octets from one < to the next: a device with the longest
	// URL, all of it escaped, makes 2,000. A decoder of XML takes many times the
	// memory of a tag with many attributes, before anybody can count them.
	maxSpan = 4 << 10

	// maxAttributes of an element: two, and room for namespaces.
	maxAttributes = 8
)
