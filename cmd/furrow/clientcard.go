package main

import (
	"fmt"
	"io"
	"os"

	"furrow/gms/client"
)

type clientCardCmd struct {
	Export clientCardExportCmd `cmd:"" help:"Write a file by which others know this account and its device."`
	Import clientCardImportCmd `cmd:"" help:"Keep the file that somebody else has exported."`
	List   clientCardListCmd   `cmd:"" help:"List the people that are known."`
}

// card is what is known of somebody on one device.
type card struct {
	FullName string   `json:"fullName,omitempty"`
	Email    string   `json:"email,omitempty"`
	Identity string   `json:"identityURL"`
	Device   string   `json:"deviceURL"`
	Relays   []string `json:"relays"`
}

func newCard(c client.KnownContact) card {
	return card{FullName: c.FullName, Email: c.Email, Identity: c.URL, Device: c.DeviceURL, Relays: presenceRelays(c)}
}

// presenceRelays are the relays that know whether a contact is online: those named
// for it, or those that take its messages.
func presenceRelays(c client.KnownContact) []string {
	if len(c.PresenceDevices) > 0 {
		return c.PresenceDevices
	}
	return c.RelayDevices
}

type clientCardExportCmd struct {
	relayFlags
	Out string `required:"" help:"File to write, which must not be there." placeholder:"FILE" type:"path"`
}

func (c *clientCardExportCmd) Run(s *session) error {
	m, err := c.open()
	if err != nil {
		return err
	}
	contact, err := m.profile.Contact()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = out.Write(contact)
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", c.Out, err)
	}
	return s.out.print(map[string]string{"file": c.Out}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "wrote", c.Out)
		return err
	})
}

type clientCardImportCmd struct {
	Home string `required:"" help:"Folder that keeps the account." placeholder:"DIR" type:"path"`
	File string `arg:"" help:"File that card export has written." type:"existingfile"`
}

func (c *clientCardImportCmd) Run(s *session) error {
	home, err := client.OpenHome(c.Home)
	if err != nil {
		return err
	}
	contact, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	known, err := home.AddContact(contact)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return s.printCards(newCard(known), []card{newCard(known)})
}

type clientCardListCmd struct {
	Home string `required:"" help:"Folder that keeps the account." placeholder:"DIR" type:"path"`
}

func (c *clientCardListCmd) Run(s *session) error {
	home, err := client.OpenHome(c.Home)
	if err != nil {
		return err
	}
	contacts, err := home.Contacts()
	if err != nil {
		return err
	}
	cards := make([]card, 0, len(contacts))
	for _, contact := range contacts {
		cards = append(cards, newCard(contact))
	}
	return s.printCards(cards, cards)
}

func (s *session) printCards(value any, cards []card) error {
	return s.out.print(value, func(w io.Writer) error {
		rows := make([][]string, 0, len(cards))
		for _, c := range cards {
			rows = append(rows, []string{c.FullName, c.Email, c.Identity, c.Device})
		}
		return table(w, []string{"NAME", "E-MAIL", "IDENTITY", "DEVICE"}, rows)
	})
}
