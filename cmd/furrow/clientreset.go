package main

import (
	"errors"
	"fmt"
	"io"

	"furrow/gms/client"
)

type clientResetRequestCmd struct{ homeFlag }

// resetState is how a password reset stands, for scripts.
type resetState struct {
	// Way is manual or automatic, as the domain's policy has it.
	Way string `json:"way"`
	// Status is pending, mailed, recovered, refused or failed.
	Status string `json:"status"`
	// MailedTo is where the temporary password of an automatic reset went.
	MailedTo string `json:"mailedTo,omitempty"`
}

func (c *clientResetRequestCmd) Run(s *session) error {
	m, err := c.open(s)
	if err != nil {
		return err
	}
	recovery, err := m.home.LoadRecovery()
	if err != nil {
		return err
	}
	escrow, err := m.profile.Escrow(recovery.Keys)
	if err != nil {
		return err
	}
	if recovery.Reset, err = m.client.RequestPasswordReset(s.ctx, escrow, client.NewKeyPair); err != nil {
		return err
	}
	if err := m.home.SaveRecovery(recovery); err != nil {
		return err
	}
	state := resetState{Way: "manual", Status: "pending"}
	text := "an administrator has to approve this; then run furrow client reset-status"
	if recovery.Reset.Automatic {
		state = resetState{Way: "automatic", Status: "mailed", MailedTo: recovery.Reset.Email}
		text = "a temporary password is on its way to " + recovery.Reset.Email + "; give it to furrow client reset-status"
	}
	return s.out.print(state, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, text)
		return err
	})
}

type clientResetStatusCmd struct {
	homeFlag
	PasswordFile string `help:"File with the temporary password from the mail, for an automatic reset; - for standard input." placeholder:"FILE"`
}

func (c *clientResetStatusCmd) Run(s *session) error {
	m, err := c.open(s)
	if err != nil {
		return err
	}
	recovery, err := m.home.LoadRecovery()
	if err != nil {
		return err
	}
	if recovery.Reset == nil {
		return errors.New("no password reset was asked for: run furrow client reset-request")
	}
	state, text, err := c.status(s, m, recovery)
	if err != nil {
		return err
	}
	return s.out.print(state, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, text)
		return err
	})
}

// status brings a reset to its end, if it has come that far. The keys that come back are compared with those that this
// client, other than one whose person has forgotten the passphrase, still has.
func (c *clientResetStatusCmd) status(s *session, m *joinedMember, recovery *client.Recovery) (resetState, string, error) {
	var (
		keys client.MasterKeys
		err  error
	)
	state := resetState{Way: "manual"}
	if recovery.Reset.Automatic {
		if c.PasswordFile == "" {
			return resetState{}, "", errors.New("the temporary password from the mail is needed: --password-file")
		}
		password, readErr := readSecret(c.PasswordFile)
		if readErr != nil {
			return resetState{}, "", readErr
		}
		state = resetState{Way: "automatic", MailedTo: recovery.Reset.Email}
		keys, err = recovery.Reset.Open(password)
	} else {
		keys, err = m.client.AskPasswordReset(s.ctx, recovery.Reset)
	}
	switch {
	case errors.Is(err, client.ErrResetPending):
		state.Status = "pending"
		return state, "no administrator has decided yet", nil
	case errors.Is(err, client.ErrResetRefused):
		state.Status = "refused"
		return state, "the request was refused, or its time is over", nil
	case client.IsResetFailed(err):
		state.Status = "failed"
		return state, "the server could not recover the account's keys", nil
	case err != nil:
		return resetState{}, "", err
	case !keys.Equal(recovery.Keys):
		return resetState{}, "", errors.New("the server has sent other keys than the account's")
	}
	state.Status = "recovered"
	return state, "the account's keys have come back: a new passphrase can be chosen", nil
}
