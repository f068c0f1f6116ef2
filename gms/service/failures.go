package service

import (
	"context"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// failures records what a client has failed to do for the management of its
// device (MS-GRVSPCM 3.2.5.2.6).
func failures(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeFailures(m.payload)
	if err != nil {
		return nil, err
	}
	err = s.directory.ReportFailures(ctx, directory.FailureReport{
		Domain: m.event.DomainGUID, Account: m.event.GUID, IdentityURL: m.event.IdentityURL,
		Device: m.event.UserDeviceGUID, DeviceName: m.event.UserDeviceName,
		Subtypes: p.Subtypes, ID: m.event.ID, Signed: m.event.Created,
	})
	return nil, faultOf(err, soap.CodeAccountNotFound)
}
