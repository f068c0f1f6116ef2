package service

import (
	"context"
	"errors"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// passphraseResetRequest lays a request for an account's master keys before the
// administrators (MS-GRVSPCM 3.2.5.6.1). It is usually a device's account that
// asks (3.3.5.1.2), since the user's is locked; the row AccountGUID holds for
// the account that asks and for the one that is asked for.
func passphraseResetRequest(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodePassphraseResetRequest(m.payload)
	if err != nil {
		return nil, err
	}
	_, err = s.directory.RequestPasswordReset(ctx, directory.ResetRequest{
		Domain:          m.event.DomainGUID,
		Account:         p.AccountGUID,
		Requester:       m.event.GUID,
		DeviceName:      m.event.UserDeviceName,
		KeyHash:         p.RecoveryKeyHash,
		MasterKey:       p.MasterKey,
		SecretMasterKey: p.SecretMasterKey,
		AnswerKey:       p.Contact.Security.Encryption,
	})
	return nil, faultOf(err, soap.CodeAccountNotFound)
}

// passphraseResetStatus says how a request stands (MS-GRVSPCM 3.2.5.6.2). One
// whose keys were not the account's is answered with fault 218 (3.2.5.1.6 rule
// 6).
func passphraseResetStatus(_ context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodePassphraseResetStatus(m.payload)
	if err != nil {
		return nil, err
	}
	if _, err := s.directory.Account(m.event.DomainGUID, p.AccountGUID); err != nil {
		return nil, faultOf(err, soap.CodeAccountNotFound)
	}
	reset, answer, err := s.directory.PasswordReset(m.event.DomainGUID, p.AccountGUID)
	response := spcm.PassphraseResetStatusResponse{AccountGUID: p.AccountGUID, Status: spcm.ResetRefused}
	switch {
	case errors.Is(err, directory.ErrResetNotFound):
	case err != nil:
		return nil, faultOf(err, soap.CodeAccountNotFound)
	case reset.Status == directory.ResetFailed:
		return nil, soap.NewFault(soap.CodePasswordReset, keys.ErrEscrow)
	case reset.Status == directory.ResetPending:
		response.Status = spcm.ResetPending
	case reset.Status == directory.ResetApproved:
		response.Status = spcm.ResetApproved
		response.MasterKey, response.SecretMasterKey = answer.MasterKey, answer.SecretMasterKey
	}
	return &reply{soap.WrapperReturnPayload, response.Encode()}, nil
}
