package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"furrow/appliance/config"
	"furrow/appliance/host"
	"furrow/web/api"
)

type boxConsoleCmd struct{}

// consoleInterval is how often the screen is looked at anew: a person who plugs the network in waits before it.
const consoleInterval = 3 * time.Second

func (boxConsoleCmd) Run(s *session) error {
	console := host.Console{
		Version: version, Page: adminPage, State: s.consoleState, Every: consoleInterval,
		Choices: []host.Choice{
			{Key: "c", Text: "Show the set-up code", Do: s.setupCode},
			{Key: "s", Text: "Shell, for support", Offered: shellIsOpen, Do: supportShell, Ends: true},
			{Key: "n", Text: "Network reset: the name furrow, addresses by DHCP", Confirm: "DHCP", Do: underWay(networkReset)},
			{Key: "r", Text: "Restart", Do: underWay(host.Restart)},
			{Key: "p", Text: "Power off", Do: underWay(host.PowerOff)},
			{Key: "f", Text: "Factory reset, which erases everything", Confirm: "ERASE", Do: underWay(factoryReset)},
		},
	}
	return console.Run(s.ctx, os.Stdin, os.Stdout)
}

func adminPage(address string) string {
	return (&url.URL{Scheme: "https", Host: config.HostPort(address, "", ""), Path: "/"}).String()
}

func (s *session) consoleState(ctx context.Context) string {
	client := api.NewClient(s.data)
	defer client.Close()
	status, err := client.Status(ctx)
	switch {
	case err != nil:
		return "starting"
	case status.Recovery != nil:
		return "ready, read-only: its state was restored from damaged files"
	}
	return fmt.Sprintf("ready, serving %s", status.ServerURL)
}

// setupCode is asked for only when a person wants to see it: the box logs who has seen it.
func (s *session) setupCode(ctx context.Context) (string, error) {
	client := api.NewClient(s.data)
	defer client.Close()
	answer, err := client.SetupCode(ctx)
	return answer.Code, err
}

// underWay is for what goes on after the menu has answered.
func underWay(do func(context.Context) error) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) { return "under way", do(ctx) }
}

func factoryReset(ctx context.Context) error {
	if err := imageBox().RequestFactoryReset(); err != nil {
		return err
	}
	return host.Restart(ctx)
}

func networkReset(ctx context.Context) error {
	network := imageNetwork()
	if err := network.Reset(ctx); err != nil {
		return err
	}
	return network.Apply(ctx)
}
