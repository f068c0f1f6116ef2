// Package auditlog is the audit log of a device as it is uploaded: the document
// LU ([MS-GRVSPCM] 2.2.3.5.1) with the security model of 3.1.4, made by the
// Audit Service of a client and opened by the management server. It knows no
// storage and no messages.
//
//	<LU _dg="" _dgh="" _iv="" _lok="" _mac="" _v="1,0">
//	  <L>
//	    <BH _body="" _iv="" _key="" _mac=""/>   a session of the client begins
//	    <E _body="" _iv="" _mac=""/>...         its events
//	    <EH _body="" _iv="" _mac=""/>           it ends
//	    <UM _dt="" _q=""/>                      an upload was made here
//	  </L>
//	</LU>
//
// # What is published, and what is not
//
// The section names the attributes, 3.1.4 the keys: the lock-on key of the
// device (AES, 192 bits, "encrypted with the management server key"), a key to
// each session (AES, 192 bits, counter mode, encrypted to the domain) and MACs
// "of the ranges of the entries" with the lock-on key. How the parts fit
// together is not said. This package reads it like 3.1.5 of the same document
// (reading D4):
//
//   - _lok is the lock-on key, _key the session's, RSAES-PKCS1-v1_5 to the
//     domain's encryption key;
//   - _body is AES-192-CTR of an XML document with the session key, _iv its
//     first counter;
//   - _mac of an entry is HMAC-SHA1, with the session key, of the SHA-1 of the
//     serialized element without _body and _mac, followed by the plaintext;
//   - _mac of LU is HMAC-SHA1, with the lock-on key, of the SHA-1 of the
//     serialized LU without its _mac; LU/@_iv is random and makes no two alike;
//   - entries in front of the first BH belong to the session that the upload
//     before has left open.
//
// A client that reads it otherwise is recognised by a MAC that does not fit.
// Only _dg, _dgh, _v and UM/@_q of its log can be relied on.
//
// [MS-GRVSPCM]: https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-grvspcm
package auditlog

import (
	"crypto/hmac"
	"slices"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

const (
	// MaxSize bounds a serialized log, in bytes. A busy client writes some
	// hundred kilobytes a day; this is what one that was offline for weeks
	// brings.
	MaxSize = 16 << 20

	// maxEntries bounds the entries of one log: what they become in memory is
	// a multiple of what they are on the wire.
	maxEntries = 50_000

	// keySize is the size in bytes of lock-on and session keys: 192 bits
	// (MS-GRVSPCM 3.1.4).
	keySize = 24

	// version is LU/@_v.
	version = "1,0"

	// markerTime is the layout of UM/@_dt. It has no time zone; UTC is written
	// and read.
	markerTime = "01/02/2006 15:04:05"
)

// NewKey makes a lock-on key.
func NewKey() (keys.SharedKey, error) { return keys.GenerateSharedKey(keySize) }

// elements of a log.
const (
	elementBegin  = "BH"
	elementEntry  = "E"
	elementEnd    = "EH"
	elementMarker = "UM"
)

const (
	attrBody = "_body"
	attrKey  = "_key"
	attrIV   = "_iv"
	attrMAC  = "_mac"
)

// macOf is the MAC of an element without the given attributes, followed by
// content.
func macOf(key keys.SharedKey, e *etree.Element, content []byte, without ...string) []byte {
	bare := *e
	bare.Attr = slices.DeleteFunc(slices.Clone(e.Attr), func(a etree.Attr) bool {
		return a.Space == "" && slices.Contains(without, a.Key)
	})
	d := keys.Sum(1, soap.Canonical(&bare), content)
	return key.MAC(d[:])
}

// sealElement encrypts a body into an element that has its other attributes
// already.
func sealElement(e *etree.Element, key keys.SharedKey, body []byte) error {
	iv, ciphertext, err := key.EncryptCTR(body)
	if err != nil {
		return err
	}
	e.CreateAttr(attrIV, soap.EncodeBase64(iv))
	mac := macOf(key, e, body)
	e.CreateAttr(attrBody, soap.EncodeBase64(ciphertext))
	e.CreateAttr(attrMAC, soap.EncodeBase64(mac))
	return nil
}

// openElement returns the plaintext of an element, false if it was not sealed
// with this key.
func openElement(e *etree.Element, key keys.SharedKey) ([]byte, bool) {
	a := soap.AttributesOf(e)
	iv, ciphertext, mac := a.Base64(attrIV, "iv"), a.Base64(attrBody, "body"), a.Base64(attrMAC)
	if a.Err() != nil {
		return nil, false
	}
	body, err := key.DecryptCTR(iv, ciphertext)
	if err != nil || !hmac.Equal(mac, macOf(key, e, body, attrBody, "body", attrMAC)) {
		return nil, false
	}
	return body, true
}
