package main

import (
	"fmt"
	"io"
	"time"

	"furrow/web/api"
)

type memberSendCodeCmd struct {
	GUIDs    []string `arg:"" name:"guid" help:"GUIDs of the members, as the list shows them."`
	Language string   `help:"Language of the mail, en or de; without it that of the domain." placeholder:"LANGUAGE"`
}

func (c *memberSendCodeCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	members, err := client.Invite(s.ctx, api.Invitation{Members: c.GUIDs, Language: c.Language})
	if err != nil {
		return err
	}
	return s.out.print(members, func(w io.Writer) error {
		for _, m := range members {
			if _, err := fmt.Fprintf(w, "%s: code mailed %s\n", m.FullName, codeMailText(m.CodeMailed)); err != nil {
				return err
			}
		}
		return nil
	})
}

// codeMailText is a mail with a code for a person; nothing for none.
func codeMailText(m *api.CodeMail) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%s to %s", m.At.Local().Format(time.DateTime), m.To)
}
