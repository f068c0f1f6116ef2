package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/renameio/v2"

	"furrow/web/api"
)

type memberBackupCmd struct {
	memberGUID
	Output string `required:"" help:"File for the account data, as the client has stored it." placeholder:"FILE" type:"path"`
}

// savedBackup is an account's data in a file.
type savedBackup struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

func (b savedBackup) print(s *session) error {
	return s.out.print(b, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s of account data are in %s\n", octets(b.Size), b.Path)
		return err
	})
}

func (c *memberBackupCmd) Run(s *session) (err error) {
	client := api.NewClient(s.data)
	defer client.Close()
	file, err := renameio.NewPendingFile(c.Output, renameio.WithPermissions(0o600))
	if err != nil {
		return fmt.Errorf("creating %s: %w", c.Output, err)
	}
	defer func() { err = errors.Join(err, file.Cleanup()) }()
	size, err := client.MemberBackup(s.ctx, c.GUID, file)
	if err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("writing %s: %w", c.Output, err)
	}
	return savedBackup{c.Output, size}.print(s)
}

// backupText is a backup for a person; nothing for none.
func backupText(b *api.Backup) string {
	if b == nil {
		return ""
	}
	return fmt.Sprintf("%s, %s from %s", b.Stored.Local().Format(time.DateTime), octets(b.Size), b.Device)
}
