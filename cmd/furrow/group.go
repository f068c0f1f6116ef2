package main

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"furrow/web/api"
)

type groupCmd struct {
	Create groupCreateCmd `cmd:"" help:"Make a group."`
	List   groupListCmd   `cmd:"" help:"List groups."`
	Show   groupShowCmd   `cmd:"" help:"Show one group, and what its members inherit."`
	Rename groupRenameCmd `cmd:"" help:"Give a group another name."`
	Move   groupMoveCmd   `cmd:"" help:"Put a group, with all that is in it, into another one."`
	Delete groupDeleteCmd `cmd:"" help:"Remove a group."`
}

// inDomain is the flag of commands about something in a domain.
type inDomain struct {
	Domain string `help:"Name or GUID of the domain; needed when there are several." placeholder:"NAME"`
}

// groupArgument is the argument of the commands about one group.
type groupArgument struct {
	Group string `arg:"" help:"Path of the group, such as Sales/North, or its GUID."`
	inDomain
}

type groupCreateCmd struct {
	Path string `arg:"" help:"Path of the new group, such as Sales/North; what is in front of its name must exist."`
	inDomain
}

func (c *groupCreateCmd) Run(s *session) error {
	parent, name := "", c.Path
	if i := strings.LastIndex(c.Path, "/"); i >= 0 {
		parent, name = c.Path[:i], c.Path[i+1:]
	}
	return s.group(func(client *api.Client) (api.Group, error) {
		return client.CreateGroup(s.ctx, api.NewGroup{Domain: c.Domain, Parent: parent, Name: name})
	})
}

type groupListCmd struct {
	Domain string `help:"Only groups of this domain, by name or GUID." placeholder:"NAME"`
}

func (c *groupListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	groups, err := client.Groups(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.out.print(groups, func(w io.Writer) error {
		rows := make([][]string, 0, len(groups))
		for _, g := range groups {
			rows = append(rows, []string{g.Domain, g.Path, strconv.Itoa(g.Members), g.Policy.Name, g.RelaySet.Name, g.GUID})
		}
		return table(w, []string{"DOMAIN", "GROUP", "MEMBERS", "POLICY", "RELAY SET", "GUID"}, rows)
	})
}

type groupShowCmd struct{ groupArgument }

func (c *groupShowCmd) Run(s *session) error {
	return s.group(func(client *api.Client) (api.Group, error) { return client.Group(s.ctx, c.Domain, c.Group) })
}

type groupRenameCmd struct {
	groupArgument
	Name string `arg:"" help:"The new name, without the path."`
}

func (c *groupRenameCmd) Run(s *session) error {
	return s.group(func(client *api.Client) (api.Group, error) {
		return client.ChangeGroup(s.ctx, c.Domain, c.Group, api.GroupChange{Name: &c.Name})
	})
}

type groupMoveCmd struct {
	groupArgument
	To  string `help:"Path or GUID of the group to put it in." placeholder:"GROUP" xor:"place"`
	Top bool   `help:"Put it at the top of the domain." xor:"place"`
}

func (c *groupMoveCmd) Run(s *session) error {
	if c.To == "" && !c.Top {
		return errors.New("say where: --to GROUP or --top")
	}
	return s.group(func(client *api.Client) (api.Group, error) {
		return client.ChangeGroup(s.ctx, c.Domain, c.Group, api.GroupChange{Parent: &c.To})
	})
}

type groupDeleteCmd struct {
	groupArgument
	ToParent bool `help:"Put members and groups in it where the group was; without this, one that is not empty is kept."`
}

func (c *groupDeleteCmd) Run(s *session) error {
	return s.group(func(client *api.Client) (api.Group, error) {
		return client.DeleteGroup(s.ctx, c.Domain, c.Group, c.ToParent)
	})
}

// group does one thing that yields a group, and prints it.
func (s *session) group(act func(*api.Client) (api.Group, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	g, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(g, func(w io.Writer) error {
		return facts(w,
			[2]string{"group", g.Path},
			[2]string{"guid", g.GUID},
			[2]string{"domain", g.Domain},
			[2]string{"members", strconv.Itoa(g.Members)},
			[2]string{"policy", comesFrom(g.Policy)},
			[2]string{"relay set", comesFrom(g.RelaySet)},
		)
	})
}

// comesFrom describes a template or relay set that holds.
func comesFrom(h api.Holding) string {
	from := h.From
	if h.Source != "" {
		from += " " + h.Source
	}
	return h.Name + ", from " + from
}
