package client

import (
	"context"
	"errors"
)

// migrationFailed is the status that is reported when the member could not join its new domain; the section tells
// success only (MS-GRVSPCM 2.2.3.23.1).
const migrationFailed = 1

// ErrNotMigrating is returned by Migrate for a member who is to stay.
var ErrNotMigrating = errors.New("the member is not to move to another domain or server")

// Migrate joins the domain that the member is to move to, with the configuration code it has there, and reports the
// outcome to the old one (MS-GRVSPCM 3.3.5.2.4). The new account is made in the home of the options, which is not the
// old one's.
func (c *Client) Migrate(ctx context.Context, o JoinOptions) (*Profile, error) {
	if c.profile.MigrateTo() == "" {
		return nil, ErrNotMigrating
	}
	joined, err := Join(ctx, o)
	if errors.Is(err, ErrJoined) { // an earlier try could not report it
		joined, err = o.Home.Load()
	}
	if err != nil {
		return nil, errors.Join(err, c.DomainMigrationStatus(ctx, "", migrationFailed))
	}
	return joined, c.DomainMigrationStatus(ctx, joined.Domain.DisplayName, 0)
}
