package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"furrow/web/api"
)

type relaySetCmd struct {
	Create relaySetCreateCmd `cmd:"" help:"Add an empty relay set to a domain."`
	List   relaySetListCmd   `cmd:"" help:"List relay sets."`
	Add    relaySetAddCmd    `cmd:"" help:"Add a relay at the end of a set."`
	Order  relaySetOrderCmd  `cmd:"" help:"Say which relays a set has, in order."`
	Assign relaySetAssignCmd `cmd:"" help:"Give a set to its whole domain, to a group or to one member."`

	Inherit relaySetInheritCmd `cmd:"" help:"Let a group or member inherit its set again."`
}

type relaySetCreateCmd struct {
	Name   string `arg:"" help:"Name of the set, unique in the domain."`
	Domain string `required:"" help:"Name or GUID of the domain." placeholder:"NAME"`
}

func (c *relaySetCreateCmd) Run(s *session) error {
	return s.relaySet(func(client *api.Client) (api.RelaySet, error) {
		return client.CreateRelaySet(s.ctx, api.NewRelaySet{Domain: c.Domain, Name: c.Name})
	})
}

type relaySetListCmd struct {
	Domain string `help:"Only sets of this domain, by name or GUID." placeholder:"NAME"`
}

func (c *relaySetListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	sets, err := client.RelaySets(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.printRelaySets(sets, sets)
}

type relaySetAddCmd struct {
	Set   string `arg:"" help:"GUID of the set."`
	Relay string `arg:"" help:"GUID of the relay, as relay status shows it."`
}

func (c *relaySetAddCmd) Run(s *session) error {
	return s.relaySet(func(client *api.Client) (api.RelaySet, error) {
		sets, err := client.RelaySets(s.ctx, "")
		if err != nil {
			return api.RelaySet{}, err
		}
		for _, set := range sets {
			if set.GUID == c.Set {
				return client.OrderRelaySet(s.ctx, c.Set, append(set.Relays, c.Relay))
			}
		}
		return api.RelaySet{}, fmt.Errorf("relay set not found: %q", c.Set)
	})
}

type relaySetOrderCmd struct {
	Set    string   `arg:"" help:"GUID of the set."`
	Relays []string `arg:"" optional:"" help:"GUIDs of the relays, the one to use first in front; none empties the set."`
}

func (c *relaySetOrderCmd) Run(s *session) error {
	return s.relaySet(func(client *api.Client) (api.RelaySet, error) {
		return client.OrderRelaySet(s.ctx, c.Set, append([]string{}, c.Relays...))
	})
}

type relaySetAssignCmd struct {
	Set    string `arg:"" help:"GUID of the set."`
	Member string `help:"Only for this member; the whole domain when not given." placeholder:"GUID" xor:"to"`
	Group  string `help:"Only for this group, by path or GUID." placeholder:"GROUP" xor:"to"`
}

func (c *relaySetAssignCmd) Run(s *session) error {
	return s.relaySet(func(client *api.Client) (api.RelaySet, error) {
		return client.AssignRelaySet(s.ctx, c.Set, api.Assignment{Member: c.Member, Group: c.Group})
	})
}

type relaySetInheritCmd struct {
	Member string `help:"GUID of the member." placeholder:"GUID" xor:"to" required:""`
	Group  string `help:"Path or GUID of the group." placeholder:"GROUP" xor:"to" required:""`
	inDomain
}

func (c *relaySetInheritCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	holds, err := c.inherit(s, client)
	if err != nil {
		return err
	}
	return s.out.print(holds.RelaySet, func(w io.Writer) error {
		return facts(w, [2]string{"relay set", comesFrom(holds.RelaySet)})
	})
}

func (c *relaySetInheritCmd) inherit(s *session, client *api.Client) (api.Holds, error) {
	if c.Group != "" {
		inherit := ""
		g, err := client.ChangeGroup(s.ctx, c.Domain, c.Group, api.GroupChange{RelaySet: &inherit})
		return g.Holds, err
	}
	m, err := client.ChangeMember(s.ctx, c.Member, api.MemberChange{"relaySet": ""})
	return m.Holds, err
}

// relaySet does one thing that yields a relay set, and prints it.
func (s *session) relaySet(act func(*api.Client) (api.RelaySet, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	set, err := act(client)
	if err != nil {
		return err
	}
	return s.printRelaySets(set, []api.RelaySet{set})
}

func (s *session) printRelaySets(value any, sets []api.RelaySet) error {
	return s.out.print(value, func(w io.Writer) error {
		rows := make([][]string, 0, len(sets))
		for _, set := range sets {
			rows = append(rows, []string{
				set.Domain, set.Name, strconv.FormatBool(set.Default), set.GUID, strings.Join(set.Relays, " "),
			})
		}
		return table(w, []string{"DOMAIN", "SET", "DEFAULT", "GUID", "RELAYS"}, rows)
	})
}
