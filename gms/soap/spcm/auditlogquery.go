package spcm

import "furrow/gms/soap"

// serviceVersion is the _v of the audit messages.
const serviceVersion = "1,0"

// AuditLogUploadQuery asks up to where the server has a device's audit log
// (MS-GRVSPCM 2.2.3.7.1). The answer is an [AuditLogRange].
//
//	<AuditLogUploadQuery _v="1,0"/>
type AuditLogUploadQuery struct{}

// Encode returns the payload.
func (m *AuditLogUploadQuery) Encode() []byte {
	return soap.Canonical(soap.NewElement("AuditLogUploadQuery", soap.Attr{Name: "_v", Value: serviceVersion}))
}

// DecodeAuditLogUploadQuery reads the payload.
func DecodeAuditLogUploadQuery(payload []byte) (*AuditLogUploadQuery, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "AuditLogUploadQuery")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	checkServiceVersion(a)
	return &AuditLogUploadQuery{}, a.Err()
}

// checkServiceVersion reads the version, in either spelling (reading B18).
func checkServiceVersion(a *soap.Attributes) {
	if a.Text("_v", "v") != serviceVersion {
		a.Reject("_v", "not 1,0")
	}
}
