package service

import (
	"context"
	"errors"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// managedObjectInstall records that a client has installed a managed object
// (MS-GRVSPCM 3.2.5.3.4): an identity object binds its member to the account
// and identity, an object of a device's template makes the device a managed
// one. The values of Type are nowhere listed, so the object's ID decides: that
// of an identity object is its member's GUID (reading B15).
func managedObjectInstall(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeManagedObjectInstall(m.payload)
	if err != nil {
		return nil, err
	}
	domain, account := m.event.DomainGUID, m.event.GUID
	if p.Domain != domain {
		return nil, soap.InvalidParameter("ManagedObjectInstalled/@Domain", "not the domain of the event")
	}
	_, err = s.directory.Member(p.ID)
	switch {
	case err == nil || p.Type == spcm.TypeIdentityTemplate:
		_, err = s.directory.InstallIdentity(ctx, domain, p.ID, account, p.IdentityURL)
	case errors.Is(err, directory.ErrMemberNotFound):
		err = s.directory.InstalledOnDevice(ctx, domain, account, p.ID)
	}
	return nil, faultOf(err, soap.CodeParameter)
}
