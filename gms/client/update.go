package client

import (
	"context"

	"furrow/gms/policy"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// Update says that the account is in use and brings the managed objects up to date. It returns the objects that are
// new or newer. A server that has lost the account gets it again, and one that asks for it gets a new enrollment
// (MS-GRVSPCM 3.3.5.3.2, 3.3.5.3.3).
func (c *Client) Update(ctx context.Context) ([]policy.Object, error) {
	accounts := []*Account{&c.profile.User}
	if c.profile.ManagesDevice {
		accounts = append(accounts, &c.profile.Device)
	}
	var changed []policy.Object
	for _, account := range accounts {
		err := c.insist(ctx, account, func() error { return c.AccountHeartbeat(ctx, account) })
		if err != nil {
			return changed, err
		}
		var entries []spcm.ManagedObject
		err = c.insist(ctx, account, func() (err error) {
			entries, err = c.ManagedObjectStatus(ctx, account)
			return err
		})
		if err != nil {
			return changed, err
		}
		held := c.profile.Objects
		if account.Device {
			held = c.profile.DeviceObjects
		}
		taken, err := c.profile.take(held, entries)
		if err != nil {
			return changed, err
		}
		changed = append(changed, taken...)
	}
	return changed, nil
}

// insist repeats a request once after doing what the server's fault asks for.
func (c *Client) insist(ctx context.Context, account *Account, request func() error) error {
	err := request()
	switch {
	case hasCode(err, soap.CodeAccountNotFound):
		if err := c.CreateAccount(ctx, account); err != nil {
			return err
		}
	case hasCode(err, soap.CodeReenrollment):
		identity, err := c.profile.heldIdentity()
		if err != nil {
			return err
		}
		if err := c.Enrollment(ctx, relayURLs(identity)); err != nil {
			return err
		}
	default:
		return err
	}
	return request()
}
