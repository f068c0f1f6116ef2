package client

import (
	"context"
	"errors"
	"fmt"

	"furrow/gms/policy"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// backupAttempts is how often a backup is begun before it is given up. A server that has lost track of the fragments
// needs two; what it refuses more often will not fit.
const backupAttempts = 3

var (
	// ErrBackupsOff is returned by Backup when the member's policy has no backups made.
	ErrBackupsOff = errors.New("the policy of the domain has no account backups made")
	// ErrBackupSize is returned by Backup for data that no server would take.
	ErrBackupSize = fmt.Errorf("account data must have 1 to %d bytes", spcm.MaxBackup)
)

// backupVersion is the BackupVersion of backups, for which no value is published.
const backupVersion = 1

// Backup stores account data on the management server, in fragments (MS-GRVSPCM 3.3.5.4.1). The server keeps the last
// backup that is complete. After fault 212 all of it is sent again under a new backup GUID. Progress is called with the
// number of bytes that are stored.
func (c *Client) Backup(ctx context.Context, data []byte, progress func(stored int)) error {
	if len(data) == 0 || len(data) > spcm.MaxBackup {
		return ErrBackupSize
	}
	if off, err := c.profile.backupsOff(); err != nil || off {
		return errors.Join(err, ErrBackupsOff)
	}
	var err error
	for range backupAttempts {
		if err = c.backup(ctx, data, progress); !hasCode(err, soap.CodeAccountBackup) {
			break
		}
	}
	return err
}

func (c *Client) backup(ctx context.Context, data []byte, progress func(stored int)) error {
	m := spcm.AccountStore{
		FragmentCount: int32((len(data) + spcm.BackupFragment - 1) / spcm.BackupFragment),
		BackupGUID:    newID(guidLength),
		BackupSize:    int32(len(data)),
		BackupVersion: backupVersion,
	}
	for stored := 0; stored < len(data); {
		fragment := data[stored:min(stored+spcm.BackupFragment, len(data))]
		m.Index++
		m.FragmentSize = int32(len(fragment))
		err := c.insist(ctx, &c.profile.User, func() error { return c.AccountStore(ctx, &m, fragment) })
		if err != nil {
			return err
		}
		stored += len(fragment)
		progress(stored)
	}
	return nil
}

// AccountStore stores one fragment of a backup of the person's account (MS-GRVSPCM 3.3.5.4.1).
func (c *Client) AccountStore(ctx context.Context, m *spcm.AccountStore, fragment []byte) error {
	account := &c.profile.User
	event := c.event(account).Element()
	m.AddTo(event)
	_, err := c.server.callSecured(ctx, spcm.ServiceAccountStore, soap.NewFragment(event), account.Key, fragment, "")
	return err
}

// backupsOff reports whether an identity policy that is held has backups made never (MS-GRVSPCM 3.3.5.4).
func (p *Profile) backupsOff() (bool, error) {
	for guid, held := range p.Objects {
		parsed, err := policy.Parse(held.Data)
		if err != nil {
			return false, fmt.Errorf("held object %s: %w", guid, err)
		}
		if identity, ok := parsed.Unverified().Body.(policy.IdentityPolicy); ok && identity.BackupInterval == 0 {
			return true, nil
		}
	}
	return false, nil
}
