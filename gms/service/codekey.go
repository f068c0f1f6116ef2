package service

import (
	"context"
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// codeMessage is an opened request of somebody who has a member's account
// configuration code.
type codeMessage struct {
	member  directory.Member // pending or active
	code    string
	payload []byte
}

// codeSecured is the pipeline of services that are secured with the key derived
// from an account configuration code (MS-GRVSPCM 3.2.5.1.1).
func codeSecured(serve func(context.Context, *Server, *exchange, *codeMessage) ([]byte, error)) pipeline {
	return func(s *Server, svc spcm.Service, x *exchange, payload []byte) (action, error) {
		// 3.2.5.1.1.1
		fragment, err := soap.ParseFragment(payload, svc.Limit, svc.Security.Wrapper())
		if err != nil {
			return nil, err
		}
		id, err := fragment.KeyID()
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) ([]byte, error) {
			member, err := s.memberOfCode(id)
			if err != nil {
				return nil, err
			}
			x.domain, x.account = member.Domain, member.AccountGUID
			code, err := s.directory.ConfigurationCode(member.GUID)
			if err != nil {
				return nil, faultOf(err, soap.CodeActivationInvalid)
			}
			// 3.2.5.1.1.3 has the server ignore what it cannot open; a peer
			// that hears nothing waits, so it hears of fault 205 (reading C6).
			key := keys.CodeKey(code)
			plaintext, reading, err := fragment.Open(key, soap.ManagementMACs())
			if err != nil {
				return nil, err
			}
			// 3.2.5.1.1.4
			answer, err := serve(ctx, s, x, &codeMessage{member, code, plaintext})
			if err != nil {
				return nil, err
			}
			return respond(svc, &reply{soap.WrapperReturnPayload, answer}, key, reading)
		}, nil
	}
}

// memberOfCode finds the member of a configuration code (MS-GRVSPCM
// 3.2.5.1.1.2). Codes of members who can neither be activated nor enroll are
// like codes that are not there (3.2.5.2.1.1).
func (s *Server) memberOfCode(id keys.Digest) (directory.Member, error) {
	member, err := s.directory.MemberByKeyID(id)
	if err != nil {
		return directory.Member{}, faultOf(err, soap.CodeActivationInvalid)
	}
	if member.Status != directory.Pending && member.Status != directory.Active {
		return directory.Member{}, soap.NewFault(soap.CodeActivationInvalid,
			fmt.Errorf("member %s is %s", member.GUID, member.Status))
	}
	return member, nil
}
