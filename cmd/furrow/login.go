package main

import (
	"fmt"
	"io"
	"path/filepath"

	"furrow/gms/signin/logins"
)

// loginCmd works on the password file of the data directory, whether the box runs or not: it reads the file for each
// password that it checks.
type loginCmd struct {
	Set    loginSetCmd    `cmd:"" help:"Give a login name a password."`
	List   loginListCmd   `cmd:"" help:"List the login names."`
	Remove loginRemoveCmd `cmd:"" help:"Take a login name away."`
}

type loginSetCmd struct {
	Login string `arg:"" help:"Login name, as the member has it."`
	// A flag would show the password to everybody on the machine.
	PasswordFile string `required:"" help:"File with the password in its first line; - for standard input." placeholder:"FILE"`
}

// changedLogin is the result of changing the password file, as JSON.
type changedLogin struct {
	Login   string `json:"login"`
	Created bool   `json:"created,omitempty"`
	Removed bool   `json:"removed,omitempty"`
}

func (c *loginSetCmd) Run(s *session) error {
	password, err := readSecret(c.PasswordFile)
	if err != nil {
		return err
	}
	created, err := s.logins().Set(c.Login, password)
	if err != nil {
		return err
	}
	return s.out.print(changedLogin{Login: c.Login, Created: created}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s has a new password\n", c.Login)
		return err
	})
}

type loginListCmd struct{}

func (loginListCmd) Run(s *session) error {
	names, err := s.logins().List()
	if err != nil {
		return err
	}
	return s.out.print(names, func(w io.Writer) error {
		for _, name := range names {
			if _, err := fmt.Fprintln(w, name); err != nil {
				return err
			}
		}
		return nil
	})
}

type loginRemoveCmd struct {
	Login string `arg:"" help:"Login name."`
}

func (c *loginRemoveCmd) Run(s *session) error {
	if err := s.logins().Remove(c.Login); err != nil {
		return err
	}
	return s.out.print(changedLogin{Login: c.Login, Removed: true}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s is taken away\n", c.Login)
		return err
	})
}

// logins is the password file of the box.
func (s *session) logins() *logins.File { return logins.Open(filepath.Join(s.data, logins.FileName)) }
