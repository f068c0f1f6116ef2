package main

import (
	"errors"

	"furrow/web/api"
)

type memberEditCmd struct {
	memberGUID
	Values []string `arg:"" help:"What to change as KEY=VALUE, with the keys that member show --json prints, such as title=Surveyor."`
}

func (c *memberEditCmd) Run(s *session) error {
	change := api.MemberChange{}
	for _, text := range c.Values {
		key, value, err := pair(text)
		if err != nil {
			return err
		}
		change[key] = value
	}
	return s.member(func(client *api.Client) (api.Member, error) { return client.ChangeMember(s.ctx, c.GUID, change) })
}

type memberMoveCmd struct {
	memberGUID
	To  string `help:"Path or GUID of the group to put the member in." placeholder:"GROUP" xor:"place"`
	Out bool   `help:"Put the member in no group." xor:"place"`
}

func (c *memberMoveCmd) Run(s *session) error {
	if c.To == "" && !c.Out {
		return errors.New("say where: --to GROUP or --out")
	}
	return s.member(func(client *api.Client) (api.Member, error) {
		return client.ChangeMember(s.ctx, c.GUID, api.MemberChange{"group": c.To})
	})
}

type memberNewCodeCmd struct {
	memberGUID
	Reset bool `help:"For a member who has set up an account and lost it: begin anew. The old account is shut out."`
	Send  bool `help:"Mail the new code to the member."`
}

func (c *memberNewCodeCmd) Run(s *session) error {
	return s.member(func(client *api.Client) (api.Member, error) { return client.NewCode(s.ctx, c.GUID, c.Reset, c.Send) })
}
