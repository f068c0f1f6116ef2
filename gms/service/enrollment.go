package service

import (
	"context"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// enrollment makes the member of an account and identity active with a new
// contact (MS-GRVSPCM 3.2.5.2.5). The section has the response contain the
// identity object, the message definition (2.2.3.26) has it be a return code;
// the message wins, because clients cannot read another, and ask for the object
// next, which is newer then (3.3.5.3.3).
func enrollment(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeEnrollment(m.payload)
	if err != nil {
		return nil, err
	}
	contact, _, err := decodeContact(p.Contact)
	if err != nil {
		return nil, err
	}
	_, err = s.directory.Reenroll(ctx, m.event.DomainGUID, m.event.GUID, m.event.IdentityURL, contact)
	if err != nil {
		// "Account not found" also for a member whom an administrator has
		// disabled or deleted: its client must not undo that.
		return nil, faultOf(err, soap.CodeAccountNotFound)
	}
	return nil, nil
}
