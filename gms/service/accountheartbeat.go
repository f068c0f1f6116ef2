package service

import (
	"context"
	"fmt"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// accountHeartbeat records that an account is in use (MS-GRVSPCM 3.2.5.3.2).
// The row names a DomainMember that this message does not have; a member's
// account is one that is not a device's.
func accountHeartbeat(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	if _, err := spcm.DecodeAccountHeartbeat(m.payload); err != nil {
		return nil, err
	}
	domain, account := m.event.DomainGUID, m.event.GUID
	if !m.event.IsDeviceAccount {
		member, err := s.directory.MemberByIdentity(domain, account, m.event.IdentityURL)
		if err != nil {
			return nil, faultOf(err, soap.CodeReenrollment)
		}
		if err := checkActive(member); err != nil {
			return nil, err
		}
	}
	if err := s.directory.TouchAccount(ctx, domain, account); err != nil {
		return nil, faultOf(err, soap.CodeProcessing)
	}
	return nil, nil
}

// checkActive returns fault 210 for a member who is not active.
func checkActive(m directory.Member) error {
	if m.Status == directory.Active {
		return nil
	}
	return soap.NewFault(soap.CodeReenrollment, fmt.Errorf("member %s is %s", m.GUID, m.Status))
}
