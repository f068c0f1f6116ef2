package service

import (
	"context"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// contactSearch looks members up in the contact directory (MS-GRVSPCM
// 3.2.5.5.2). Any account of the domain may ask, as in the example, where it is
// a device's (4.3.1). The e-mail address goes where the example has it.
func contactSearch(_ context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeContactSearch(m.payload)
	if err != nil {
		return nil, err
	}
	members, err := s.directory.SearchContacts(m.event.DomainGUID, p.Query, spcm.MaxContacts)
	if err != nil {
		return nil, faultOf(err, soap.CodeProcessing)
	}
	response := spcm.ContactSearchResponse{Max: spcm.MaxContacts}
	for _, member := range members {
		response.Contacts = append(response.Contacts, spcm.FoundContact{
			IdentityGUID: member.GUID,
			IdentityURL:  member.IdentityURL,
			FullName:     member.FullName,
			FirstName:    member.FirstName,
			LastName:     member.LastName,
			CompanyEmail: member.Email,
			City:         member.City,
			State:        member.State,
		})
	}
	return &reply{soap.WrapperReturnPayload, response.Encode()}, nil
}
