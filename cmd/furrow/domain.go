package main

import (
	"io"
	"strconv"

	"furrow/web/api"
)

// timeFormat is how a time is shown to a person.
const timeFormat = "2006-01-02 15:04:05 MST"

type domainCmd struct {
	Create domainCreateCmd `cmd:"" help:"Make a domain with its keys and certificates."`
	List   domainListCmd   `cmd:"" help:"List the domains."`
	Show   domainShowCmd   `cmd:"" help:"Show one domain."`
	Rename domainRenameCmd `cmd:"" help:"Give a domain another name."`
	Delete domainDeleteCmd `cmd:"" help:"Delete a domain for good."`
}

type domainCreateCmd struct {
	Name         string `arg:"" help:"Name of the domain, unique on this box."`
	Organization string `help:"Organization named in the certificates; the domain's name when not given." placeholder:"ORG"`
	Hidden       bool   `help:"For tests: lists leave it out, and nothing of it remains when it is deleted."`
}

func (c *domainCreateCmd) Run(s *session) error {
	return s.domain(func(client *api.Client) (api.Domain, error) {
		return client.CreateDomain(s.ctx, api.NewDomain{Name: c.Name, Organization: c.Organization, Hidden: c.Hidden})
	})
}

type domainShowCmd struct {
	Name string `arg:"" help:"Name or GUID of the domain."`
}

func (c *domainShowCmd) Run(s *session) error {
	return s.domain(func(client *api.Client) (api.Domain, error) { return client.Domain(s.ctx, c.Name) })
}

type domainRenameCmd struct {
	Name string `arg:"" help:"Name or GUID of the domain."`
	To   string `arg:"" help:"The new name, unique on this box. The certificates keep their organization."`
}

func (c *domainRenameCmd) Run(s *session) error {
	return s.domain(func(client *api.Client) (api.Domain, error) { return client.RenameDomain(s.ctx, c.Name, c.To) })
}

type domainDeleteCmd struct {
	Name        string `arg:"" help:"Name or GUID of the domain."`
	WithMembers bool   `help:"Delete its members too; without this, a domain that has members is kept."`
}

func (c *domainDeleteCmd) Run(s *session) error {
	return s.domain(func(client *api.Client) (api.Domain, error) {
		return client.DeleteDomain(s.ctx, c.Name, c.WithMembers)
	})
}

type domainListCmd struct {
	All bool `help:"Hidden and deleted ones too."`
}

func (c *domainListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	list := client.Domains
	if c.All {
		list = client.AllDomains
	}
	domains, err := list(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(domains, func(w io.Writer) error {
		rows := make([][]string, 0, len(domains))
		for _, d := range domains {
			rows = append(rows, []string{d.Name, d.Organization, strconv.Itoa(d.Members), d.GUID})
		}
		return table(w, []string{"NAME", "ORGANIZATION", "MEMBERS", "GUID"}, rows)
	})
}

// domain does one thing that yields a domain, and prints it.
func (s *session) domain(act func(*api.Client) (api.Domain, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	d, err := act(client)
	if err != nil {
		return err
	}
	deleted := ""
	if !d.Deleted.IsZero() {
		deleted = d.Deleted.Format(timeFormat)
	}
	return s.out.print(d, func(w io.Writer) error {
		return facts(w,
			[2]string{"name", d.Name},
			[2]string{"guid", d.GUID},
			[2]string{"organization", d.Organization},
			[2]string{"server URL", d.ServerURL},
			[2]string{"members", strconv.Itoa(d.Members)},
			[2]string{"created", d.Created.Format(timeFormat)},
			[2]string{"deleted", deleted},
		)
	})
}
