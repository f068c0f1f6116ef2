package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"furrow/gms/client"
	"furrow/gms/soap/spcm"
)

const (
	// restoreTimeout ends the fetching of a backup, of which a slow line needs minutes for the largest.
	restoreTimeout = 15 * time.Minute

	// maxPassword bounds a password file, in bytes.
	maxPassword = 1024
)

type clientBackupCmd struct {
	Home string `required:"" help:"Folder that keeps the account." placeholder:"DIR" type:"path"`
	File string `arg:"" help:"File with the account data." placeholder:"FILE" type:"existingfile"`
}

func (c *clientBackupCmd) Run(s *session) error {
	_, profile, server, err := s.openAccount(c.Home)
	if err != nil {
		return err
	}
	data, err := readLimited(c.File, spcm.MaxBackup)
	if err != nil {
		return err
	}
	bar := s.transfer("backup", int64(len(data)))
	err = client.New(server, profile, time.Now).Backup(s.ctx, data, func(stored int) { bar.update(int64(stored)) })
	bar.end()
	if err != nil {
		return err
	}
	return s.out.print(savedBackup{c.File, int64(len(data))}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s of account data are stored on the management server\n", octets(int64(len(data))))
		return err
	})
}

type clientRestoreCmd struct {
	Server string `required:"" help:"Address of the management server, such as https://groove.example.com." placeholder:"URL"`
	User   string `required:"" help:"Login name at the management server." placeholder:"NAME"`
	passwordFile
	Output string `required:"" help:"File for the account data." placeholder:"FILE" type:"path"`
}

func (c *clientRestoreCmd) Run(s *session) error {
	deviceName, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("asking for the host name: %w", err)
	}
	server, err := client.Connect(s.ctx, &http.Client{Timeout: restoreTimeout}, c.Server)
	if err != nil {
		return err
	}
	if server, err = c.login(server, c.User); err != nil {
		return err
	}
	data, err := server.Restore(s.ctx, deviceName)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(c.Output, data, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", c.Output, err)
	}
	return savedBackup{c.Output, int64(len(data))}.print(s)
}

type clientAutoActivateCmd struct {
	Home string `required:"" help:"Folder that keeps the account of the device." placeholder:"DIR" type:"path"`
	User string `required:"" help:"Login name of the person at the management server." placeholder:"NAME"`
	passwordFile
}

func (c *clientAutoActivateCmd) Run(s *session) error {
	_, profile, server, err := s.openAccount(c.Home)
	if err != nil {
		return err
	}
	if server, err = c.login(server, c.User); err != nil {
		return err
	}
	code, err := client.New(server, profile, time.Now).AutoActivation(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(map[string]string{"configurationCode": code}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, code)
		return err
	})
}

// passwordFile is the flag for the secret that belongs to a login name. It is no flag's value itself, or everybody on
// the machine could read it.
type passwordFile struct {
	PasswordFile string `help:"File with the password in one line; - for standard input." placeholder:"FILE" type:"path"`
}

// login returns the server for a person with this login name.
func (p *passwordFile) login(server *client.Server, user string) (*client.Server, error) {
	if p.PasswordFile == "" {
		return nil, errors.New("--user needs a --password-file")
	}
	password, err := readLimited(p.PasswordFile, maxPassword)
	if err != nil {
		return nil, err
	}
	return server.WithCredentials(user, strings.TrimRight(string(password), "\r\n")), nil
}

// readLimited reads a file of at most limit bytes, or standard input for "-".
func readLimited(path string, limit int64) (_ []byte, err error) {
	file := os.Stdin
	if path != "-" {
		if file, err = os.Open(path); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return data, nil
}
