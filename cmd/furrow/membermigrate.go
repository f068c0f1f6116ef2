package main

import (
	"io"
	"strconv"
	"time"

	"furrow/web/api"
)

type memberMigrateCmd struct {
	memberGUID
	To       string `help:"Name or GUID of a domain of this server." placeholder:"NAME" xor:"to" required:""`
	ToServer string `help:"Address of another server, http://host/gms.dll, that has a member for the person." placeholder:"URL" xor:"to" required:""`
	Cancel   bool   `help:"Let the member stay." xor:"to" required:""`
}

func (c *memberMigrateCmd) Run(s *session) error {
	return s.member(func(client *api.Client) (api.Member, error) {
		if c.Cancel {
			return client.CancelMigration(s.ctx, c.GUID)
		}
		return client.MigrateMember(s.ctx, c.GUID, api.NewMigration{Domain: c.To, ServerURL: c.ToServer})
	})
}

// failureCode is the status of a migration that failed.
func failureCode(status int32) string {
	if status == 0 {
		return ""
	}
	return "status " + strconv.Itoa(int(status))
}

type memberFailuresCmd struct {
	Domain string `help:"Only accounts of this domain, by name or GUID." placeholder:"NAME"`
}

func (c *memberFailuresCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	failures, err := client.Failures(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.out.print(failures, func(w io.Writer) error {
		rows := make([][]string, 0, len(failures))
		for _, f := range failures {
			rows = append(rows, []string{
				f.MemberName, f.DeviceName, f.Description, strconv.Itoa(f.Count), f.Last.Format(time.RFC3339), f.Domain,
			})
		}
		return table(w, []string{"NAME", "DEVICE", "FAILURE", "COUNT", "LAST", "DOMAIN"}, rows)
	})
}
