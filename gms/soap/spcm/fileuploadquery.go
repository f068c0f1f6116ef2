package spcm

import (
	"errors"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// FileUploadQuery asks whether the server has a file (MS-GRVSPCM 2.2.3.32.1).
//
//	<FileUploadQuery _ha="" _v="1,0"/>
type FileUploadQuery struct{ Hash keys.Digest }

// Encode returns the payload.
func (m *FileUploadQuery) Encode() []byte {
	return soap.Canonical(soap.NewElement("FileUploadQuery",
		soap.Attr{Name: "_ha", Value: soap.EncodeBase64(m.Hash[:])},
		soap.Attr{Name: "_v", Value: serviceVersion}))
}

// DecodeFileUploadQuery reads the payload.
func DecodeFileUploadQuery(payload []byte) (*FileUploadQuery, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "FileUploadQuery")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &FileUploadQuery{digest(a, "_ha", "ha")}
	checkServiceVersion(a)
	return m, a.Err()
}

// FileStatus is the state of a file on the server.
type FileStatus int32

// The values of MS-GRVSPCM 2.2.3.33.1.
const (
	FileNotPresent FileStatus = 0
	FilePresent    FileStatus = 1
	FileProcessing FileStatus = 2
)

// FileUploadQueryResponse is the answer to [FileUploadQuery] (MS-GRVSPCM
// 2.2.3.33.1).
//
//	<FUQR _com="1" _ha="" _sf="" _sig="" _v="1,0"/>
type FileUploadQueryResponse struct {
	Complete bool
	Hash     keys.Digest
	Status   FileStatus
}

// Encode returns the payload, signed.
func (m *FileUploadQueryResponse) Encode(signer *keys.RSAPrivateKey) ([]byte, error) {
	return signAnswer(soap.NewElement("FUQR",
		soap.Attr{Name: "_com", Value: soap.FormatBool(m.Complete)},
		soap.Attr{Name: "_ha", Value: soap.EncodeBase64(m.Hash[:])},
		soap.Attr{Name: "_sf", Value: soap.FormatInt(int32(m.Status))},
		soap.Attr{Name: "_v", Value: serviceVersion}), signer)
}

// DecodeFileUploadQueryResponse reads the payload and verifies its signature
// with the domain's key.
func DecodeFileUploadQueryResponse(payload []byte, domain *keys.RSAPublicKey) (*FileUploadQueryResponse, error) {
	a, err := parseAnswer(payload, domain, "FUQR")
	if err != nil {
		return nil, err
	}
	m := &FileUploadQueryResponse{Complete: complete(a), Hash: digest(a, "_ha"), Status: FileStatus(a.Int("_sf", "sf"))}
	if err := a.Err(); err != nil {
		return nil, err
	}
	if m.Status < FileNotPresent || m.Status > FileProcessing {
		return nil, errors.New("FUQR/@_sf: not a status")
	}
	return m, nil
}
