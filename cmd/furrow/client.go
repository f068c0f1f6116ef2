package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"furrow/gms/client"
)

// requestTimeout ends a request that a server does not answer.
const requestTimeout = time.Minute

type clientCmd struct {
	Join     clientJoinCmd     `cmd:"" help:"Turn an account configuration code into an active member."`
	Update   clientUpdateCmd   `cmd:"" help:"Report to the management server and fetch changed policies."`
	Register clientRegisterCmd `cmd:"" help:"Register the account with its relays."`
	Send     clientSendCmd     `cmd:"" help:"Send a file to other members by relay."`
	Receive  clientReceiveCmd  `cmd:"" help:"Receive the files that wait at the relays."`
	Presence clientPresenceCmd `cmd:"" help:"Be online, and show when others are, until interrupted."`
	Card     clientCardCmd     `cmd:"" help:"Files by which people know each other's devices."`
	Status   clientStatusCmd   `cmd:"" help:"Say how the account stands with its relays."`

	Backup       clientBackupCmd       `cmd:"" help:"Store account data on the management server."`
	Restore      clientRestoreCmd      `cmd:"" help:"Fetch the account data that was stored last."`
	AutoActivate clientAutoActivateCmd `cmd:"" help:"Ask for the account configuration code of the person at this device."`

	Search       clientSearchCmd       `cmd:"" help:"Look other members up in the contact directory."`
	Contact      clientContactCmd      `cmd:"" help:"Show the vCards of members."`
	Publish      clientPublishCmd      `cmd:"" help:"Put the member's vCard into the contact directory, or withdraw it."`
	ResetRequest clientResetRequestCmd `cmd:"" name:"reset-request" help:"Ask for the account's keys, as after a forgotten passphrase."`
	ResetStatus  clientResetStatusCmd  `cmd:"" name:"reset-status" help:"See what has become of that, and take the keys."`

	AuditUpload     clientAuditUploadCmd     `cmd:"" help:"Upload events to the audit log of the device."`
	FileUpload      clientFileUploadCmd      `cmd:"" help:"Upload a file for auditing."`
	Statistics      clientStatisticsCmd      `cmd:"" help:"Report how tools and spaces were used."`
	ReportFailure   clientReportFailureCmd   `cmd:"" help:"Report what has failed in managing the device."`
	Migrate         clientMigrateCmd         `cmd:"" help:"Join where the member is to move to, and report it."`
	MigrationStatus clientMigrationStatusCmd `cmd:"" help:"Report how the member's migration went."`
}

type clientJoinCmd struct {
	Server string `required:"" help:"Address of the management server, such as http://groove.example.com." placeholder:"URL"`
	Code   string `required:"" xor:"who" help:"Account configuration code."`
	User   string `required:"" xor:"who" help:"Login name at the management server, in the place of a code." placeholder:"NAME"`
	passwordFile
	Home string `required:"" help:"Folder that keeps the account; made when it is not there." placeholder:"DIR" type:"path"`
}

func (c *clientJoinCmd) Run(s *session) error {
	deviceName, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("asking for the host name: %w", err)
	}
	home, err := client.OpenHome(c.Home)
	if err != nil {
		return err
	}
	server, err := client.Connect(s.ctx, &http.Client{Timeout: requestTimeout}, c.Server)
	if err != nil {
		return err
	}
	if c.User != "" {
		if server, err = c.login(server, c.User); err != nil {
			return err
		}
	}
	profile, err := client.Join(s.ctx, client.JoinOptions{
		Server: server, Address: c.Server, Code: c.Code, Automatic: c.User != "", Home: home, DeviceName: deviceName, Now: time.Now,
		NewKeyPair: client.NewKeyPair, Progress: s.progress,
	})
	if err != nil {
		return err
	}
	return s.out.print(describe(profile), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s is an active member of %s\n", profile.FullName, profile.Domain.DisplayName)
		return err
	})
}

// progress tells one step of a join; on standard output for a person, nowhere for a script that reads JSON.
func (s *session) progress(step client.Step) {
	if !s.out.json {
		fmt.Fprintf(s.out.w, "[%2d/%d] %s\n", step.Number, client.LastStep, step.Text)
	}
}

type clientUpdateCmd struct {
	Home string `required:"" help:"Folder that keeps the account." placeholder:"DIR" type:"path"`
}

func (c *clientUpdateCmd) Run(s *session) (err error) {
	home, profile, server, err := s.openAccount(c.Home)
	if err != nil {
		return err
	}
	changed, err := client.New(server, profile, time.Now).Update(s.ctx)
	if err = errors.Join(err, home.Save(profile)); err != nil {
		return err
	}
	return s.out.print(describe(profile), func(w io.Writer) error {
		if to := profile.MigrateTo(); to != "" {
			if _, err := fmt.Fprintf(w, "the member is to move to %s\n", to); err != nil {
				return err
			}
		}
		if len(changed) == 0 {
			_, err := fmt.Fprintln(w, "everything is up to date")
			return err
		}
		rows := make([][]string, 0, len(changed))
		for _, o := range changed {
			rows = append(rows, []string{o.Body.Type().String(), o.Issued.Format(time.RFC3339), o.GUID})
		}
		return table(w, []string{"CHANGED", "ISSUED", "GUID"}, rows)
	})
}

// openAccount opens a home folder whose member has joined, and connects to the management server.
func (s *session) openAccount(dir string) (*client.Home, *client.Profile, *client.Server, error) {
	home, err := client.OpenHome(dir)
	if err != nil {
		return nil, nil, nil, err
	}
	profile, err := home.Load()
	if err != nil {
		return nil, nil, nil, err
	}
	if !profile.Joined {
		return nil, nil, nil, fmt.Errorf("the account in %s has not finished joining: run furrow client join again in the same way", dir)
	}
	server, err := client.Connect(s.ctx, &http.Client{Timeout: requestTimeout}, profile.Server)
	return home, profile, server, err
}

// describe is a profile without its secrets.
func describe(p *client.Profile) map[string]string {
	return map[string]string{
		"domain":        p.Domain.DisplayName,
		"domainGUID":    p.Domain.GUID,
		"member":        p.MemberGUID,
		"fullName":      p.FullName,
		"accountGUID":   p.User.GUID,
		"deviceGUID":    p.Device.GUID,
		"identityURL":   p.IdentityURL,
		"objects":       strconv.Itoa(len(p.Objects)),
		"deviceObjects": strconv.Itoa(len(p.DeviceObjects)),
	}
}
