package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"furrow/gms/client"
)

type clientMigrateCmd struct {
	homeFlags
	NewHome string `required:"" help:"Folder that is to keep the new account." placeholder:"DIR" type:"path"`
	Code    string `required:"" help:"Account configuration code of the new member."`
}

func (c *clientMigrateCmd) Run(s *session) error {
	return c.member(s, func(old *client.Client, profile *client.Profile) error {
		address := profile.MigrateTo()
		if address == "" {
			return errors.New("the member is not to move: run furrow client update to ask again")
		}
		home, err := client.OpenHome(c.NewHome)
		if err != nil {
			return err
		}
		server, err := client.Connect(s.ctx, &http.Client{Timeout: requestTimeout}, address)
		if err != nil {
			return err
		}
		joined, err := old.Migrate(s.ctx, client.JoinOptions{
			Server: server, Address: address, Code: c.Code, Home: home, DeviceName: profile.DeviceName, Now: time.Now,
			NewKeyPair: client.NewKeyPair, Progress: s.progress,
		})
		if err != nil {
			return err
		}
		return s.out.print(describe(joined), func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s has moved from %s to %s\n", joined.FullName, profile.Domain.DisplayName, joined.Domain.DisplayName)
			return err
		})
	})
}

type clientMigrationStatusCmd struct {
	homeFlags
	Domain string `required:"" help:"Name of the domain that the member has moved to." placeholder:"NAME"`
	Status int32  `help:"0 for success, anything else for a failure." default:"0"`
}

func (c *clientMigrationStatusCmd) Run(s *session) error {
	return c.member(s, func(member *client.Client, _ *client.Profile) error {
		if err := member.DomainMigrationStatus(s.ctx, c.Domain, c.Status); err != nil {
			return err
		}
		return s.out.print(map[string]any{"domain": c.Domain, "status": c.Status}, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, "migration reported")
			return err
		})
	})
}
