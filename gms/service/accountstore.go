package service

import (
	"context"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// accountStore stores a fragment of an account's backup (MS-GRVSPCM
// 3.2.5.4.1). Beside the row's order of fragments, 212 stands for those that do
// not fit their backup, and for accounts that no active member has: then the
// client begins again with a new backup GUID (3.3.5.4.1). A disk that is full
// or fails is fault 203, of which no section says that it is answered by trying
// again at once.
func accountStore(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeAccountStore(m.header)
	if err != nil {
		return nil, err
	}
	_, err = s.directory.StoreFragment(ctx, directory.Fragment{
		Domain: m.event.DomainGUID, Account: m.event.GUID, Device: m.event.UserDeviceName,
		AccountStore: *p, Data: m.payload,
	})
	return nil, faultOf(err, soap.CodeAccountBackup)
}
