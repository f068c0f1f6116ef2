package client

import (
	"context"
	"fmt"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// Client is a profile at a server.
type Client struct {
	server  *Server
	profile *Profile
	now     func() time.Time
}

// New returns a client that speaks for profile.
func New(server *Server, profile *Profile, now func() time.Time) *Client {
	return &Client{server: server, profile: profile, now: now}
}

// KeyActivation asks for the member that a configuration code belongs to (MS-GRVSPCM 3.3.5.2.1.1).
func (s *Server) KeyActivation(ctx context.Context, code string) (*spcm.KeyActivationResponse, error) {
	payload := (&spcm.KeyActivation{GrooveVersion: grooveVersion}).Encode()
	answer, err := s.callWithCode(ctx, spcm.ServiceKeyActivation, keys.CodeKey(code), payload)
	if err != nil {
		return nil, err
	}
	return spcm.DecodeKeyActivationResponse(answer)
}

// CreateAccount registers an account and its key with the domain (MS-GRVSPCM 3.3.5.2.2).
func (c *Client) CreateAccount(ctx context.Context, account *Account) error {
	certificate, err := c.domainCertificate()
	if err != nil {
		return err
	}
	encrypted, err := certificate.EncryptionKey().Encrypt(account.Key.Bytes())
	if err != nil {
		return fmt.Errorf("encrypting the account's key to the domain: %w", err)
	}
	fragment, err := (&spcm.CreateAccount{
		DomainGUID:      c.profile.Domain.GUID,
		GUID:            account.GUID,
		IsDeviceAccount: account.Device,
		Created:         int32(c.now().Unix()),
		EncryptedKey:    encrypted,
		Certificate:     account.certificate(),
	}).Encode(account.Signature)
	if err != nil {
		return fmt.Errorf("signing the request: %w", err)
	}
	_, err = c.server.post(ctx, spcm.ServiceCreateAccount, fragment)
	return err
}

// DomainEnrollment proves the right to the member with its configuration code and has the identity's contact signed
// (MS-GRVSPCM 3.3.5.2.3). relays are the URLs of the identity's relays.
func (c *Client) DomainEnrollment(ctx context.Context, code string, relays []string) (*spcm.DomainEnrollmentResponse, error) {
	signature, err := spcm.SignActivationKey(c.profile.Identity.Signature, code)
	if err != nil {
		return nil, fmt.Errorf("signing the activation key: %w", err)
	}
	payload := (&spcm.DomainEnrollment{
		AccountGUID:            c.profile.User.GUID,
		ActivationKeySignature: signature,
		Contact:                c.profile.contact(relays).Encode(),
		GrooveVersion:          grooveVersion,
	}).Encode()
	answer, err := c.server.callWithCode(ctx, spcm.ServiceDomainEnrollment, keys.CodeKey(code), payload)
	if err != nil {
		return nil, err
	}
	return spcm.DecodeDomainEnrollmentResponse(answer)
}

// Enrollment has the contact signed again (MS-GRVSPCM 3.3.5.2.5).
func (c *Client) Enrollment(ctx context.Context, relays []string) error {
	payload := (&spcm.Enrollment{Contact: c.profile.contact(relays).Encode()}).Encode()
	return c.report(ctx, spcm.ServiceEnrollment, &c.profile.User, payload)
}

// AccountHeartbeat says that the account is in use (MS-GRVSPCM 3.3.5.3.2).
func (c *Client) AccountHeartbeat(ctx context.Context, account *Account) error {
	payload := (&spcm.AccountHeartbeat{Version: grooveVersion}).Encode()
	return c.report(ctx, spcm.ServiceAccountHeartbeat, account, payload)
}

// ManagedObjectInstall reports that a managed object was installed (MS-GRVSPCM 3.3.5.3.4).
func (c *Client) ManagedObjectInstall(ctx context.Context, account *Account, guid string, object Held, kind string) error {
	p := c.profile
	m := &spcm.ManagedObjectInstall{
		Domain:      p.Domain.GUID,
		ID:          guid,
		IdentityURL: p.IdentityURL,
		Type:        kind,
		UserName:    p.FullName,
		ServerURL:   p.Domain.ServerURL,
		Name:        object.Name,
		IssuedTime:  object.Issued,
	}
	if account.Device {
		m.IdentityURL, m.UserName = deviceIdentityURL, p.DeviceName
	}
	return c.report(ctx, spcm.ServiceManagedObjectInstall, account, m.Encode())
}

// ManagedObjectStatus returns the managed objects that changed since those held (MS-GRVSPCM 3.3.5.3.3).
func (c *Client) ManagedObjectStatus(ctx context.Context, account *Account) ([]spcm.ManagedObject, error) {
	p := c.profile
	m := &spcm.ManagedObjectStatus{
		DomainGUID: p.Domain.GUID,
		Consistency: spcm.Consistency{
			Digest: soap.EncodeBase64([]byte(newID(guidLength))), DomainGUID: p.Domain.GUID, IdentityURL: p.IdentityURL,
		},
		DomainMember: !account.Device,
		IdentityURL:  p.IdentityURL,
		Name:         p.Domain.DisplayName,
		UserGUID:     account.GUID,
		UserName:     p.FullName,
	}
	held := p.Objects
	if account.Device {
		held = p.DeviceObjects
		m.IdentityURL, m.Consistency.IdentityURL, m.UserName = deviceIdentityURL, deviceIdentityURL, p.DeviceName
	}
	for guid, object := range held {
		m.Objects = append(m.Objects, spcm.InstalledObject{ID: guid, IssuedTime: object.Issued, Name: object.Name})
	}
	answer, err := c.callWithAccount(ctx, spcm.ServiceManagedObjectStatus, account, m.Encode(), soap.WrapperManagedObjects)
	if err != nil || answer == nil {
		return nil, err
	}
	response, err := spcm.DecodeManagedObjectStatusResponse(answer)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: reading the answer: %w", spcm.ServiceManagedObjectStatus, err)
	case response.Consistency != m.Consistency:
		return nil, fmt.Errorf("%s: the answer belongs to another request", spcm.ServiceManagedObjectStatus)
	}
	return response.Objects, nil
}

// report sends a request whose answer is a return code.
func (c *Client) report(ctx context.Context, service string, account *Account, payload []byte) error {
	_, err := c.callWithAccount(ctx, service, account, payload, "")
	return err
}
