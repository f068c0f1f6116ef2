package service

import (
	"context"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// createAccount registers an account and its key with a domain (MS-GRVSPCM
// 3.2.5.2.2). The row by which the account must be there already contradicts
// the processing, which creates it; processing wins (reading E10).
func createAccount(s *Server, svc spcm.Service, x *exchange, payload []byte) (action, error) {
	// 3.2.5.2.2.1, .2 and .4 to .7
	m, err := spcm.DecodeCreateAccount(payload)
	if err != nil {
		return nil, err
	}
	x.domain, x.account = m.DomainGUID, m.GUID
	return func(ctx context.Context) ([]byte, error) {
		// 3.2.5.2.2.3
		domain, err := s.directory.DomainKeys(m.DomainGUID)
		if err != nil {
			return nil, faultOf(err, soap.CodeProcessing)
		}
		key, err := domain.Encryption.DecryptSharedKey(m.EncryptedKey, keys.AccountKeySize)
		if err != nil {
			return nil, soap.NewFault(soap.CodeSecurity, err)
		}
		_, err = s.directory.RegisterAccount(ctx, directory.Registration{
			Domain:       m.DomainGUID,
			Account:      m.GUID,
			Key:          key,
			SignatureKey: m.Certificate.Signature.DER(),
			Signed:       int64(m.Created),
			Device:       m.IsDeviceAccount,
		})
		if err != nil {
			return nil, faultOf(err, soap.CodeProcessing)
		}
		// 3.2.5.2.2.8
		response := soap.Response{Service: svc.Name}
		return response.Encode(svc.Response), nil
	}, nil
}
