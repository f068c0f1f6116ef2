package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"furrow/gms/policy"
	"furrow/web/api"
)

type policyCmd struct {
	List   policyListCmd   `cmd:"" help:"List policy templates."`
	Show   policyShowCmd   `cmd:"" help:"Show the settings of a policy template."`
	Create policyCreateCmd `cmd:"" help:"Make a policy template with the default settings."`
	Copy   policyCopyCmd   `cmd:"" help:"Make a policy template with the settings of another one."`
	Rename policyRenameCmd `cmd:"" help:"Give a policy template another name."`
	Set    policySetCmd    `cmd:"" help:"Change settings and say what changed."`
	Diff   policyDiffCmd   `cmd:"" help:"Compare with another template or the default settings."`
	Assign policyAssignCmd `cmd:"" help:"Give a policy template to a domain, group, member or device."`
	Delete policyDeleteCmd `cmd:"" help:"Remove a policy template that nobody has."`
	Help   policyHelpCmd   `cmd:"" help:"Explain settings."`
}

// policyArgument is the argument of the commands about one policy template.
type policyArgument struct {
	Policy string `arg:"" help:"The template as KIND/NAME, such as device/Default, or its GUID."`
	inDomain
}

// guid returns the GUID of the template meant: the box knows templates by GUID only.
func (a *policyArgument) guid(s *session, client *api.Client) (string, error) {
	p, err := s.policyNamed(client, a.Domain, a.Policy)
	return p.GUID, err
}

// policyNamed finds a template of a domain, or of the only domain, by KIND/NAME or GUID.
func (s *session) policyNamed(client *api.Client, domain, name string) (api.Policy, error) {
	all, err := client.Policies(s.ctx, domain)
	if err != nil {
		return api.Policy{}, err
	}
	var found []api.Policy
	for _, p := range all {
		if p.GUID == name || strings.EqualFold(p.Kind+"/"+p.Name, name) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return api.Policy{}, fmt.Errorf("policy template not found: %q; policy list shows them", name)
	case 1:
		return found[0], nil
	}
	return api.Policy{}, fmt.Errorf("%q is in several domains: say which with --domain", name)
}

type policyListCmd struct {
	Domain string `help:"Only templates of this domain, by name or GUID." placeholder:"NAME"`
}

func (c *policyListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	policies, err := client.Policies(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.out.print(policies, func(w io.Writer) error {
		rows := make([][]string, 0, len(policies))
		for _, p := range policies {
			rows = append(rows, []string{p.Domain, p.Kind + "/" + p.Name, strconv.FormatBool(p.Default), p.GUID})
		}
		return table(w, []string{"DOMAIN", "POLICY", "DEFAULT", "GUID"}, rows)
	})
}

type policyShowCmd struct{ policyArgument }

func (c *policyShowCmd) Run(s *session) error {
	return s.policy(func(client *api.Client) (api.Policy, error) {
		guid, err := c.guid(s, client)
		if err != nil {
			return api.Policy{}, err
		}
		return client.Policy(s.ctx, guid)
	})
}

type policyCreateCmd struct {
	Kind string `arg:"" enum:"identity,device" help:"identity or device."`
	Name string `arg:"" help:"Name, unique among those of its kind in the domain."`
	inDomain
}

func (c *policyCreateCmd) Run(s *session) error {
	return s.policy(func(client *api.Client) (api.Policy, error) {
		return client.CreatePolicy(s.ctx, api.NewPolicy{Domain: c.Domain, Kind: c.Kind, Name: c.Name})
	})
}

type policyCopyCmd struct {
	policyArgument
	Name string `arg:"" help:"Name of the new template."`
}

func (c *policyCopyCmd) Run(s *session) error {
	return s.policy(func(client *api.Client) (api.Policy, error) {
		guid, err := c.guid(s, client)
		if err != nil {
			return api.Policy{}, err
		}
		return client.CreatePolicy(s.ctx, api.NewPolicy{From: guid, Name: c.Name})
	})
}

type policyRenameCmd struct {
	policyArgument
	Name string `arg:"" help:"The new name."`
}

func (c *policyRenameCmd) Run(s *session) error {
	return s.policy(func(client *api.Client) (api.Policy, error) {
		guid, err := c.guid(s, client)
		if err != nil {
			return api.Policy{}, err
		}
		changed, err := client.ChangePolicy(s.ctx, guid, api.PolicyChange{Name: c.Name})
		return changed.Policy, err
	})
}

type policySetCmd struct {
	policyArgument
	Settings []string `arg:"" help:"Settings as KEY=VALUE; policy help explains them."`
}

func (c *policySetCmd) Run(s *session) error {
	var change api.PolicyChange
	for _, text := range c.Settings {
		key, value, err := pair(text)
		if err != nil {
			return err
		}
		change.Settings = append(change.Settings, policy.Value{Key: key, Value: value})
	}
	return s.changes(func(client *api.Client) ([]policy.Change, error) {
		guid, err := c.guid(s, client)
		if err != nil {
			return nil, err
		}
		changed, err := client.ChangePolicy(s.ctx, guid, change)
		return changed.Changes, err
	})
}

// pair divides KEY=VALUE.
func pair(text string) (key, value string, err error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return "", "", fmt.Errorf("%q is not of the form KEY=VALUE", text)
	}
	return key, value, nil
}

