package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"furrow/appliance/network"
	"furrow/web/api"
)

type networkCmd struct {
	Show  networkShowCmd  `cmd:"" default:"1" help:"Show the box's name and addresses, as set and in force, and its temperatures."`
	Set   networkSetCmd   `cmd:"" help:"Try a name and addresses; unless kept within a minute, those before return."`
	Keep  networkKeepCmd  `cmd:"" help:"Confirm what is on trial."`
	Reset networkResetCmd `cmd:"" help:"Forget name and addresses: furrow, by DHCP, at once."`
}

type networkShowCmd struct{}

func (networkShowCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := client.Network(s.ctx)
	return s.network(report, err)
}

type networkSetCmd struct {
	Name    *string  `help:"Host name; others find the box as NAME.local."`
	Port    *string  `help:"The network port that this is for, such as enp1s0; an empty one for every wired port."`
	DHCP    bool     `name:"dhcp" help:"Get addresses from the network." xor:"addresses"`
	Address []string `help:"Fixed addresses with the length of their network's prefix, such as 192.0.2.5/24." placeholder:"ADDRESS/LENGTH" xor:"addresses"`
	Gateway []string `help:"Gateways, one for IPv4 and one for IPv6." placeholder:"ADDRESS"`
	DNS     []string `name:"dns" help:"Name servers; an empty one for those of DHCP." placeholder:"ADDRESS"`
	Search  []string `help:"Domains in which names without a dot are looked for; an empty one for none." placeholder:"DOMAIN"`
}

func (c *networkSetCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := client.Network(s.ctx)
	if err != nil {
		return err
	}
	wanted := report.Set
	c.change(&wanted)
	report, err = client.TryNetwork(s.ctx, wanted)
	return s.network(report, err)
}

// change puts what the flags say into settings.
func (c *networkSetCmd) change(settings *network.Settings) {
	if c.Name != nil {
		settings.Name = *c.Name
	}
	if c.Port != nil {
		settings.Port = *c.Port
	}
	if c.DHCP {
		settings.Addresses, settings.Gateways = nil, nil
	}
	for list, given := range map[*[]string][]string{
		&settings.Addresses: c.Address, &settings.Gateways: c.Gateway, &settings.DNS: c.DNS, &settings.Search: c.Search,
	} {
		if given != nil {
			*list = slices.DeleteFunc(slices.Clone(given), func(entry string) bool { return entry == "" })
		}
	}
}

type networkKeepCmd struct{}

func (networkKeepCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := client.KeepNetwork(s.ctx)
	return s.network(report, err)
}

type networkResetCmd struct{}

func (networkResetCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := client.ResetNetwork(s.ctx)
	return s.network(report, err)
}

// network prints a report, unless there is none.
func (s *session) network(report network.Report, err error) error {
	if err != nil {
		return err
	}
	return s.out.print(report, func(w io.Writer) error {
		pairs := append([][2]string{{"name", report.Name}}, settingsFacts("set", report.Set)...)
		if t := report.Trial; t != nil {
			pairs = append(pairs, settingsFacts("on trial", t.Settings)...)
			pairs = append(pairs, [2]string{"trial ends", fmt.Sprintf("in %d s, unless kept: furrow network keep", t.Seconds)})
		}
		pairs = append(pairs, [2]string{"damage", report.Damage}, [2]string{"problem", report.Problem})
		for _, link := range report.Links {
			addresses := make([]string, len(link.Addresses))
			for i, a := range link.Addresses {
				addresses[i] = a.Address + " (" + a.Source + ")"
			}
			pairs = append(pairs,
				[2]string{link.Name, link.State + ", " + link.Hardware}, [2]string{"  addresses", strings.Join(addresses, ", ")},
				[2]string{"  gateways", strings.Join(link.Gateways, ", ")}, [2]string{"  name servers", strings.Join(link.DNS, ", ")},
				[2]string{"  search", strings.Join(link.Search, ", ")},
			)
		}
		for _, t := range report.Temperatures {
			pairs = append(pairs, [2]string{t.Sensor, fmt.Sprintf("%.1f °C", t.Celsius)})
		}
		return facts(w, pairs...)
	})
}

func settingsFacts(what string, s network.Settings) [][2]string {
	addresses := strings.Join(s.Addresses, ", ")
	if addresses == "" {
		addresses = "by DHCP"
	}
	return [][2]string{
		{what, s.Name}, {"  port", s.Port}, {"  addresses", addresses}, {"  gateways", strings.Join(s.Gateways, ", ")},
		{"  name servers", strings.Join(s.DNS, ", ")}, {"  search", strings.Join(s.Search, ", ")},
	}
}
