package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"furrow/gms/client"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// known adds a pending member with a login name.
func (o *office) known(t *testing.T, login string) directory.Member {
	t.Helper()
	member, err := o.directory.CreateMember(t.Context(), o.domain.GUID,
		directory.MemberDetails{FullName: "Ann Smith", Email: "ann@example.com", RemoteUser: login})
	if err != nil {
		t.Fatal(err)
	}
	return member
}

// connect returns the office's server for a person with these credentials.
func (o *office) connect(t *testing.T, transport http.RoundTripper, login, password string) (*client.Server, error) {
	t.Helper()
	server, err := client.Connect(t.Context(), &http.Client{Transport: transport}, o.url)
	if err != nil {
		return nil, err
	}
	return server.WithCredentials(login, password), nil
}

// joinAs runs an automatic Join.
func (o *office) joinAs(t *testing.T, home *client.Home, transport http.RoundTripper, login, password string) (*client.Server, *client.Profile, error) {
	t.Helper()
	server, err := o.connect(t, transport, login, password)
	if err != nil {
		return nil, nil, err
	}
	profile, err := client.Join(t.Context(), client.JoinOptions{
		Server: server, Address: o.url, Automatic: true, Home: home, DeviceName: "BOX", Now: time.Now,
		NewKeyPair: o.newKeyPair, Progress: func(client.Step) {},
	})
	return server, profile, err
}

// TestAutomaticJoinAfterLostAnswers is TestJoinAfterLostAnswers for a member who has a login in the place of a code.
func TestAutomaticJoinAfterLostAnswers(t *testing.T) {
	o := newOffice(t)
	lost := 0
	for at := 1; ; at++ {
		login := fmt.Sprint("ann", at)
		member := o.known(t, login)
		home := openHome(t, t.TempDir())
		_, _, err := o.joinAs(t, home, &cutter{at: at}, login, "right")
		if err == nil { // there was no such request any more
			break
		}
		if !errors.Is(err, errCut) {
			t.Fatalf("request %d lost: %v", at, err)
		}
		lost++
		_, profile, err := o.joinAs(t, home, nil, login, "right")
		if err != nil {
			t.Fatalf("join again after losing the answer to request %d: %v", at, err)
		}
		after, err := o.directory.Member(member.GUID)
		if err != nil || after.Status != directory.Active || after.AccountGUID != profile.User.GUID {
			t.Fatalf("after losing the answer to request %d the member is %+v, %v", at, after, err)
		}
		if kept, err := home.Load(); err != nil || kept.UnusedCode != "" {
			t.Fatalf("the code is kept: %v", err)
		}
	}
	if lost < 8 {
		t.Fatalf("only %d requests were tried", lost)
	}
}

func TestBackupAndRestore(t *testing.T) {
	o := newOffice(t)
	o.known(t, "ann")
	server, profile, err := o.joinAs(t, openHome(t, t.TempDir()), nil, "ANN", "right")
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(server, profile, time.Now)
	var fault *client.ServerFault
	if _, err := server.Restore(t.Context(), "BOX"); !errors.As(err, &fault) || fault.Fault.Code != soap.CodeNoBackups {
		t.Errorf("restored before there is a backup: %v, want fault 225", err)
	}
	for _, size := range []int{1, spcm.BackupFragment, 2*spcm.BackupFragment + 1} {
		data := bytes.Repeat([]byte{byte(size), 0, '<'}, size)[:size]
		var told []int
		if err := c.Backup(t.Context(), data, func(stored int) { told = append(told, stored) }); err != nil {
			t.Fatal(err)
		}
		if want := (size-1)/spcm.BackupFragment + 1; len(told) != want || told[want-1] != size {
			t.Errorf("told of %d bytes, want %d steps to %d", told, want, size)
		}
		got, err := server.Restore(t.Context(), "BOX")
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("restored %d bytes, %v; want the %d stored", len(got), err, size)
		}
	}
	if _, _, err := o.joinAs(t, openHome(t, t.TempDir()), nil, "ann", "right"); !errors.Is(err, client.ErrBackedUp) {
		t.Errorf("joined a second time: %v, want ErrBackedUp", err)
	}
	for _, size := range []int{0, spcm.MaxBackup + 1} {
		if err := c.Backup(t.Context(), make([]byte, size), nil); !errors.Is(err, client.ErrBackupSize) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestCredentials(t *testing.T) {
	o := newOffice(t)
	o.known(t, "ann")
	for _, tt := range []struct {
		login, password string
		want            error
	}{
		{"ann", "wrong", client.ErrCredentials},
		{"", "", client.ErrCredentials},
		{"ann", "right", client.ErrNewAccount},
	} {
		server, err := o.connect(t, nil, tt.login, tt.password)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.Restore(t.Context(), "BOX"); !errors.Is(err, tt.want) {
			t.Errorf("%q, %q: %v, want %v", tt.login, tt.password, err, tt.want)
		}
	}
	// Only who asks for credentials gets them.
	watch := &watcher{}
	if _, _, err := o.joinAs(t, openHome(t, t.TempDir()), watch, "ann", "right"); err != nil {
		t.Fatal(err)
	}
	if len(watch.told) != 1 || !strings.HasPrefix(watch.told[0], "/AutoActivate/") || watch.others < 8 {
		t.Errorf("credentials were sent to %q, %d requests had none", watch.told, watch.others)
	}
}

// watcher notes which requests have credentials.
type watcher struct {
	told   []string // paths
	others int
}

func (w *watcher) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" {
		w.told = append(w.told, r.URL.Path)
	} else {
		w.others++
	}
	return http.DefaultTransport.RoundTrip(r)
}

