// Package spcm holds the messages between Groove clients and the management
// server ([MS-GRVSPCM] 2.2.3), one file to each: the payloads, encoded and
// decoded for server and client alike. Envelope, fragment and security around
// them are package soap's.
//
// What a type's Encode method returns is a serialized payload, the plaintext to
// secure; a Decode function takes the plaintext back. Decoders check what the
// sections say of an attribute's form and fail with a *soap.Fault of code 204
// that names the first one missing or invalid. Whether a GUID is known or a
// signature right is for their callers.
//
// [Services] lists the services with the shapes of their messages, the keys
// that secure them and the sizes that they may have.
//
// [MS-GRVSPCM]: https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-grvspcm
package spcm
