package client_test

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"testing"

	"furrow/appliance/keys"
	"furrow/appliance/mail"
	"furrow/gms/client"
	"furrow/gms/directory"
)

// mailbox collects the bodies of mails.
type mailbox struct {
	mu     sync.Mutex
	bodies []string // guarded by mu
}

func (m *mailbox) Queue(_ context.Context, message mail.Message) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bodies = append(m.bodies, message.Body)
	return "id", nil
}

func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bodies
}

func (o *office) policy(t *testing.T, edit func(*directory.IdentitySettings)) {
	t.Helper()
	template, err := o.directory.IdentityTemplate(o.domain.IdentityTemplate)
	if err != nil {
		t.Fatal(err)
	}
	settings := directory.IdentitySettings{Identity: template.Identity.Settings, DataRecovery: template.DataRecovery.Settings}
	edit(&settings)
	if _, err := o.directory.UpdateIdentityTemplate(t.Context(), o.domain.IdentityTemplate, settings); err != nil {
		t.Fatal(err)
	}
}

// asked keeps a password reset that was asked for in the home, and reads it back.
func asked(t *testing.T, o *office, c *client.Client, home *client.Home, e *client.Escrow) *client.PasswordReset {
	t.Helper()
	recovery, err := home.LoadRecovery()
	if err != nil {
		t.Fatal(err)
	}
	if recovery.Reset, err = c.RequestPasswordReset(t.Context(), e, o.newKeyPair); err != nil {
		t.Fatal(err)
	}
	if err := home.SaveRecovery(recovery); err != nil {
		t.Fatal(err)
	}
	if recovery, err = home.LoadRecovery(); err != nil {
		t.Fatal(err)
	}
	return recovery.Reset
}

// masterKeys makes master keys, keeps them in the home, and puts them into escrow.
func masterKeys(t *testing.T, home *client.Home, profile *client.Profile) (client.MasterKeys, *client.Escrow) {
	t.Helper()
	recovery, err := home.LoadRecovery()
	if err != nil {
		t.Fatal(err)
	}
	if err := home.SaveRecovery(recovery); err != nil {
		t.Fatal(err)
	}
	again, err := home.LoadRecovery()
	if err != nil || !again.Keys.Equal(recovery.Keys) || again.Reset != nil {
		t.Fatalf("kept other keys: %v", err)
	}
	escrow, err := profile.Escrow(recovery.Keys)
	if err != nil {
		t.Fatal(err)
	}
	return recovery.Keys, escrow
}

func TestManualReset(t *testing.T) {
	o := newOffice(t)
	home := openHome(t, t.TempDir())
	c, profile := o.joined(t, home)
	want, escrow := masterKeys(t, home, profile)

	if _, err := c.AskPasswordReset(t.Context(), &client.PasswordReset{}); !errors.Is(err, client.ErrResetRefused) {
		t.Errorf("nothing asked for: %v", err)
	}
	reset := asked(t, o, c, home, escrow)
	if reset.Automatic {
		t.Fatal("the reset is automatic")
	}
	if _, err := c.AskPasswordReset(t.Context(), reset); !errors.Is(err, client.ErrResetPending) {
		t.Errorf("not decided: %v", err)
	}
	only := func() string {
		resets := o.directory.PasswordResets()
		if len(resets) != 1 || resets[0].Member != profile.MemberGUID || resets[0].Requester != profile.Device.GUID || resets[0].DeviceName != "BOX" {
			t.Fatalf("there are %+v", resets)
		}
		return resets[0].ID
	}
	if _, err := o.directory.ApprovePasswordReset(t.Context(), only()); err != nil {
		t.Fatal(err)
	}
	got, err := c.AskPasswordReset(t.Context(), reset)
	if err != nil || !got.Equal(want) {
		t.Errorf("got other keys: %v", err)
	}

	reset = asked(t, o, c, home, escrow)
	if _, err := o.directory.DenyPasswordReset(t.Context(), only()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AskPasswordReset(t.Context(), reset); !errors.Is(err, client.ErrResetRefused) {
		t.Errorf("denied: %v", err)
	}

	swapped := *escrow
	swapped.Manual = escrow.Automatic // bound to something else
	reset = asked(t, o, c, home, &swapped)
	if _, err := o.directory.ApprovePasswordReset(t.Context(), only()); !errors.Is(err, keys.ErrEscrow) {
		t.Errorf("approved keys of something else: %v", err)
	}
	if _, err := c.AskPasswordReset(t.Context(), reset); !client.IsResetFailed(err) {
		t.Errorf("failed: %v", err)
	}
	if len(o.mail.all()) != 0 {
		t.Errorf("mailed %q", o.mail.all())
	}
}

func TestAutomaticReset(t *testing.T) {
	o := newOffice(t)
	o.policy(t, func(s *directory.IdentitySettings) {
		s.DataRecovery.AutomaticReset, s.DataRecovery.ResetInstructions = true, "Type this in."
	})
	home := openHome(t, t.TempDir())
	c, profile := o.joined(t, home)
	want, escrow := masterKeys(t, home, profile)

	swapped := *escrow
	swapped.Automatic.Master = escrow.Manual.Master
	if _, err := c.RequestPasswordReset(t.Context(), &swapped, o.newKeyPair); !client.IsResetFailed(err) {
		t.Errorf("keys of something else: %v", err)
	}
	if len(o.mail.all()) != 0 {
		t.Fatalf("mailed %q", o.mail.all())
	}

	reset := asked(t, o, c, home, escrow)
	mails := o.mail.all()
	if !reset.Automatic || reset.Email != "ann@example.com" || len(mails) != 1 {
		t.Fatalf("reset %+v, mails %q", reset, mails)
	}
	mail := regexp.MustCompile(`^Hello Ann Smith,\n\nType this in\.\n\n([a-z2-9-]{41})\n$`).FindStringSubmatch(mails[0])
	if mail == nil {
		t.Fatalf("mailed %q", mails[0])
	}
	if got, err := reset.Open(mail[1]); err != nil || !got.Equal(want) {
		t.Errorf("got other keys: %v", err)
	}
	if _, err := reset.Open(mail[1][1:]); !errors.Is(err, keys.ErrTemporaryPassword) {
		t.Errorf("another password: %v", err)
	}
}

func TestEscrowFollowsThePolicy(t *testing.T) {
	o := newOffice(t)
	o.policy(t, func(s *directory.IdentitySettings) { s.DataRecovery.Recovery = "None" })
	_, profile := o.joined(t, openHome(t, t.TempDir()))
	if _, err := profile.Escrow(client.NewMasterKeys()); err == nil {
		t.Error("keys were given to a domain that does not recover them")
	}
}
