package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"furrow/gms/client"
	"furrow/gms/soap/spcm"
)

// homeFlag is the flag of commands of a member who has joined.
type homeFlag struct {
	Home string `required:"" help:"Folder that keeps the account." placeholder:"DIR" type:"path"`
}

// joinedMember is a member who has joined, at its management server.
type joinedMember struct {
	home    *client.Home
	profile *client.Profile
	client  *client.Client
}

// open reads the home folder and finds the server.
func (f *homeFlag) open(s *session) (*joinedMember, error) {
	home, profile, server, err := s.openAccount(f.Home)
	if err != nil {
		return nil, err
	}
	return &joinedMember{home, profile, client.New(server, profile, time.Now)}, nil
}

type clientSearchCmd struct {
	homeFlag
	Text string `arg:"" optional:"" help:"Part of a name, e-mail address or state; anybody when not given."`
}

// foundContact is a member that a search has found.
type foundContact struct {
	GUID        string `json:"guid"`
	FullName    string `json:"fullName"`
	Email       string `json:"email"`
	City        string `json:"city"`
	State       string `json:"state"`
	IdentityURL string `json:"identityURL"`
}

func (c *clientSearchCmd) Run(s *session) error {
	m, err := c.open(s)
	if err != nil {
		return err
	}
	contacts, err := m.client.SearchContacts(s.ctx, c.Text)
	if err != nil {
		return err
	}
	found := []foundContact{}
	for _, f := range contacts {
		found = append(found, foundContact{f.IdentityGUID, f.FullName, f.CompanyEmail, f.City, f.State, f.IdentityURL})
	}
	return s.out.print(found, func(w io.Writer) error {
		rows := make([][]string, 0, len(found))
		for _, f := range found {
			rows = append(rows, []string{f.FullName, f.Email, f.City, f.State, f.GUID})
		}
		if err := table(w, []string{"NAME", "E-MAIL", "CITY", "STATE", "GUID"}, rows); err != nil || len(found) < spcm.MaxContacts {
			return err
		}
		_, err := fmt.Fprintf(w, "these are the first %d; a longer text finds fewer\n", spcm.MaxContacts)
		return err
	})
}

type clientContactCmd struct {
	homeFlag
	GUIDs []string `arg:"" name:"guid" help:"GUIDs of members, as client search shows them."`
}

func (c *clientContactCmd) Run(s *session) error {
	m, err := c.open(s)
	if err != nil {
		return err
	}
	contacts, err := m.client.FetchContacts(s.ctx, c.GUIDs...)
	if err != nil {
		return err
	}
	type contact struct {
		GUID  string `json:"guid"`
		VCard string `json:"vCard"`
	}
	shown := []contact{}
	for _, f := range contacts {
		shown = append(shown, contact{f.IdentityGUID, string(f.VCard)})
	}
	return s.out.print(shown, func(w io.Writer) error {
		for _, f := range shown {
			if _, err := fmt.Fprintf(w, "%q\n", f.VCard); err != nil { // another member's text, for a terminal
				return err
			}
		}
		return nil
	})
}

type clientPublishCmd struct {
	homeFlag
	VCard    string `name:"vcard" help:"File with the vCard; that of the identity when not given." placeholder:"FILE" type:"existingfile"`
	Withdraw bool   `help:"Take the contact out of the directory."`
}

func (c *clientPublishCmd) Run(s *session) error {
	m, err := c.open(s)
	if err != nil {
		return err
	}
	vCard, done := m.profile.VCard, "published"
	switch {
	case c.Withdraw && c.VCard != "":
		return errors.New("a vCard is either published or withdrawn")
	case c.Withdraw:
		vCard, done = nil, "withdrawn"
	case c.VCard != "":
		if vCard, err = readVCard(c.VCard); err != nil {
			return err
		}
	}
	if err := m.client.PublishContact(s.ctx, vCard); err != nil {
		return err
	}
	return s.out.print(map[string]string{"contact": done}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "the contact of %s is %s\n", m.profile.FullName, done)
		return err
	})
}

// readVCard refuses early what the server would refuse.
func readVCard(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("vCard: %w", err)
	}
	if info.Size() == 0 || info.Size() > spcm.MaxContact {
		return nil, fmt.Errorf("vCard %s: %d bytes, want 1 to %d", path, info.Size(), spcm.MaxContact)
	}
	return os.ReadFile(path)
}
