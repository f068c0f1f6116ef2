package api

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/directory"
)

// TestPasswordResetsAndContacts asks a box where nothing has happened; what
// happens is tested by package main with real clients.
func TestPasswordResetsAndContacts(t *testing.T) {
	client, _ := serve(t)
	ctx := t.Context()
	if _, err := client.CreateDomain(ctx, NewDomain{Name: "Office"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateMember(ctx, NewMember{Domain: "Office", MemberDetails: MemberDetails{FullName: "Ann", Email: "a@b.c"}}); err != nil {
		t.Fatal(err)
	}
	if contacts, err := client.Contacts(ctx, "office", "Änn & co"); err != nil || contacts == nil || len(contacts) != 0 {
		t.Errorf("contacts %+v, %v", contacts, err)
	}
	if resets, err := client.PasswordResets(ctx); err != nil || resets == nil || len(resets) != 0 {
		t.Errorf("password resets %+v, %v", resets, err)
	}
	for name, ask := range map[string]func() error{
		"contacts of no domain": func() error { _, err := client.Contacts(ctx, "none", ""); return err },
		"approve nothing":       func() error { _, err := client.ApprovePasswordReset(ctx, "none"); return err },
		"deny nothing":          func() error { _, err := client.DenyPasswordReset(ctx, "none"); return err },
	} {
		var refusal *Error
		if err := ask(); !errors.As(err, &refusal) || refusal.Code != "notFound" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, kind := range []error{keys.ErrEscrow, directory.ErrResetDecided, directory.ErrOtherRecoveryKey} {
		if status, refusal := refuse(fmt.Errorf("approving: %w", kind)); status != http.StatusConflict || refusal.Code != "conflict" {
			t.Errorf("%v is answered with %d, %+v", kind, status, refusal)
		}
	}
}
