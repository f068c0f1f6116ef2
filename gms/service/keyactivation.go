package service

import (
	"context"
	"fmt"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// keyActivation gives a pending member its identity object and policies
// (MS-GRVSPCM 3.2.5.2.1.1). That the member is active (402) is told only to who
// has the code: its KeyID travels in the clear.
func keyActivation(_ context.Context, s *Server, _ *exchange, m *codeMessage) ([]byte, error) {
	if _, err := spcm.DecodeKeyActivation(m.payload); err != nil {
		return nil, err
	}
	if m.member.Status == directory.Active {
		return nil, soap.NewFault(soap.CodeActivationEnrolled, fmt.Errorf("member %s is active", m.member.GUID))
	}
	response, err := s.activation(m.member, m.code)
	if err != nil {
		return nil, err
	}
	return response.Encode(), nil
}

// activation returns what a pending member with this configuration code needs
// to join.
func (s *Server) activation(m directory.Member, code string) (*spcm.KeyActivationResponse, error) {
	domain, err := s.managementDomain(m.Domain)
	if err != nil {
		return nil, err
	}
	objects, err := s.directory.MemberObjects(m.GUID, nil)
	if err != nil {
		return nil, faultOf(err, soap.CodeActivationInvalid)
	}
	return &spcm.KeyActivationResponse{
		ActivationKey: code,
		ServerURL:     domain.ServerURL,
		Domain:        domain,
		Objects:       listed(objects),
	}, nil
}
