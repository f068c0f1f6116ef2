package service

import (
	"context"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// domainMigrationStatus records how a member's migration went (MS-GRVSPCM
// 3.2.5.2.4). Only clients of members with a migration call this; from others
// it is refused, so that no client can end a membership by itself.
func domainMigrationStatus(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeDomainMigrationStatus(m.payload)
	if err != nil {
		return nil, err
	}
	_, err = s.directory.ReportMigration(ctx, m.event.DomainGUID, m.event.GUID, m.event.IdentityURL, p.DomainName, p.Status)
	return nil, faultOf(err, soap.CodeAccountNotFound)
}