type policyDiffCmd struct {
	policyArgument
	With string `help:"The other template; the default settings when not given." placeholder:"POLICY"`
}

func (c *policyDiffCmd) Run(s *session) error {
	return s.changes(func(client *api.Client) ([]policy.Change, error) {
		guid, err := c.guid(s, client)
		if err != nil {
			return nil, err
		}
		var with api.Policy
		if c.With != "" {
			if with, err = s.policyNamed(client, c.Domain, c.With); err != nil {
				return nil, err
			}
		}
		return client.DiffPolicy(s.ctx, guid, with.GUID)
	})
}

// changes does one thing that yields differences, and prints them.
func (s *session) changes(act func(*api.Client) ([]policy.Change, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	changes, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(changes, func(w io.Writer) error {
		if len(changes) == 0 {
			_, err := fmt.Fprintln(w, "no difference")
			return err
		}
		rows := make([][]string, 0, len(changes))
		for _, c := range changes {
			rows = append(rows, []string{c.Key, shortened(c.Before), shortened(c.After)})
		}
		return table(w, []string{"SETTING", "BEFORE", "AFTER"}, rows)
	})
}

// shortened keeps a table readable; --json has the whole.
func shortened(text string) string {
	const most = 60
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-3]) + "..."
	}
	return text
}

type policyAssignCmd struct {
	Policy  string `arg:"" optional:"" help:"The template as KIND/NAME, such as identity/Strict, or its GUID."`
	Inherit bool   `help:"Instead of a template: let it inherit again."`
	Group   string `help:"Give it to this group, by path or GUID." placeholder:"GROUP" xor:"to"`
	Member  string `help:"Give it to this member, by GUID." placeholder:"GUID" xor:"to"`
	Device  string `help:"Give it to this device, by the GUID of its account." placeholder:"GUID" xor:"to"`
	inDomain
}

func (c *policyAssignCmd) Run(s *session) error {
	if (c.Policy == "") != c.Inherit {
		return errors.New("say which policy template, or --inherit")
	}
	if c.Inherit && c.Group+c.Member+c.Device == "" {
		return errors.New("a domain inherits nothing: say which group, member or device")
	}
	client := api.NewClient(s.data)
	defer client.Close()
	holding, err := c.assign(s, client)
	if err != nil {
		return err
	}
	return s.out.print(holding, func(w io.Writer) error {
		return facts(w, [2]string{"policy", comesFrom(holding)})
	})
}

func (c *policyAssignCmd) assign(s *session, client *api.Client) (api.Holding, error) {
	var p api.Policy
	if !c.Inherit {
		var err error
		if p, err = s.policyNamed(client, c.Domain, c.Policy); err != nil {
			return api.Holding{}, err
		}
	}
	switch {
	case c.Group != "":
		g, err := client.ChangeGroup(s.ctx, c.Domain, c.Group, api.GroupChange{Policy: &p.GUID})
		return g.Policy, err
	case c.Member != "":
		m, err := client.ChangeMember(s.ctx, c.Member, api.MemberChange{"policy": p.GUID})
		return m.Policy, err
	case c.Device != "":
		return client.AssignDevicePolicy(s.ctx, c.Domain, c.Device, p.GUID)
	}
	return client.AssignDefaultPolicy(s.ctx, p.Domain, p.GUID)
}

type policyDeleteCmd struct{ policyArgument }

func (c *policyDeleteCmd) Run(s *session) error {
	return s.policy(func(client *api.Client) (api.Policy, error) {
		guid, err := c.guid(s, client)
		if err != nil {
			return api.Policy{}, err
		}
		return client.DeletePolicy(s.ctx, guid)
	})
}

// policy does one thing that yields a policy template, and prints it.
func (s *session) policy(act func(*api.Client) (api.Policy, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	p, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(p, func(w io.Writer) error {
		pairs := [][2]string{
			{"policy", p.Kind + "/" + p.Name}, {"guid", p.GUID}, {"domain", p.Domain}, {"default", strconv.FormatBool(p.Default)},
		}
		for _, v := range p.Settings {
			pairs = append(pairs, [2]string{v.Key, shortened(v.Value)})
		}
		return facts(w, pairs...)
	})
}
