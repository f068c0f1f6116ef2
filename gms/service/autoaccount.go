package service

import (
	"context"
	"errors"
	"fmt"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// maxRestores bounds the backups that are made into answers at once: one of
// spcm.MaxBackup takes some hundred megabytes on its way through two layers of
// base64.
const maxRestores = 2

// autoAccountCodeConfiguration gives the person who is authenticated by HTTP
// what sets up an account (MS-GRVSPCM 3.2.5.2.1.2): the identity object and
// policies of a pending member, or the backup of an active one's account. It
// changes nothing.
func autoAccountCodeConfiguration(s *Server, svc spcm.Service, x *exchange, payload []byte) (action, error) {
	p, err := spcm.DecodeAutoAccountCodeConfiguration(payload)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]byte, error) {
		login, err := x.remoteUser()
		if errors.Is(err, ErrUnsecured) {
			err = unsecured(soap.CodeAutoConfigurationOff, err)
		}
		if err != nil {
			return nil, err
		}
		member, err := s.directory.MemberByLogin(login)
		if err != nil {
			fault := soap.NewFault(soap.CodeActivationInvalid, err)
			fault.Text = fmt.Sprintf("Remote user %.256q not found", login) // as the row has it
			return nil, fault
		}
		x.domain, x.account = member.Domain, member.AccountGUID
		response, err := s.configurationOf(ctx, member, p.Migration)
		if err != nil {
			return nil, err
		}
		s.log.InfoContext(ctx, "account configuration given out", "login", login, "domain", member.Domain,
			"member", member.GUID, "restored", response.Activation == nil)
		return (&soap.Response{Service: svc.Name, Payload: response.Encode()}).Encode(svc.Response), nil
	}, nil
}

// configurationOf checks the rows about the member's status and returns what it
// is to have.
func (s *Server) configurationOf(ctx context.Context, m directory.Member, migration bool) (*spcm.AutoAccountCodeConfigurationResponse, error) {
	switch {
	case m.Status == directory.Pending:
		code, err := s.directory.ConfigurationCode(m.GUID)
		if err != nil {
			return nil, faultOf(err, soap.CodeActivationInvalid)
		}
		activation, err := s.activation(m, code)
		return &spcm.AutoAccountCodeConfigurationResponse{Activation: activation}, err
	case m.Status != directory.Active:
		return nil, soap.NewFault(soap.CodeActivationInvalid, fmt.Errorf("member %s is %s", m.GUID, m.Status))
	case migration:
		return nil, soap.NewFault(soap.CodeActivationEnrolled, fmt.Errorf("member %s is active", m.GUID))
	}
	backup, err := s.restore(ctx, m)
	return &spcm.AutoAccountCodeConfigurationResponse{Backup: backup}, err
}

// restore returns the fragments of the backup of a member's account.
func (s *Server) restore(ctx context.Context, m directory.Member) (_ [][]byte, err error) {
	select {
	case s.restores <- struct{}{}:
		defer func() { <-s.restores }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	backup, err := s.directory.OpenBackup(m.Domain, m.AccountGUID)
	if errors.Is(err, directory.ErrNoBackup) {
		fault := soap.NewFault(soap.CodeNoBackups, err)
		fault.Text = "Remote member is already configured, no backups available" // as the row has it
		return nil, fault
	}
	var fragments [][]byte
	if err == nil {
		fragments, err = backup.Fragments()
		err = errors.Join(err, backup.Close())
	}
	if err != nil {
		s.log.ErrorContext(ctx, "backup cannot be read", "domain", m.Domain, "account", m.AccountGUID, "error", err)
		return nil, soap.NewFault(soap.CodeBackupFetch, err)
	}
	return fragments, nil
}
