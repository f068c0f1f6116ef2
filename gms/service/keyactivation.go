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
	domain, err := s.managementDomain(m.member.Domain)
	if err != nil {
		return nil, err
	}
	objects, err := s.directory.MemberObjects(m.member.GUID, nil)
	if err != nil {
		return nil, faultOf(err, soap.CodeActivationInvalid)
	}
	response := spcm.KeyActivationResponse{
		ActivationKey: m.code,
		ServerURL:     domain.ServerURL,
		Domain:        domain,
		Objects:       listed(objects),
	}
	return response.Encode(), nil
}