// refuser answers some of the AccountStore requests, counted from 1, with fault 212 in the server's place.
type refuser struct {
	refuse func(count int) bool
	count  int
}

func (f *refuser) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.GetBody != nil {
		copied, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		if body, err = io.ReadAll(copied); err != nil {
			return nil, err
		}
	}
	if bytes.Contains(body, []byte("<AccountStore>")) {
		if f.count++; f.refuse(f.count) {
			fault := soap.NewFault(soap.CodeAccountBackup, nil).Encode()
			return &http.Response{
				StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}},
				Body: io.NopCloser(bytes.NewReader(fault)), Request: r,
			}, nil
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestBackupBeginsAgain after fault 212 from the first fragment, but not for ever.
func TestBackupBeginsAgain(t *testing.T) {
	o := newOffice(t)
	o.known(t, "ann")
	_, profile, err := o.joinAs(t, openHome(t, t.TempDir()), nil, "ann", "right")
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("account"), spcm.BackupFragment/3)
	for _, tt := range []struct {
		name     string
		refuse   func(int) bool
		requests int
		ok       bool
	}{
		{"second fragment once", func(n int) bool { return n == 2 }, 5, true},
		{"always", func(int) bool { return true }, 3, false},
	} {
		transport := &refuser{refuse: tt.refuse}
		server, err := o.connect(t, transport, "ann", "right")
		if err != nil {
			t.Fatal(err)
		}
		err = client.New(server, profile, time.Now).Backup(t.Context(), data, func(int) {})
		if (err == nil) != tt.ok || transport.count != tt.requests {
			t.Errorf("%s: %v after %d requests, want %d", tt.name, err, transport.count, tt.requests)
		}
		if got, err := server.Restore(t.Context(), "BOX"); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: restored %d bytes, %v", tt.name, len(got), err)
		}
	}
}

// TestBackupsOff has the policy of the domain forbid backups.
func TestBackupsOff(t *testing.T) {
	o := newOffice(t)
	o.known(t, "ann")
	template, err := o.directory.IdentityTemplate(o.domain.IdentityTemplate)
	if err != nil {
		t.Fatal(err)
	}
	settings := directory.IdentitySettings{Identity: template.Identity.Settings, DataRecovery: template.DataRecovery.Settings}
	settings.Identity.BackupInterval = 0
	if _, err := o.directory.UpdateIdentityTemplate(t.Context(), template.GUID, settings); err != nil {
		t.Fatal(err)
	}
	server, profile, err := o.joinAs(t, openHome(t, t.TempDir()), nil, "ann", "right")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.New(server, profile, time.Now).Backup(t.Context(), []byte("account"), nil); !errors.Is(err, client.ErrBackupsOff) {
		t.Errorf("backed up against the policy: %v", err)
	}
}

// TestAutoActivation asks from a device that is known to the domain, or becomes so, for the code of a person.
func TestAutoActivation(t *testing.T) {
	o := newOffice(t)
	o.known(t, "ann")
	bob := o.known(t, "bob")
	server, profile, err := o.joinAs(t, openHome(t, t.TempDir()), nil, "ann", "right")
	if err != nil {
		t.Fatal(err)
	}
	want, err := o.directory.ConfigurationCode(bob.GUID)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(login string) (string, error) {
		return client.New(server.WithCredentials(login, "right"), profile, time.Now).AutoActivation(t.Context())
	}
	for range 2 {
		if code, err := ask("bob"); err != nil || code != want {
			t.Errorf("code %q, %v; want %q", code, err, want)
		}
		// A device account that the server has lost, or never had.
		profile.Device.GUID = profile.Device.GUID[:len(profile.Device.GUID)-1] + "2"
	}
	var fault *client.ServerFault
	if _, err := ask("ann"); !errors.As(err, &fault) || fault.Fault.Code != soap.CodeActivationEnrolled {
		t.Errorf("code of an active member: %v, want fault 402", err)
	}
}
