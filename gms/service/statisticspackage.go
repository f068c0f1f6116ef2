package service

import (
	"context"
	"errors"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
	"furrow/gms/statistics"
)

// statisticsPackage counts a report of use (MS-GRVSPCM 3.2.5.3.5). One that is
// too old to know whether it was counted is refused.
func statisticsPackage(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeStatisticsPackage(m.payload)
	if err != nil {
		return nil, err
	}
	err = s.statistics.Count(ctx, statistics.Package{
		Domain: m.event.DomainGUID, Account: m.event.GUID, ID: m.event.ID, Created: m.event.Created, Stats: p.Stats,
	})
	if errors.Is(err, statistics.ErrOutdated) {
		return nil, soap.NewFault(soap.CodeParameter, err)
	}
	return nil, err
}
