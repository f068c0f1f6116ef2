package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"furrow/gms/client"
	"furrow/gms/directory"
)

// TestJoinAfterLostAnswers loses the answer to each request of a join in turn. The join fails then; run again with the
// same code and home it goes on, and the member becomes active with one account.
func TestJoinAfterLostAnswers(t *testing.T) {
	o := newOffice(t)
	lost := 0
	for at := 1; ; at++ {
		member, code := o.member(t)
		home := openHome(t, t.TempDir())
		_, _, err := o.join(t, home, code, &cutter{at: at})
		if err == nil { // there was no such request any more
			break
		}
		if !errors.Is(err, errCut) {
			t.Fatalf("request %d lost: %v", at, err)
		}
		lost++
		_, profile, err := o.join(t, home, code, http.DefaultTransport)
		if err != nil {
			t.Fatalf("join again after losing the answer to request %d: %v", at, err)
		}
		after, err := o.directory.Member(member.GUID)
		if err != nil || after.Status != directory.Active || after.AccountGUID != profile.User.GUID || after.IdentityURL != profile.IdentityURL {
			t.Fatalf("after losing the answer to request %d the member is %+v, %v", at, after, err)
		}
	}
	// GMSConfig, KeyActivation, CreateAccount, four installs and DomainEnrollment at the least.
	if lost < 8 {
		t.Fatalf("only %d requests were tried", lost)
	}
}

func TestJoinTwice(t *testing.T) {
	o := newOffice(t)
	_, code := o.member(t)
	dir := t.TempDir()
	if _, _, err := o.join(t, openHome(t, dir), code, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.join(t, openHome(t, dir), code, nil); !errors.Is(err, client.ErrJoined) {
		t.Fatalf("the same home again: %v, want ErrJoined", err)
	}
	var fault *client.ServerFault
	if _, _, err := o.join(t, openHome(t, t.TempDir()), code, nil); !errors.As(err, &fault) || fault.Fault.Code != 402 {
		t.Fatalf("the same code from another home: %v, want fault 402", err)
	}
}

// TestProfileSurvives shows that a stored profile is the whole profile: loaded again, it goes on with its old keys.
func TestProfileSurvives(t *testing.T) {
	o := newOffice(t)
	_, code := o.member(t)
	dir := t.TempDir()
	server, joined, err := o.join(t, openHome(t, dir), code, nil)
	if err != nil {
		t.Fatal(err)
	}
	if joined.User.Key.Equal(joined.Device.Key) {
		t.Error("both accounts have one key")
	}
	loaded, err := openHome(t, dir).Load()
	if err != nil {
		t.Fatal(err)
	}
	if !loaded.User.Key.Equal(joined.User.Key) || !loaded.Device.Key.Equal(joined.Device.Key) || !loaded.Device.Device ||
		loaded.IdentityURL != joined.IdentityURL || len(loaded.Objects) != len(joined.Objects) || len(loaded.DeviceObjects) != 5 {
		t.Fatalf("loaded %+v, stored %+v", loaded, joined)
	}
	if changed, err := client.New(server, loaded, time.Now).Update(t.Context()); err != nil || len(changed) != 0 {
		t.Fatalf("%d objects changed, %v", len(changed), err)
	}
}

// TestUpdateMendsTheServer shows the two things that a client does without being asked by a person: registering its
// account again with a server that has lost it (fault 200), and enrolling again when asked to (fault 210).
func TestUpdateMendsTheServer(t *testing.T) {
	o := newOffice(t)
	_, code := o.member(t)
	server, profile, err := o.join(t, openHome(t, t.TempDir()), code, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(server, profile, time.Now)

	// An account the server does not know: the same person on a new account.
	profile.User.GUID = profile.User.GUID[:len(profile.User.GUID)-1] + "2"
	_, err = c.Update(t.Context())
	var fault *client.ServerFault
	if !errors.As(err, &fault) || fault.Fault.Code != 210 {
		// The account is registered by then; that the member is bound to the other one is told next.
		t.Fatalf("update with an unknown account: %v, want fault 210 after registering it", err)
	}
	if _, err := o.directory.Account(o.domain.GUID, profile.User.GUID); err != nil {
		t.Fatalf("the account was not registered again: %v", err)
	}
}

func TestConnectRefusesWhatIsNoServer(t *testing.T) {
	for address, want := range map[string]string{
		"box":             "want http://host",
		"ftp://box":       "want http://host",
		"http://":         "want http://host",
		"http://%zz":      "server address",
		"http://[::1]:0/": "asking the server",
	} {
		if _, err := client.Connect(t.Context(), http.DefaultClient, address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}
