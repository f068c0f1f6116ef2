// Package spmr holds the messages between a management server and a relay
// ([MS-GRVSPMR] 2.2.3), one file to each, and the two files that they exchange
// before the first message (3.2.3). Envelope, fragment and security around the
// messages are package soap's.
//
// What a type's Encode method returns is a serialized payload, the plaintext to
// secure; a Decode function takes the plaintext back. [Registration] is the
// exception: it brings the key that secures the others and is a whole fragment.
//
// Decoders of requests fail with a *soap.Fault of codes 310 to 312, ready to be
// sent; faults.go has the table. Decoders of responses fail with the same
// values, which tell a client no more than that the response is bad.
//
// [MS-GRVSPMR]: https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-grvspmr
package spmr

import (
	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// Methods, by the names of their elements (MS-GRVSPMR 3.1.1.1).
const (
	MethodRegistration   = "Registration"
	MethodRelayDefault   = "RelayDefault"
	MethodRelayQuiescent = "RelayQuiescent"
	MethodUserAdd        = "userAdd"
	MethodUserPurge      = "userPurge"
	MethodAccountModify  = "accountModify"
)

// Version is the protocol version in requests (MS-GRVSPMR 3.1.1.1).
const Version = 1

// SharedKeySize is the size in bytes of the key that a management server shares
// with a relay: 160 bits (MS-GRVSPMR 3.3.4.1.1.1).
const SharedKeySize = 20

// MaxUsers is the most users that one request of ours names. At some 110 bytes
// a user in two layers of base64 that is a body of 60 KB, acknowledged within
// any timeout by a slow relay.
const MaxUsers = 500

const (
	// shortRequest bounds a request with a few attributes, or with the two
	// largest keys that are accepted, their signature and an encrypted key.
	shortRequest = 32 << 10

	// MaxRequestSize bounds a request with a list of users, for some nine
	// thousand of them: managers other than ours may send more than MaxUsers.
	MaxRequestSize = 1 << 20

	// MaxResponseSize bounds the body of any response, in bytes. They hold an
	// epoch.
	MaxResponseSize = 32 << 10
)

// RequestRule is the rule for [soap.DecodeRequest] over all methods.
func RequestRule(method string) (soap.RequestRule, bool) {
	rule := soap.RequestRule{Shape: soap.RelayRequest, Limit: shortRequest}
	switch method {
	case MethodRegistration, MethodRelayDefault, MethodRelayQuiescent:
		return rule, true
	case MethodUserAdd, MethodUserPurge, MethodAccountModify:
		rule.Limit = MaxRequestSize
		return rule, true
	}
	return soap.RequestRule{}, false
}

// certificateOf is the g:Cert element of a key set.
func certificateOf(set *keys.KeySet) soap.Certificate {
	return soap.Certificate{Encryption: set.Encryption.Public(), Signature: set.Signature.Public()}
}
