package service

import (
	"context"
	"errors"

	"furrow/gms/audit"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// auditLogUpload takes a fragment of a device's audit log (MS-GRVSPCM
// 3.2.5.7.2). A fragment out of order is refused with fault 216, and so is what
// there is no room for; a whole that is not sound is answered as not complete.
func auditLogUpload(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeAuditLogUpload(m.header)
	if err != nil {
		return nil, err
	}
	complete, high, err := s.audit.UploadLog(ctx, senderOf(m.event), &p.Fragment)
	if err != nil {
		return nil, uploadFault(err, soap.CodeAuditLogUpload)
	}
	return s.logRange(spcm.ServiceAuditLogUpload, m.event, complete, high)
}

// auditLogUploadQuery tells up to where a device's audit log is kept
// (MS-GRVSPCM 3.2.5.7.1).
func auditLogUploadQuery(_ context.Context, s *Server, m *accountMessage) (*reply, error) {
	if _, err := spcm.DecodeAuditLogUploadQuery(m.payload); err != nil {
		return nil, err
	}
	high := s.audit.LastSequence(m.event.DomainGUID, m.event.UserDeviceGUID)
	return s.logRange(spcm.ServiceAuditLogUploadQuery, m.event, true, high)
}

// logRange makes the answer of both services, signed with the domain's key
// (MS-GRVSPCM 3.1.4).
func (s *Server) logRange(service string, event *soap.Event, complete bool, high int32) (*reply, error) {
	domain, err := s.directory.DomainKeys(event.DomainGUID)
	if err != nil {
		return nil, faultOf(err, soap.CodeProcessing)
	}
	answer := spcm.AuditLogRange{
		Complete: complete, DeviceHash: spcm.DeviceHash(event.UserDeviceGUID), High: high, Low: spcm.NoLogRange,
	}
	payload, err := answer.Encode(service, domain.Signature)
	if err != nil {
		return nil, err
	}
	return &reply{soap.WrapperReturnPayload, payload}, nil
}

// senderOf returns what the archive keeps of an event.
func senderOf(event *soap.Event) audit.Sender {
	return audit.Sender{
		Domain: event.DomainGUID, Account: event.GUID, IdentityURL: event.IdentityURL,
		Device: event.UserDeviceGUID, DeviceName: event.UserDeviceName,
	}
}

// uploadFault returns the fault for an upload that is refused. The rows of both
// services have 216 for a fragment out of order (MS-GRVSPCM 3.2.5.7.2,
// 3.2.5.7.4); for the rest each has a code of its own.
func uploadFault(err error, refused soap.Code) error {
	for _, row := range []struct {
		err  error
		code soap.Code
	}{
		{audit.ErrFragment, soap.CodeAuditLogUpload},
		{audit.ErrTooLarge, refused},
		{audit.ErrFull, refused},
		{audit.ErrInvalid, soap.CodeParameter},
	} {
		if errors.Is(err, row.err) {
			return soap.NewFault(row.code, err)
		}
	}
	return err
}
