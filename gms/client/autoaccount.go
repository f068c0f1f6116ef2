package client

import (
	"bytes"
	"context"
	"errors"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// AutoAccountCodeConfiguration asks for the account of the person whose credentials the server has: what sets up a new
// one, or the backup of the one there is (MS-GRVSPCM 3.3.5.2.1.2).
func (s *Server) AutoAccountCodeConfiguration(ctx context.Context, deviceName string) (*spcm.AutoAccountCodeConfigurationResponse, error) {
	request := spcm.AutoAccountCodeConfiguration{GrooveVersion: grooveVersion, UserDeviceName: deviceName}
	answer, err := s.post(ctx, spcm.ServiceAutoAccountCodeConfiguration, request.Encode())
	if err != nil {
		return nil, err
	}
	return spcm.DecodeAutoAccountCodeConfigurationResponse(answer.Payload)
}

// ErrNewAccount is returned by Restore when the member has no account yet.
var ErrNewAccount = errors.New("the member has no account yet; it has to join")

// Restore returns the account data that a client of the person whose credentials the server has gave to Backup.
func (s *Server) Restore(ctx context.Context, deviceName string) ([]byte, error) {
	answer, err := s.AutoAccountCodeConfiguration(ctx, deviceName)
	if err != nil {
		return nil, err
	}
	if answer.Activation != nil {
		return nil, ErrNewAccount
	}
	return bytes.Join(answer.Backup, nil), nil
}

// AutoActivation asks, with the account of a device, for the account configuration code of the person whose credentials
// the server has (MS-GRVSPCM 3.3.5.2.1.3). A server that does not know the account gets it first.
func (c *Client) AutoActivation(ctx context.Context) (code string, err error) {
	device := &c.profile.Device
	request := spcm.AutoActivation{AccountGUID: device.GUID}
	var answer []byte
	err = c.insist(ctx, device, func() (err error) {
		answer, err = c.callWithAccount(ctx, spcm.ServiceAutoActivation, device, request.Encode(), soap.WrapperReturnPayload)
		return err
	})
	if err != nil {
		return "", err
	}
	response, err := spcm.DecodeAutoActivationResponse(answer)
	if err != nil {
		return "", err
	}
	return response.ActivationKey, nil
}
