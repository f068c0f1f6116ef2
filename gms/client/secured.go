package client

import (
	"context"
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// callWithCode sends a request secured with the key of a configuration code and returns the payload of the answer
// (MS-GRVSPCM 3.3.5.1.1).
func (s *Server) callWithCode(ctx context.Context, service string, key keys.SharedKey, payload []byte) ([]byte, error) {
	fragment := soap.NewFragment(soap.NewElement(spcm.CodeKey.Wrapper()), soap.KeyIDAttr(key.ID()))
	return s.callSecured(ctx, service, fragment, key, payload, soap.WrapperReturnPayload)
}

// callWithAccount sends a request secured with an account's key and returns the payload of the answer, nil when it has
// none (MS-GRVSPCM 3.3.5.1.2). answerWrapper names the element around the answer's secured content.
func (c *Client) callWithAccount(ctx context.Context, service string, account *Account, payload []byte, answerWrapper string) ([]byte, error) {
	return c.server.callSecured(ctx, service, soap.NewFragment(c.event(account).Element()), account.Key, payload, answerWrapper)
}

// callWithHeader sends a request whose content is in its Event, secured with an account's key, and returns the payload
// of the answer (reading B7).
func (c *Client) callWithHeader(ctx context.Context, service string, account *Account, frame func(*soap.Event) *soap.Fragment) ([]byte, error) {
	secured := frame(c.event(account)).SecureHeader(account.Key, soap.ManagementMACs()[0])
	return c.server.callOpened(ctx, service, secured, account.Key, soap.WrapperReturnPayload)
}

// event is the header of a request of an account.
func (c *Client) event(account *Account) *soap.Event {
	identityURL := c.profile.IdentityURL
	if account.Device {
		identityURL = deviceIdentityURL
	}
	return &soap.Event{
		DeviceGUID:      c.profile.Device.GUID,
		DomainGUID:      c.profile.Domain.GUID,
		GUID:            account.GUID,
		GrooveVersion:   grooveVersion,
		IdentityURL:     identityURL,
		IsDeviceAccount: account.Device,
		UserDeviceGUID:  c.profile.Device.GUID,
		UserDeviceName:  c.profile.DeviceName,
		ID:              newEventID(),
		Created:         int32(c.now().Unix()),
	}
}

func (s *Server) callSecured(ctx context.Context, service string, fragment *soap.Fragment, key keys.SharedKey, payload []byte, answerWrapper string) ([]byte, error) {
	secured, err := fragment.Secure(key, payload, soap.ManagementMACs()[0])
	if err != nil {
		return nil, fmt.Errorf("%s: securing the request: %w", service, err)
	}
	return s.callOpened(ctx, service, secured, key, answerWrapper)
}

// callOpened sends a secured request and returns the payload of the answer, which is secured with the same key.
func (s *Server) callOpened(ctx context.Context, service string, secured []byte, key keys.SharedKey, answerWrapper string) ([]byte, error) {
	answer, err := s.post(ctx, service, secured)
	if err != nil || answer.Payload == nil {
		return nil, err
	}
	opened, err := soap.ParseFragment(answer.Payload, spcm.MaxResponseSize, answerWrapper)
	if err != nil {
		return nil, fmt.Errorf("%s: reading the answer: %w", service, err)
	}
	plaintext, _, err := opened.Open(key, soap.ManagementMACs())
	if err != nil {
		return nil, fmt.Errorf("%s: opening the answer: %w", service, err)
	}
	return plaintext, nil
}
