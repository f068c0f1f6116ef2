package client

import (
	"context"
	"slices"

	"furrow/gms/soap/spcm"
)

// StatisticsPackage reports how the account was used (MS-GRVSPCM 3.3.5.3.5).
func (c *Client) StatisticsPackage(ctx context.Context, account *Account, stats []spcm.Stat) error {
	stats = slices.Clone(stats)
	for i := range stats {
		stats[i].AccountGUID, stats[i].IdentityURL = account.GUID, c.profile.IdentityURL
	}
	return c.insistReport(ctx, spcm.ServiceStatisticsPackage, account, (&spcm.StatisticsPackage{Stats: stats}).Encode())
}

// Failures reports what has failed in managing the device (MS-GRVSPCM 3.3.5.2.6).
func (c *Client) Failures(ctx context.Context, account *Account, subtypes []spcm.FailureSubtype) error {
	return c.insistReport(ctx, spcm.ServiceFailures, account, (&spcm.Failures{Subtypes: subtypes}).Encode())
}

// DomainMigrationStatus reports how the migration of the member went, 0 for success (MS-GRVSPCM 3.3.5.2.4).
func (c *Client) DomainMigrationStatus(ctx context.Context, domainName string, status int32) error {
	payload := (&spcm.DomainMigrationStatus{DomainName: domainName, Status: status}).Encode()
	return c.insistReport(ctx, spcm.ServiceDomainMigrationStatus, &c.profile.User, payload)
}

// insistReport is report for a server that may have lost the account.
func (c *Client) insistReport(ctx context.Context, service string, account *Account, payload []byte) error {
	return c.insist(ctx, account, func() error { return c.report(ctx, service, account, payload) })
}

// MigrateTo returns the address of the server that the member is to move to, "" if it is to stay.
func (p *Profile) MigrateTo() string {
	identity, err := p.heldIdentity()
	if err != nil {
		return ""
	}
	return identity.MigrateTo
}
