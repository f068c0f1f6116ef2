package service

import (
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// managementDomain returns what responses say of a domain.
func (s *Server) managementDomain(guid string) (spcm.ManagementDomain, error) {
	domain, err := s.directory.ManagementDomain(guid)
	if err != nil {
		return spcm.ManagementDomain{}, faultOf(err, soap.CodeProcessing)
	}
	return spcm.ManagementDomain(domain), nil
}

// listed returns the entries of a response for managed objects.
func listed(objects []directory.ManagedObject) []spcm.ManagedObject {
	list := make([]spcm.ManagedObject, len(objects))
	for i, o := range objects {
		list[i] = spcm.ManagedObject{Active: o.Active, GUID: o.GUID, Name: o.Name, Object: o.Data}
	}
	return list
}
