package spcm

import (
	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// maxMailBody bounds the text that a client gives for a mail, in bytes: some
// pages, of which a policy's instructions have a few lines.
const maxMailBody = 8 << 10

// AutomaticPasswordReset asks for an account's master keys under a temporary
// password that the server mails to the member (MS-GRVSPCM 2.2.3.13.1).
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <g:AutomaticPasswordResetRequest AutoPasswordResetBody=""
//	      AutoPasswordResetSalutation="" AutoPasswordResetSubject=""
//	      CertificatePublicKeyHash="" ContactDisplayName="" DigestAlgorithm="SHA1"
//	      EmailAddress="" EncryptedMasterKey="" EncryptedSecretMasterKey=""
//	      GUID="" URL=""/>
//	</g:fragment>
type AutomaticPasswordReset struct {
	AccountGUID string // attribute GUID
	IdentityURL string // attribute URL
	// RecoveryKeyHash is the SHA-1 digest of the key to which the master keys
	// are encrypted.
	RecoveryKeyHash keys.Digest // attribute CertificatePublicKeyHash
	MasterKey       []byte      // keys.StorageKey.Escrow for account and identity
	SecretMasterKey []byte

	// Of the mail; the server mails to the address that it has itself.
	Subject     string
	Salutation  string
	Body        string // may have several lines
	DisplayName string
	Email       string
}

// Encode returns the payload.
func (m *AutomaticPasswordReset) Encode() []byte {
	return soap.Canonical(soap.NewFragmentElement(soap.NewElement("g:AutomaticPasswordResetRequest",
		soap.Attr{Name: "AutoPasswordResetBody", Value: m.Body},
		soap.Attr{Name: "AutoPasswordResetSalutation", Value: m.Salutation},
		soap.Attr{Name: "AutoPasswordResetSubject", Value: m.Subject},
		soap.Attr{Name: "CertificatePublicKeyHash", Value: soap.EncodeBase64(m.RecoveryKeyHash[:])},
		soap.Attr{Name: "ContactDisplayName", Value: m.DisplayName},
		soap.Attr{Name: "DigestAlgorithm", Value: digestAlgorithm},
		soap.Attr{Name: "EmailAddress", Value: m.Email},
		soap.Attr{Name: "EncryptedMasterKey", Value: soap.EncodeBase64(m.MasterKey)},
		soap.Attr{Name: "EncryptedSecretMasterKey", Value: soap.EncodeBase64(m.SecretMasterKey)},
		soap.Attr{Name: "GUID", Value: m.AccountGUID},
		soap.Attr{Name: "URL", Value: m.IdentityURL})))
}

// DecodeAutomaticPasswordReset reads the payload.
func DecodeAutomaticPasswordReset(payload []byte) (*AutomaticPasswordReset, error) {
	e, err := parseWrapped(payload, keyRequest, "AutomaticPasswordResetRequest")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &AutomaticPasswordReset{
		AccountGUID:     a.Name("GUID"),
		IdentityURL:     a.Name("URL"),
		RecoveryKeyHash: decodeHash(a, "CertificatePublicKeyHash"),
		MasterKey:       decodeEscrow(a, "EncryptedMasterKey"),
		SecretMasterKey: decodeEscrow(a, "EncryptedSecretMasterKey"),
		Subject:         a.Text("AutoPasswordResetSubject"),
		Salutation:      a.Text("AutoPasswordResetSalutation"),
		Body:            a.Prose("AutoPasswordResetBody", maxMailBody),
		DisplayName:     a.Text("ContactDisplayName"),
		Email:           a.Text("EmailAddress"),
	}
	a.OneOf("DigestAlgorithm", digestAlgorithm)
	return m, a.Err()
}

// AutomaticPasswordResetResponse is the answer to [AutomaticPasswordReset]
// (MS-GRVSPCM 2.2.3.14.1), whose element has the request's name:
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <g:AutomaticPasswordResetRequest EmailAddress="" EncryptedMasterKey=""
//	      EncryptedMasterKeyIV="" EncryptedSecretMasterKey=""
//	      EncryptedSecretMasterKeyIV="" MAC="" URL=""/>
//	</g:fragment>
type AutomaticPasswordResetResponse struct {
	Email       string // to which the temporary password was mailed
	IdentityURL string
	Keys        keys.SealedStorageKeys
}

// Encode returns the payload.
func (m *AutomaticPasswordResetResponse) Encode() []byte {
	return soap.Canonical(soap.NewFragmentElement(soap.NewElement("g:AutomaticPasswordResetRequest",
		soap.Attr{Name: "EmailAddress", Value: m.Email},
		soap.Attr{Name: "EncryptedMasterKey", Value: soap.EncodeBase64(m.Keys.MasterKey)},
		soap.Attr{Name: "EncryptedMasterKeyIV", Value: soap.EncodeBase64(m.Keys.MasterKeyIV)},
		soap.Attr{Name: "EncryptedSecretMasterKey", Value: soap.EncodeBase64(m.Keys.SecretMasterKey)},
		soap.Attr{Name: "EncryptedSecretMasterKeyIV", Value: soap.EncodeBase64(m.Keys.SecretMasterKeyIV)},
		soap.Attr{Name: "MAC", Value: soap.EncodeBase64(m.Keys.MAC)},
		soap.Attr{Name: "URL", Value: m.IdentityURL})))
}

// DecodeAutomaticPasswordResetResponse reads the payload.
func DecodeAutomaticPasswordResetResponse(payload []byte) (*AutomaticPasswordResetResponse, error) {
	e, err := parseWrapped(payload, MaxResponseSize, "AutomaticPasswordResetRequest")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	return &AutomaticPasswordResetResponse{
		Email:       a.Text("EmailAddress"),
		IdentityURL: a.Text("URL"),
		Keys: keys.SealedStorageKeys{
			MasterKey:         a.Base64("EncryptedMasterKey"),
			MasterKeyIV:       a.Base64("EncryptedMasterKeyIV"),
			SecretMasterKey:   a.Base64("EncryptedSecretMasterKey"),
			SecretMasterKeyIV: a.Base64("EncryptedSecretMasterKeyIV"),
			MAC:               a.Base64("MAC"),
		},
	}, a.Err()
}
