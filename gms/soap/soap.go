// Package soap is secured Groove SOAP: what the messages between clients,
// management server and relay have in common ([MS-GRVSPCM] 2.2.2 and 3.1,
// [MS-GRVSPMR] 2.2.2 and 3.1). It knows no service; package spcm has the
// messages of the management server.
//
// A message is an onion:
//
//	envelope             [Request], [Response], [Fault]: plain SOAP, one service element
//	  base64
//	    fragment         [Fragment]: a header in the clear ([Event]) and secured content
//	      MARC4, HMAC
//	        payload      XML of the service
//
// Each layer is read by [Parse], which is strict about size and about what of
// XML it takes, and serialized by [Canonical], byte for byte as digests need it.
// A server's way through the layers:
//
//	request, err := soap.DecodeRequest(body, rule)                    // 105
//	fragment, err := soap.ParseFragment(request.Payload, limit, soap.WrapperEvent) // 105, 204
//	event, err := soap.DecodeEvent(fragment.Wrapper())                // 204
//	...                                                               // find the key: 209, 200
//	plaintext, reading, err := fragment.Open(key, soap.ManagementMACs()) // 205
//	...                                                               // decode and act: 204, others
//	answer := soap.NewFragment(soap.NewElement(soap.WrapperReturnPayload))
//	secured, err := answer.Secure(key, payload, reading)
//	body := (&soap.Response{Service: request.Service, Payload: secured}).Encode(soap.Response2)
//
// Errors of decoders are [*Fault] values, ready to be sent by a server;
// [FaultFrom] makes one of any other error. A client meets the same values when
// an answer cannot be read, but a fault that its server sent is found in
// [Response] and never in an error.
//
// The protocol has no protection against replay. [Replays] gives a request that
// comes twice its first answer.
//
// The two specifications differ in how often they hash and leave some points
// open; readings.go lists the decisions.
//
// [MS-GRVSPCM]: https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-grvspcm
// [MS-GRVSPMR]: https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-grvspmr
package soap
