package spcm

import "furrow/gms/soap"

// PassphraseResetStatus asks how a [PassphraseResetRequest] stands (MS-GRVSPCM
// 2.2.3.44.1).
//
//	<PassphraseResetStatus AccountGUID=""/>
type PassphraseResetStatus struct {
	AccountGUID string
}

// Encode returns the payload.
func (m *PassphraseResetStatus) Encode() []byte {
	return soap.Canonical(soap.NewElement("PassphraseResetStatus",
		soap.Attr{Name: "AccountGUID", Value: m.AccountGUID}))
}

// DecodePassphraseResetStatus reads the payload.
func DecodePassphraseResetStatus(payload []byte) (*PassphraseResetStatus, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "PassphraseResetStatus")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	return &PassphraseResetStatus{AccountGUID: a.Name("AccountGUID")}, a.Err()
}

// ResetStatus is the state of a passphrase reset in an answer. The sections
// contradict each other about pending (reading E5).
type ResetStatus int32

// The values of MS-GRVSPCM 3.2.5.6.2.
const (
	ResetApproved ResetStatus = 0
	ResetRefused  ResetStatus = 1
	ResetPending  ResetStatus = 2

	resetPollAgain ResetStatus = 3 // pending in MS-GRVSPCM 2.2.3.45.1
)

// PassphraseResetStatusResponse is the answer to [PassphraseResetStatus]
// (MS-GRVSPCM 2.2.3.45.1), in the layer of reading E4. The keys are there when
// the reset is approved, encrypted to the key of the temporary contact.
//
//	<PassphraseResetStatus AccountGUID="" EncryptedMasterKey=""
//	    EncryptedSecretMasterKey="" Status="0"/>
type PassphraseResetStatusResponse struct {
	AccountGUID     string
	Status          ResetStatus
	MasterKey       []byte // nil unless approved
	SecretMasterKey []byte
}

// Encode returns the payload.
func (m *PassphraseResetStatusResponse) Encode() []byte {
	e := soap.NewElement("PassphraseResetStatus", soap.Attr{Name: "AccountGUID", Value: m.AccountGUID})
	if m.Status == ResetApproved {
		e.CreateAttr("EncryptedMasterKey", soap.EncodeBase64(m.MasterKey))
		e.CreateAttr("EncryptedSecretMasterKey", soap.EncodeBase64(m.SecretMasterKey))
	}
	e.CreateAttr("Status", soap.FormatInt(int32(m.Status)))
	return returnPayload(e)
}

// DecodePassphraseResetStatusResponse reads the payload. Both values for
// pending come out as [ResetPending].
func DecodePassphraseResetStatusResponse(payload []byte) (*PassphraseResetStatusResponse, error) {
	e, err := parseReturnPayload(payload, "PassphraseResetStatus")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &PassphraseResetStatusResponse{AccountGUID: a.Name("AccountGUID"), Status: ResetStatus(a.Int("Status"))}
	switch m.Status {
	case ResetApproved:
		m.MasterKey, m.SecretMasterKey = a.Base64("EncryptedMasterKey"), a.Base64("EncryptedSecretMasterKey")
	case resetPollAgain:
		m.Status = ResetPending
	case ResetRefused, ResetPending:
	default:
		a.Reject("Status", "not one of the published values")
	}
	return m, a.Err()
}
