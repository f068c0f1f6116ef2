package spcm

import (
	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

const (
	// temporaryFlags, temporarySeqNum and temporaryVersion are fixed in a
	// temporary contact (MS-GRVSPCM 2.2.3.42.1).
	temporaryFlags   = "1"
	temporarySeqNum  = "1"
	temporaryVersion = "0,0,0,0"

	// MaxEscrow bounds an encrypted master key, in bytes: what the largest RSA
	// key makes.
	MaxEscrow = keys.MaxRSABits / 8
)

// PassphraseResetRequest asks an administrator for an account's master keys
// (MS-GRVSPCM 2.2.3.42.1). The answer is a return code.
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <PassphraseResetRequest AccountGUID="" AdminPublicKeyHash=""
//	      DigestAlgorithm="SHA1" EncryptedMasterKey="" EncryptedSecretMasterKey="">
//	    <g:Contact Flags="1" SeqNum="1" URL="" Version="0,0,0,0">
//	      <g:vCard/><g:ClientDevices/><g:RelayDevices/><g:CSecurity .../>
//	    </g:Contact>
//	  </PassphraseResetRequest>
//	</g:fragment>
type PassphraseResetRequest struct {
	AccountGUID string
	// RecoveryKeyHash is the SHA-1 digest of the key to which the master keys
	// are encrypted.
	RecoveryKeyHash keys.Digest // attribute AdminPublicKeyHash
	MasterKey       []byte      // keys.StorageKey.Escrow for the account
	SecretMasterKey []byte
	Contact         TemporaryContact
}

// TemporaryContact brings the key to which the server encrypts the answer. Its
// vCard and devices are empty.
type TemporaryContact struct {
	URL      string // identity URL
	Security CSecurity
}

// Element returns the g:Contact element.
func (c *TemporaryContact) Element() *etree.Element {
	e := soap.NewElement("g:Contact",
		soap.Attr{Name: "Flags", Value: temporaryFlags},
		soap.Attr{Name: "SeqNum", Value: temporarySeqNum},
		soap.Attr{Name: "URL", Value: c.URL},
		soap.Attr{Name: "Version", Value: temporaryVersion})
	for _, empty := range []string{"g:vCard", "g:ClientDevices", "g:RelayDevices"} {
		e.AddChild(soap.NewElement(empty))
	}
	e.AddChild(c.Security.Element())
	return e
}

// decodeTemporaryContact reads the Contact child of parent. What must be empty
// is not looked at.
func decodeTemporaryContact(parent *etree.Element) (*TemporaryContact, error) {
	e, err := soap.RequiredChild(parent, "Contact")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	a.OneOf("Flags", temporaryFlags)
	a.OneOf("SeqNum", temporarySeqNum)
	a.OneOf("Version", temporaryVersion)
	c := &TemporaryContact{URL: a.Name("URL")}
	if err := a.Err(); err != nil {
		return nil, err
	}
	security, err := DecodeCSecurity(e)
	if err != nil {
		return nil, err
	}
	c.Security = *security
	return c, nil
}

// Encode returns the payload.
func (m *PassphraseResetRequest) Encode() []byte {
	e := soap.NewElement("PassphraseResetRequest",
		soap.Attr{Name: "AccountGUID", Value: m.AccountGUID},
		soap.Attr{Name: "AdminPublicKeyHash", Value: soap.EncodeBase64(m.RecoveryKeyHash[:])},
		soap.Attr{Name: "DigestAlgorithm", Value: digestAlgorithm},
		soap.Attr{Name: "EncryptedMasterKey", Value: soap.EncodeBase64(m.MasterKey)},
		soap.Attr{Name: "EncryptedSecretMasterKey", Value: soap.EncodeBase64(m.SecretMasterKey)})
	e.AddChild(m.Contact.Element())
	return soap.Canonical(soap.NewFragmentElement(e))
}

// DecodePassphraseResetRequest reads the payload.
func DecodePassphraseResetRequest(payload []byte) (*PassphraseResetRequest, error) {
	e, err := parseWrapped(payload, keyRequest, "PassphraseResetRequest")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &PassphraseResetRequest{
		AccountGUID:     a.Name("AccountGUID"),
		RecoveryKeyHash: decodeHash(a, "AdminPublicKeyHash"),
		MasterKey:       decodeEscrow(a, "EncryptedMasterKey"),
		SecretMasterKey: decodeEscrow(a, "EncryptedSecretMasterKey"),
	}
	a.OneOf("DigestAlgorithm", digestAlgorithm)
	if err := a.Err(); err != nil {
		return nil, err
	}
	contact, err := decodeTemporaryContact(e)
	if err != nil {
		return nil, err
	}
	m.Contact = *contact
	return m, nil
}

// decodeHash reads the SHA-1 digest of a key.
func decodeHash(a *soap.Attributes, name string) (hash keys.Digest) {
	b := a.Base64(name)
	if copy(hash[:], b); len(b) != len(hash) {
		a.Reject(name, "not a SHA-1 digest")
	}
	return hash
}

// decodeEscrow reads an encrypted master key.
func decodeEscrow(a *soap.Attributes, name string) []byte {
	b := a.Base64(name)
	if len(b) == 0 || len(b) > MaxEscrow {
		a.Reject(name, "not of the size of a ciphertext")
	}
	return b
}
