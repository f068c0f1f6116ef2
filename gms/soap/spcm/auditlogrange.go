package spcm

import (
	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// NoLogRange is the low end of every [AuditLogRange] (MS-GRVSPCM 3.2.5.7.1,
// 3.2.5.7.2), and the high end for a device that has uploaded nothing yet.
const NoLogRange = -1

// AuditLogRange says up to where the server has the audit log of a device. It
// is the answer to [AuditLogUpload] and to [AuditLogUploadQuery]; their
// elements differ in the name only (MS-GRVSPCM 2.2.3.6.1, 2.2.3.8.1):
//
//	<LUR _com="1" _dgh="" _lrh="" _lrl="-1" _sig="" _v="1,0"/>
//	<LUQR .../>
type AuditLogRange struct {
	Complete bool // the upload has ended, and well
	// DeviceHash is that of [DeviceHash].
	DeviceHash keys.Digest
	High, Low  int32 // upload sequence numbers; a client may purge up to High
}

// DeviceHash is the SHA-1 digest of a device GUID (MS-GRVSPCM 3.2.1).
func DeviceHash(guid string) keys.Digest { return keys.Sum(1, keys.UTF16LE(guid)) }

// rangeElement is the element of the answer to a service.
func rangeElement(service string) string {
	if service == ServiceAuditLogUploadQuery {
		return "LUQR"
	}
	return "LUR"
}

// Encode returns the payload of the answer to a service, signed.
func (m *AuditLogRange) Encode(service string, signer *keys.RSAPrivateKey) ([]byte, error) {
	return signAnswer(soap.NewElement(rangeElement(service),
		soap.Attr{Name: "_com", Value: soap.FormatBool(m.Complete)},
		soap.Attr{Name: "_dgh", Value: soap.EncodeBase64(m.DeviceHash[:])},
		soap.Attr{Name: "_lrh", Value: soap.FormatInt(m.High)},
		soap.Attr{Name: "_lrl", Value: soap.FormatInt(m.Low)},
		soap.Attr{Name: "_v", Value: serviceVersion}), signer)
}

// DecodeAuditLogRange reads the answer to a service and verifies its signature
// with the domain's key.
func DecodeAuditLogRange(service string, payload []byte, domain *keys.RSAPublicKey) (*AuditLogRange, error) {
	a, err := parseAnswer(payload, domain, rangeElement(service))
	if err != nil {
		return nil, err
	}
	m := &AuditLogRange{DeviceHash: digest(a, "_dgh"), High: a.Int("_lrh"), Low: a.Int("_lrl")}
	m.Complete = complete(a)
	return m, a.Err()
}

// complete reads _com, in either spelling (reading B18).
func complete(a *soap.Attributes) bool {
	if !a.Has("_com") && a.Has("com") {
		return a.Bool("com")
	}
	return a.Bool("_com")
}
