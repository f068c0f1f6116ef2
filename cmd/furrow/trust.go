package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strconv"

	"furrow/gms/directory"
	"furrow/web/api"
)

type trustCmd struct {
	Export trustExportCmd `cmd:"" help:"Write a domain's certificate to a file, for domains that are to trust it."`
	Add    trustAddCmd    `cmd:"" help:"Trust the contacts of another domain."`
	List   trustListCmd   `cmd:"" help:"List the domains that are trusted."`
	Remove trustRemoveCmd `cmd:"" help:"Trust a domain no more."`
}

type trustExportCmd struct {
	Domain string `arg:"" help:"Name or GUID of the domain."`
	Out    string `required:"" help:"File to write." placeholder:"FILE" type:"path"`
}

func (c *trustExportCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	certificate, err := client.DomainCertificate(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, certificate.Certificate, 0o644); err != nil { // it is no secret
		return fmt.Errorf("writing the certificate: %w", err)
	}
	return s.out.print(certificate, func(w io.Writer) error {
		return facts(w,
			[2]string{"domain", certificate.Domain},
			[2]string{"file", c.Out},
			[2]string{"fingerprint", certificate.Fingerprint},
		)
	})
}

type trustAddCmd struct {
	File           string `arg:"" help:"Certificate of the other domain, as it was exported there."`
	Name           string `help:"Name of the other domain; the organization in the certificate when not given." placeholder:"NAME"`
	Fingerprint    string `help:"Fingerprint of the certificate, as the other administrator reads it to you." placeholder:"DIGITS"`
	InOrganization bool   `help:"The other domain belongs to the same organization."`
	inDomain
}

func (c *trustAddCmd) Run(s *session) error {
	certificate, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	if block, _ := pem.Decode(certificate); block != nil {
		certificate = block.Bytes
	}
	if c.Fingerprint == "" {
		return fmt.Errorf("the certificate has the fingerprint %s: compare it with the other administrator's, then give it with --fingerprint",
			directory.Fingerprint(certificate))
	}
	return s.trust(func(client *api.Client) (api.Trust, error) {
		return client.AddTrust(s.ctx, api.NewTrust{
			Domain: c.Domain, Name: c.Name, Certificate: certificate, Fingerprint: c.Fingerprint, InOrganization: c.InOrganization,
		})
	})
}

type trustListCmd struct {
	Domain string `help:"Only what this domain trusts, by name or GUID." placeholder:"NAME"`
}

func (c *trustListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	trusts, err := client.Trusts(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.out.print(trusts, func(w io.Writer) error {
		rows := make([][]string, 0, len(trusts))
		for _, t := range trusts {
			rows = append(rows, []string{t.Domain, t.Name, strconv.FormatBool(t.InOrganization), t.GUID})
		}
		return table(w, []string{"DOMAIN", "TRUSTS", "SAME ORGANIZATION", "GUID"}, rows)
	})
}

type trustRemoveCmd struct {
	GUID string `arg:"" help:"GUID of the trust, as the list shows it."`
}

func (c *trustRemoveCmd) Run(s *session) error {
	return s.trust(func(client *api.Client) (api.Trust, error) { return client.RemoveTrust(s.ctx, c.GUID) })
}

// trust does one thing that yields a trust, and prints it.
func (s *session) trust(act func(*api.Client) (api.Trust, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	t, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(t, func(w io.Writer) error {
		return facts(w,
			[2]string{"domain", t.Domain},
			[2]string{"trusts", t.Name},
			[2]string{"guid", t.GUID},
			[2]string{"fingerprint", t.Fingerprint},
		)
	})
}
