package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"furrow/appliance/keys"
	"furrow/appliance/mail"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// Mail sends mail, as [mail.Post] does.
type Mail interface {
	// Queue takes a message over: when it returns no error, the message is
	// stored durably and will be sent. Subject and body may hold what a client
	// has chosen.
	Queue(ctx context.Context, m mail.Message) (id string, err error)
}

// resetSubject is the subject of a mail for which the client has none.
const resetSubject = "Temporary password"

// automaticPasswordReset gives a client its master keys back under a temporary
// password, which goes to the member by mail (MS-GRVSPCM 3.2.5.6.3). The mail is
// queued after the last check and before the answer: a client that has the keys
// must not wait for a password that never comes.
//
// Account and identity name the member (step 1), who must be the one that HTTP
// authentication names, if it names any. What proves the request is the account's
// key, and verifiers that only an account's own client can have made.
func automaticPasswordReset(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeAutomaticPasswordReset(m.payload)
	if err != nil {
		return nil, err
	}
	if s.mail == nil {
		return nil, soap.NewFault(soap.CodePasswordReset, errors.New("this server sends no mail"))
	}
	if err := s.checkAuthenticated(m, p); err != nil {
		return nil, err
	}
	recovered, err := s.directory.RecoverMasterKeys(ctx, directory.AutomaticReset{
		Domain:          m.event.DomainGUID,
		Account:         p.AccountGUID,
		IdentityURL:     p.IdentityURL,
		KeyHash:         p.RecoveryKeyHash,
		MasterKey:       p.MasterKey,
		SecretMasterKey: p.SecretMasterKey,
		Signed:          int64(m.event.Created),
	})
	if err != nil {
		return nil, faultOf(err, soap.CodeAccountNotFound)
	}
	password := keys.NewTemporaryPassword()
	sealed, err := keys.SealStorageKeys(password, recovered.MasterKey, recovered.SecretMaster)
	if err != nil {
		return nil, err
	}
	// Step 14: the address that the server has, not the request's.
	email := recovered.Member.Email
	message := mail.Message{To: email, Subject: cmp.Or(p.Subject, resetSubject), Body: resetMail(p, password)}
	if _, err := s.mail.Queue(ctx, message); err != nil {
		s.log.ErrorContext(ctx, "mail of a password reset not queued", "member", recovered.Member.GUID, "error", err)
		return nil, soap.NewFault(soap.CodePasswordReset, err)
	}
	response := spcm.AutomaticPasswordResetResponse{Email: email, IdentityURL: p.IdentityURL, Keys: sealed}
	return &reply{soap.WrapperReturnPayload, response.Encode()}, nil
}

// checkAuthenticated returns fault 200 for a request about another member than
// the authenticated one. Clients come to /AutoActivate/gms.dll for this service
// unless they were told of no such address; elsewhere nobody is authenticated.
func (s *Server) checkAuthenticated(m *accountMessage, p *spcm.AutomaticPasswordReset) error {
	login, err := m.remoteUser()
	if errors.Is(err, ErrUnsecured) {
		return nil
	}
	if err != nil {
		return err
	}
	member, err := s.directory.MemberByLogin(login)
	if errors.Is(err, directory.ErrMemberNotFound) {
		return nil // "cannot be matched"
	}
	if err == nil && (member.Domain != m.event.DomainGUID || member.AccountGUID != p.AccountGUID || member.IdentityURL != p.IdentityURL) {
		err = fmt.Errorf("%w: the authenticated user is member %s", directory.ErrMemberNotFound, member.GUID)
	}
	return faultOf(err, soap.CodeAccountNotFound)
}

// resetMail is the mail's text, of the parts that the request brings (MS-GRVSPCM
// 3.3.5.6.3), with the temporary password on a line of its own.
func resetMail(p *spcm.AutomaticPasswordReset, password string) string {
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	var parts []string
	for _, part := range []string{p.Salutation, lines.Replace(p.Body), password} {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n\n") + "\n"
}
