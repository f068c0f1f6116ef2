package service

import (
	"context"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// managedObjectStatus returns the managed objects that a client lacks
// (MS-GRVSPCM 3.2.5.3.3), or no payload if it lacks none (4.1.2).
func managedObjectStatus(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeManagedObjectStatus(m.payload)
	if err != nil {
		return nil, err
	}
	if p.DomainGUID != m.event.DomainGUID {
		return nil, soap.InvalidParameter("domainGUID", "not the domain of the event")
	}
	held := make(map[string]int64, len(p.Objects))
	for _, o := range p.Objects {
		held[o.ID] = o.IssuedTime
	}
	objects, err := s.objectsFor(m.event, p, held)
	if err != nil {
		return nil, err
	}
	// The contact is worth a note, but not a refusal where nothing can be noted.
	if err := s.directory.TouchAccount(ctx, m.event.DomainGUID, m.event.GUID); err != nil {
		s.log.WarnContext(ctx, "contact not recorded", "account", m.event.GUID, "error", err)
	}
	if len(objects) == 0 {
		return nil, nil
	}
	response := spcm.ManagedObjectStatusResponse{
		Consistency: p.Consistency,
		IdentityURL: p.IdentityURL,
		Objects:     listed(objects),
	}
	return &reply{soap.WrapperManagedObjects, response.Encode()}, nil
}

// objectsFor returns the objects of the device or member that a request is
// from. Whether it is a device's, the event says; DomainMember says only
// whether the member must be active.
//
// The row for 210 and the processing for deleted members both apply to a
// deleted member. The latter wins, or its client would never be told to give up
// the identity.
func (s *Server) objectsFor(
	event *soap.Event, p *spcm.ManagedObjectStatus, held map[string]int64,
) ([]directory.ManagedObject, error) {
	if event.IsDeviceAccount {
		objects, err := s.directory.DeviceObjects(event.DomainGUID, event.GUID, held)
		return objects, faultOf(err, soap.CodeProcessing)
	}
	noMember := soap.CodeAccountNotFound
	if p.DomainMember {
		noMember = soap.CodeReenrollment
	}
	member, err := s.directory.MemberByIdentity(event.DomainGUID, event.GUID, p.IdentityURL)
	if err != nil {
		return nil, faultOf(err, noMember)
	}
	if p.DomainMember && member.Status != directory.Deleted {
		if err := checkActive(member); err != nil {
			return nil, err
		}
	}
	objects, err := s.directory.MemberObjects(member.GUID, held)
	return objects, faultOf(err, noMember)
}
