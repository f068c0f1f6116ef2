package main

import (
	"io"
	"time"

	"furrow/web/api"
)

type resetCmd struct {
	List    resetListCmd    `cmd:"" help:"List who has asked."`
	Approve resetApproveCmd `cmd:"" help:"Let a member choose a new passphrase. Make sure first that it is the member who asks."`
	Deny    resetDenyCmd    `cmd:"" help:"Refuse a request."`
}

type resetListCmd struct{}

func (resetListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	resets, err := client.PasswordResets(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(resets, func(w io.Writer) error {
		rows := make([][]string, 0, len(resets))
		for _, r := range resets {
			rows = append(rows, []string{r.FullName, r.Email, r.Domain, r.DeviceName, r.Status, r.Expires.Format(time.RFC3339), r.ID})
		}
		return table(w, []string{"NAME", "E-MAIL", "DOMAIN", "DEVICE", "STATUS", "EXPIRES", "ID"}, rows)
	})
}

type resetApproveCmd struct {
	ID string `arg:"" help:"ID of the request, as the list shows it."`
}

func (c *resetApproveCmd) Run(s *session) error {
	return s.reset(func(client *api.Client) (api.PasswordReset, error) { return client.ApprovePasswordReset(s.ctx, c.ID) })
}

type resetDenyCmd struct {
	ID string `arg:"" help:"ID of the request, as the list shows it."`
}

func (c *resetDenyCmd) Run(s *session) error {
	return s.reset(func(client *api.Client) (api.PasswordReset, error) { return client.DenyPasswordReset(s.ctx, c.ID) })
}

// reset does one thing that yields a password reset, and prints it.
func (s *session) reset(act func(*api.Client) (api.PasswordReset, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	r, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(r, func(w io.Writer) error {
		return facts(w,
			[2]string{"full name", r.FullName},
			[2]string{"e-mail", r.Email},
			[2]string{"domain", r.Domain},
			[2]string{"device", r.DeviceName},
			[2]string{"status", r.Status},
			[2]string{"requested", r.Requested.Format(time.RFC3339)},
			[2]string{"expires", r.Expires.Format(time.RFC3339)},
		)
	})
}
