package soap

import (
	"furrow/appliance/keys"
)

// The published texts leave some points open to more than one reading. This
// file lists the decisions of this package; where a peer may have read the text
// the other way, both are typed here: the first is what we send, the others
// are accepted too, and what a peer has used is used when it is answered.
//
//	A1   MS-GRVSPCM 3.1.5.4 hashes once, its sister MS-GRVSPMR 3.1.2.2.4 twice:
//	     management once, then twice.
//	A2   MS-GRVSPMR 3.1.2.3.7 does not say how often: relays twice, then once.
//	A3   MS-GRVSPMR 3.3.4.1.1.5 defines the digest of a Registration itself and
//	     does not double it: once, then twice.
//	A4   MS-GRVSPCM 3.2.5.2.2.6 hashes twice and "signs" the second digest, which
//	     a signer that hashes would hash again: twice, then once, then thrice.
//	A6   MAC "for the message digest" (MS-GRVSPCM 3.1.5.6): over the digest, then
//	     over the data.
//	A7   RSA signatures: over a DigestInfo, then over the bare digest.
//	A8   CSMKey is encrypted as PKCS #1 v1.5 has it; OAEP is not tried, because
//	     trying a second padding would tell that the first was wrong.
//	B1   BackupFragmenetSize as misspelt in the schema is sent; the table's
//	     spelling is accepted.
//	B2   Event identifier: _EventID is sent, EventID read in its place; when both
//	     are there they must be equal. AccountStore sends both.
//	B4   Prefixes inside payloads: see [Is].
//	B7   Uploads of audit logs and files have their content in the header: the
//	     MAC alone is sent, content beside it accepted.
//	B8   The payload of AccountStore is the bytes of the fragment; whatever it is,
//	     the server keeps it as it is.
//	B11  Booleans are 0 and 1 only.
//	B13  Prolog of the envelope: requests have it, relay requests and all
//	     responses have not; accepted with and without.
//	B14  Base64 is sent without line breaks and accepted with them.
//	B16  Payload as text or as attribute, as the schema of the message says;
//	     accepted either way, not both at once.
//	B17  Spellings of attribute names: the schemas' are sent, the tables' are
//	     accepted as well.
//	D1   IVs are as long as the key.
//	D2   Escapes: &amp; &lt; &gt; &quot; and decimal &#9; &#10; &#13; in attributes.
//	D7   Attributes are sorted by code point.
//	E6   Children of Fault: sent without prefix, read with any.
//	E7   IdentityPublishReponse in one schema is a misprint.
//
// Trying a second reading weakens no check: each needs the same key, and the
// inputs that the readings hash never coincide, because a digest has 20 bytes
// and data begins with the prolog.

// MACReading is a way to read what the MAC of a fragment covers (A1, A2, A6).
type MACReading uint8

// The readings of a fragment's MAC. The zero value, of a peer who was not heard
// yet, is taken for the first.
const (
	MACOverDigest       MACReading = iota + 1 // HMAC of SHA-1
	MACOverDoubleDigest                       // HMAC of SHA-1 of SHA-1
	MACOverData                               // HMAC of header and payload
)

// ManagementMACs returns the readings of MS-GRVSPCM 3.1.5.6, the one to send
// first.
func ManagementMACs() []MACReading {
	return []MACReading{MACOverDigest, MACOverDoubleDigest, MACOverData}
}

// RelayMACs returns the readings of MS-GRVSPMR 3.1.2.2.6, the one to send
// first.
func RelayMACs() []MACReading {
	return []MACReading{MACOverDoubleDigest, MACOverDigest, MACOverData}
}

// mac computes the MAC of a header and a payload under key.
func (r MACReading) mac(key keys.SharedKey, header, payload []byte) []byte {
	switch r {
	case MACOverData:
		return key.MAC(header, payload)
	case MACOverDoubleDigest:
		d := keys.Sum(2, header, payload)
		return key.MAC(d[:])
	default:
		d := keys.Sum(1, header, payload)
		return key.MAC(d[:])
	}
}

// SignatureReading is a way to read what a fragment's signature covers.
type SignatureReading struct {
	Rounds int  // of SHA-1 (A3, A4, A5)
	Bare   bool // the digest is not in a DigestInfo (A7); never sent
}

// CreateAccountSignatures returns the readings of MS-GRVSPCM 3.3.5.2.2.5 and
// 3.3.5.2.2.6, the one to send first.
func CreateAccountSignatures() []SignatureReading {
	return []SignatureReading{{2, false}, {1, false}, {3, false}, {2, true}, {1, true}, {3, true}}
}

// RegistrationSignatures returns the readings of MS-GRVSPMR 3.3.4.1.1.5 (A3),
// the one to send first.
func RegistrationSignatures() []SignatureReading {
	return []SignatureReading{{1, false}, {2, false}, {1, true}, {2, true}}
}

// Verify checks a signature over the parts as r reads it.
func (r SignatureReading) Verify(key *keys.RSAPublicKey, signature []byte, parts ...[]byte) error {
	d := keys.Sum(r.Rounds, parts...)
	if r.Bare {
		return key.VerifyBare(d, signature)
	}
	return key.Verify(d, signature)
}
