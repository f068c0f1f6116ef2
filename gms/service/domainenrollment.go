package service

import (
	"context"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// domainEnrollment makes a member active with the contact of its identity, and
// returns its identity object with the contact signed (MS-GRVSPCM 3.2.5.2.3).
func domainEnrollment(ctx context.Context, s *Server, x *exchange, m *codeMessage) ([]byte, error) {
	p, err := spcm.DecodeDomainEnrollment(m.payload)
	if err != nil {
		return nil, soap.NewFault(soap.CodeSecurity, err) // the row "Payload"
	}
	x.account = p.AccountGUID
	contact, decoded, err := decodeContact(p.Contact)
	if err != nil {
		return nil, soap.NewFault(soap.CodeSecurity, err) // the row "Payload"
	}
	if err := spcm.VerifyActivationKey(decoded.Security.Signature, m.code, p.ActivationKeySignature); err != nil {
		return nil, err
	}
	if _, err := s.directory.EnrollByCode(ctx, m.member.GUID, p.AccountGUID, contact); err != nil {
		return nil, faultOf(err, soap.CodeActivationInvalid)
	}
	domain, err := s.managementDomain(m.member.Domain)
	if err != nil {
		return nil, err
	}
	identity, err := s.directory.IdentityObject(m.member.GUID)
	if err != nil {
		return nil, faultOf(err, soap.CodeActivationInvalid)
	}
	response := spcm.DomainEnrollmentResponse{Domain: domain, Objects: listed([]directory.ManagedObject{identity})}
	return response.Encode(), nil
}
