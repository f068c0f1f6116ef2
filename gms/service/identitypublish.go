package service

import (
	"context"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// identityPublish puts the vCard of the account's identity into the contact
// directory, or withdraws it (MS-GRVSPCM 3.2.5.5.1). The rows do not say what
// answers an identity that belongs to no active member: the code of the account
// that is not there, as for Enrollment.
func identityPublish(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeIdentityPublish(m.payload)
	if err != nil {
		return nil, err
	}
	err = s.directory.PublishContact(ctx, m.event.DomainGUID, m.event.GUID, m.event.IdentityURL, p.VCard)
	return nil, faultOf(err, soap.CodeAccountNotFound)
}
