package main

import (
	"io"

	"furrow/web/api"
)

type contactCmd struct {
	Search contactSearchCmd `cmd:"" help:"Show what the members of a domain find in its contact directory."`
}

type contactSearchCmd struct {
	Domain string `arg:"" help:"Name or GUID of the domain."`
	Text   string `arg:"" optional:"" help:"Part of a name, e-mail address or state; anybody when not given."`
}

func (c *contactSearchCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	contacts, err := client.Contacts(s.ctx, c.Domain, c.Text)
	if err != nil {
		return err
	}
	return s.out.print(contacts, func(w io.Writer) error {
		rows := make([][]string, 0, len(contacts))
		for _, m := range contacts {
			rows = append(rows, []string{m.FullName, m.Email, m.City, m.State, m.GUID})
		}
		return table(w, []string{"NAME", "E-MAIL", "CITY", "STATE", "GUID"}, rows)
	})
}
