package service

import (
	"context"
	"errors"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// maxFetched bounds the vCards of one answer, in bytes. In four layers of base64
// they become some three times as long, within [spcm.MaxResponseSize].
const maxFetched = 1 << 20

// contactFetch returns the vCards of members in the contact directory
// (MS-GRVSPCM 3.2.5.5.3), in the order asked for. One who is not there fails
// the whole request, as the row has it; so does more than a search finds, or an
// answer holds.
func contactFetch(_ context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeContactFetch(m.payload)
	if err != nil {
		return nil, err
	}
	if len(p.Identities) > spcm.MaxContacts {
		return nil, soap.NewFault(soap.CodeContactFetch, errors.New("more identities than a search finds"))
	}
	contacts, err := s.directory.PublishedContacts(m.event.DomainGUID, p.Identities)
	if err != nil {
		return nil, faultOf(err, soap.CodeContactFetch)
	}
	var response spcm.ContactFetchResponse
	size := 0
	for _, c := range contacts {
		size += len(c.VCard)
		response.Contacts = append(response.Contacts, spcm.FetchedContact{IdentityGUID: c.Member, VCard: c.VCard})
	}
	if size > maxFetched {
		return nil, soap.NewFault(soap.CodeContactFetch, errors.New("contacts are too large for one answer"))
	}
	return &reply{soap.WrapperReturnPayload, response.Encode()}, nil
}
