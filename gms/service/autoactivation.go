package service

import (
	"context"
	"errors"
	"fmt"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// autoActivation gives the person who is authenticated by HTTP their account
// configuration code (MS-GRVSPCM 3.2.5.2.1.3). The account, usually a device's,
// secures the exchange; the AccountGUID in the payload decides nothing.
func autoActivation(_ context.Context, s *Server, m *accountMessage) (*reply, error) {
	if _, err := spcm.DecodeAutoActivation(m.payload); err != nil {
		return nil, err
	}
	login, err := m.remoteUser()
	if errors.Is(err, ErrUnsecured) {
		err = unsecured(soap.CodeActivationInvalid, err)
	}
	if err != nil {
		return nil, err
	}
	member, err := s.directory.MemberByLogin(login)
	if err == nil && member.Domain != m.event.DomainGUID {
		err = fmt.Errorf("%w in domain %q", directory.ErrMemberNotFound, m.event.DomainGUID)
	}
	if err != nil {
		return nil, soap.NewFault(soap.CodeActivationInvalid, err)
	}
	if member.Status != directory.Pending {
		return nil, soap.NewFault(soap.CodeActivationEnrolled, fmt.Errorf("member %s is %s", member.GUID, member.Status))
	}
	code, err := s.directory.ConfigurationCode(member.GUID)
	if err != nil {
		return nil, err
	}
	return &reply{soap.WrapperReturnPayload, (&spcm.AutoActivationResponse{ActivationKey: code}).Encode()}, nil
}
