package main

import (
	"io"
	"time"

	"furrow/web/access"
	"furrow/web/api"
)

type tokenCmd struct {
	List   tokenListCmd   `cmd:"" help:"List tokens."`
	Add    tokenAddCmd    `cmd:"" help:"Let a program use the administration interface over the network."`
	Remove tokenRemoveCmd `cmd:"" help:"Let it no longer."`
}

type tokenListCmd struct{}

func (tokenListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	all, err := client.Tokens(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(all, func(w io.Writer) error {
		rows := make([][]string, len(all))
		for i, t := range all {
			rows[i] = []string{t.ID, t.Name, string(t.Role), when(t.Expires), when(t.LastUsed)}
		}
		return table(w, []string{"ID", "NAME", "ROLE", "EXPIRES", "LAST USED"}, rows)
	})
}

type tokenAddCmd struct {
	Name string        `arg:"" help:"What the program is, for people."`
	Role string        `required:"" enum:"server,domain,member,auditor,metrics" help:"What it may do: server (everything), domain, member (help desk), auditor (read only) or metrics (the figures for Prometheus at /metrics, nothing else)."`
	For  time.Duration `help:"How long it is good for, such as 2160h; without it until it is removed." placeholder:"DURATION"`
}

func (c *tokenAddCmd) Run(s *session) error {
	wanted := api.NewToken{Name: c.Name, Role: access.Role(c.Role)}
	if c.For != 0 {
		wanted.Expires = time.Now().Add(c.For)
	}
	client := api.NewClient(s.data)
	defer client.Close()
	made, err := client.AddToken(s.ctx, wanted)
	if err != nil {
		return err
	}
	return s.out.print(made, func(w io.Writer) error {
		return facts(w, append(tokenFacts(made.Token), [2]string{"token", made.Secret})...)
	})
}

type tokenRemoveCmd struct {
	ID string `arg:"" help:"ID of the token, as token list shows it."`
}

func (c *tokenRemoveCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	removed, err := client.RemoveToken(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return s.out.print(removed, func(w io.Writer) error { return facts(w, tokenFacts(removed)...) })
}

func tokenFacts(t api.Token) [][2]string {
	return [][2]string{{"id", t.ID}, {"name", t.Name}, {"role", string(t.Role)}, {"expires", when(t.Expires)}}
}
