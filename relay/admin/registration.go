package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spmr"
	"furrow/relay/registry"
)

// register processes a Registration (MS-GRVSPMR 3.2.4.1.3). The certificate is
// compared before the key is decrypted, so that strangers get no private-key
// operation out of the relay. Nothing is saved before the last check, so there is
// nothing to clear after a failure.
func (s *Server) register(ctx context.Context, x *exchange, payload []byte) ([]byte, error) {
	m, err := spmr.DecodeRegistration(payload)
	if err != nil {
		return nil, err
	}
	manager, err := s.registry.ManagerByName(m.ManagementServer)
	if err != nil {
		return nil, spmr.NewFault(spmr.CodeDecryption, err)
	}
	x.manager = manager.GUID
	// 3.2.4.1.3.9
	if err := authenticate(manager, m.Certificate); err != nil {
		return nil, spmr.NewFault(spmr.CodeDecryption, err)
	}
	// 3.2.4.1.3.3
	key, err := s.keys.Encryption.DecryptSharedKey(m.EncryptedKey, spmr.SharedKeySize)
	if err != nil {
		return nil, spmr.NewFault(spmr.CodeDecryption, err)
	}
	// 3.2.4.1.3.4 to 3.2.4.1.3.8
	if err := m.Verify(key); err != nil {
		return nil, err
	}
	epoch, err := s.registry.ShareKey(ctx, manager.GUID, key)
	if err != nil {
		return nil, faultOf(err)
	}
	// 3.2.4.1.3.10, 3.2.4.1.3.11
	response := spmr.RegistrationResponse{Epoch: epoch}
	header := spmr.Header{ManagementServer: m.ManagementServer, Method: spmr.MethodRegistration}
	return spmr.Secure(header, key, response.Encode(), soap.RelayMACs()[0])
}

// authenticate compares all public keys with those that the administrator has
// imported (MS-GRVSPMR 3.2.4.1.3.9). The algorithms are RSA in both, which the
// decoders have checked.
func authenticate(manager registry.Manager, shown soap.Certificate) error {
	imported, err := keys.ParseCertificate(manager.Certificate)
	if err != nil {
		return fmt.Errorf("certificate of management server %s: %w", manager.GUID, err)
	}
	if !imported.SignatureKey().Equal(shown.Signature) ||
		!bytes.Equal(imported.EncryptionKey().DER(), shown.Encryption.DER()) {
		return errors.New("public keys are not those of the certificate imported")
	}
	return nil
}

// faultOf returns the fault that answers an error of the registry, or the error
// itself if it is a failure of ours, which is fault 306.
func faultOf(err error) error {
	for _, row := range []struct {
		err  error
		code soap.Code
	}{
		{registry.ErrNotRegistered, spmr.CodeRegister},
		{registry.ErrManagerNotFound, spmr.CodeRegister},
		{registry.ErrSpentKey, spmr.CodeDecryption},
		{registry.ErrUser, spmr.CodeInvalidInput},
	} {
		if errors.Is(err, row.err) {
			return spmr.NewFault(row.code, err)
		}
	}
	return err
}
