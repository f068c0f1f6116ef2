package api

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"furrow/appliance/machine"
	"furrow/appliance/sockettest"
	"furrow/appliance/support"
	"furrow/appliance/support/supporttest"
	"furrow/web/access"
	"furrow/web/boxtest"
)

func TestSupportElsewhere(t *testing.T) {
	client, _ := serve(t)
	ctx := t.Context()
	for what, err := range map[string]error{
		"show":    second(client.Support(ctx)),
		"preview": second(client.PreviewSupport(ctx, SupportRequest{})),
		"open":    second(client.OpenSupport(ctx, SupportRequest{Who: "Jo", Shell: true, Minutes: 1})),
		"close":   second(client.CloseSupport(ctx)),
	} {
		if refusal := (*Error)(nil); !errors.As(err, &refusal) || refusal.Code != "unavailable" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSupport(t *testing.T) {
	box := boxtest.New(t, time.Now)
	client := NewClientOf(conforming(t, NewHandler(Config{
		Actions: box.Actions, Machine: box.Machine, Log: box.Log, Now: time.Now,
	})), access.Actor{Name: "root", Role: access.Server, Origin: access.CommandLine})
	ctx := t.Context()
	door := supporttest.New(t, filepath.Join(box.Dir, "support"), time.Now)
	steward := machine.Steward{OpenSupport: door.Open, CloseSupport: door.Close}
	sockettest.Serve(t, filepath.Join(box.Dir, "steward"), func(conn net.Conn) { _ = steward.Attend(context.Background(), conn, conn) })
	good := SupportRequest{Who: "Jo of ACME", PublicKeys: []string{supporttest.Key}, Minutes: 72 * 60}
	for field, q := range map[string]SupportRequest{
		"who":        {PublicKeys: good.PublicKeys, Minutes: 1},
		"minutes":    {Who: "Jo", PublicKeys: good.PublicKeys, Minutes: 72*60 + 1},
		"publicKeys": {Who: "Jo", PublicKeys: []string{supporttest.Key + "\n" + supporttest.Key}, Minutes: 1},
	} {
		var refusal *Error
		if _, err := client.OpenSupport(ctx, q); !errors.As(err, &refusal) || refusal.Code != "invalid" || refusal.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if o, err := client.PreviewSupport(ctx, good); err != nil || o.Until.Sub(o.Since) > support.Longest || len(o.Fingerprints) != 1 {
		t.Errorf("%+v, %v", o, err)
	}
	if now, err := client.Support(ctx); err != nil || now.Open != nil {
		t.Errorf("a preview opens: %+v, %v", now, err)
	}
	door.Refuse = errors.New("sshd does not come up")
	var refusal *Error
	if _, err := client.OpenSupport(ctx, good); !errors.As(err, &refusal) || refusal.Code != "refused" || !strings.Contains(refusal.Message, "come up") {
		t.Errorf("%v", err)
	}
	door.Refuse = nil
	now, err := client.OpenSupport(ctx, good)
	if err != nil || now.Open == nil || now.Open.Who != "Jo of ACME" || !strings.HasSuffix(now.Open.Fingerprints[0], " jo@acme") {
		t.Fatalf("%+v, %v", now, err)
	}
	if now, err = client.CloseSupport(ctx); err != nil || now.Open != nil {
		t.Errorf("%+v, %v", now, err)
	}
	// Who was let in is written down by the fingerprint.
	actions, err := client.Actions(ctx, ActionFilter{What: "support"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(actions)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Jo of ACME", "SHA256:", "DELETE /v1/machine/support", `"minutes":4320`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in the action log: %s", want, text)
		}
	}
}
