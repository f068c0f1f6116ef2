package main

import (
	"context"
	"io"

	"furrow/web/api"
)

type memberCmd struct {
	Add     memberAddCmd     `cmd:"" help:"Add a member and print its account configuration code."`
	List    memberListCmd    `cmd:"" help:"List members."`
	Show    memberShowCmd    `cmd:"" help:"Show one member."`
	Disable memberDisableCmd `cmd:"" help:"Lock a member out until it is enabled again."`
	Enable  memberEnableCmd  `cmd:"" help:"End a member's lock-out."`
	Delete  memberDeleteCmd  `cmd:"" help:"Remove a member for good."`
	Backup  memberBackupCmd  `cmd:"" help:"Save the account data that the member's client has stored."`
	Edit    memberEditCmd    `cmd:"" help:"Change details of a member."`
	Move    memberMoveCmd    `cmd:"" help:"Put a member into a group."`
	NewCode memberNewCodeCmd `cmd:"" help:"Replace a member's account configuration code; the old one is worth nothing then."`

	SendCode memberSendCodeCmd `cmd:"" help:"Mail their account configuration codes to members."`
	Import   memberImportCmd   `cmd:"" help:"Add and change the members in a file."`
	Export   memberExportCmd   `cmd:"" help:"Write members into a file."`

	Migrate  memberMigrateCmd  `cmd:"" help:"Move a member to another domain or server."`
	Failures memberFailuresCmd `cmd:"" help:"List what clients have failed to do for the management of their devices."`
}

type memberAddCmd struct {
	Domain       string `required:"" help:"Name or GUID of the domain." placeholder:"NAME"`
	Group        string `help:"Path or GUID of the group to put the member in." placeholder:"GROUP"`
	FullName     string `required:"" help:"Full name." placeholder:"NAME"`
	Email        string `required:"" help:"E-mail address." placeholder:"ADDRESS"`
	FirstName    string `help:"First name." placeholder:"NAME"`
	LastName     string `help:"Last name." placeholder:"NAME"`
	Login        string `help:"Login name at the directory (REMOTE_USER), for automatic activation." placeholder:"USER"`
	Organization string `help:"Organization." placeholder:"ORG"`
	Title        string `help:"Title." placeholder:"TITLE"`
	Street1      string `name:"street1" help:"First line of the street." placeholder:"STREET"`
	Street2      string `name:"street2" help:"Second line of the street." placeholder:"STREET"`
	City         string `help:"City." placeholder:"CITY"`
	State        string `help:"State or province." placeholder:"STATE"`
	PostalCode   string `help:"Postal code." placeholder:"CODE"`
	Country      string `help:"Country." placeholder:"COUNTRY"`
	Phone        string `help:"Phone number." placeholder:"NUMBER"`
	Cell         string `help:"Cell phone number." placeholder:"NUMBER"`
	Fax          string `help:"Fax number." placeholder:"NUMBER"`
	Send         bool   `help:"Mail the code to the member."`
}

func (c *memberAddCmd) Run(s *session) error {
	return s.member(func(client *api.Client) (api.Member, error) {
		create := client.CreateMember
		if c.Send {
			create = client.CreateInvitedMember
		}
		return create(s.ctx, api.NewMember{Domain: c.Domain, Group: c.Group, MemberDetails: api.MemberDetails{
			FullName: c.FullName, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, Login: c.Login,
			Organization: c.Organization, Title: c.Title, Street1: c.Street1, Street2: c.Street2, City: c.City,
			State: c.State, PostalCode: c.PostalCode, Country: c.Country, Phone: c.Phone, Cell: c.Cell, Fax: c.Fax,
		}})
	})
}

type memberListCmd struct {
	Domain string `help:"Only members of this domain, by name or GUID." placeholder:"NAME"`
	Group  string `help:"Only members in this group, by path or GUID." placeholder:"GROUP"`
}

func (c *memberListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	list := client.Members
	if c.Group != "" {
		list = func(ctx context.Context, domain string) ([]api.Member, error) {
			return client.GroupMembers(ctx, domain, c.Group)
		}
	}
	members, err := list(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.out.print(members, func(w io.Writer) error {
		rows := make([][]string, 0, len(members))
		for _, m := range members {
			rows = append(rows, []string{m.FullName, m.Email, m.Status, m.Domain, m.Group, m.GUID})
		}
		return table(w, []string{"NAME", "E-MAIL", "STATUS", "DOMAIN", "GROUP", "GUID"}, rows)
	})
}

// memberGUID is the argument of the commands about one member.
type memberGUID struct {
	GUID string `arg:"" help:"GUID of the member, as the list shows it."`
}

type memberShowCmd struct{ memberGUID }

func (c *memberShowCmd) Run(s *session) error {
	return s.member(func(client *api.Client) (api.Member, error) { return client.Member(s.ctx, c.GUID) })
}

type memberDisableCmd struct{ memberGUID }

func (c *memberDisableCmd) Run(s *session) error {
	return s.member(func(client *api.Client) (api.Member, error) { return client.DisableMember(s.ctx, c.GUID) })
}

type memberEnableCmd struct{ memberGUID }

func (c *memberEnableCmd) Run(s *session) error {
	return s.member(func(client *api.Client) (api.Member, error) { return client.EnableMember(s.ctx, c.GUID) })
}

type memberDeleteCmd struct{ memberGUID }

func (c *memberDeleteCmd) Run(s *session) error {
	return s.member(func(client *api.Client) (api.Member, error) { return client.DeleteMember(s.ctx, c.GUID) })
}

// member does one thing that yields a member, and prints it.
func (s *session) member(act func(*api.Client) (api.Member, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	m, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(m, func(w io.Writer) error {
		return facts(w,
			[2]string{"full name", m.FullName},
			[2]string{"guid", m.GUID},
			[2]string{"domain", m.Domain},
			[2]string{"group", m.Group},
			[2]string{"status", m.Status},
			[2]string{"configuration code", m.ConfigurationCode},
			[2]string{"code mailed", codeMailText(m.CodeMailed)},
			[2]string{"e-mail", m.Email},
			[2]string{"first name", m.FirstName},
			[2]string{"last name", m.LastName},
			[2]string{"login", m.Login},
			[2]string{"organization", m.Organization},
			[2]string{"title", m.Title},
			[2]string{"street", m.Street1},
			[2]string{"", m.Street2},
			[2]string{"city", m.City},
			[2]string{"state", m.State},
			[2]string{"postal code", m.PostalCode},
			[2]string{"country", m.Country},
			[2]string{"phone", m.Phone},
			[2]string{"cell", m.Cell},
			[2]string{"fax", m.Fax},
			[2]string{"policy", comesFrom(m.Policy)},
			[2]string{"relay set", comesFrom(m.RelaySet)},
			[2]string{"identity", m.IdentityURL},
			[2]string{"account", m.AccountGUID},
			[2]string{"last backup", backupText(m.LastBackup)},
			[2]string{"moves to", m.MigrationServer},
			[2]string{"moves to member", m.MigrationMember},
			[2]string{"moved to domain", m.MigratedDomain},
			[2]string{"move failed with", failureCode(m.MigrationFailure)},
		)
	})
}
