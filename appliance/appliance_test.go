package appliance

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"furrow/appliance/config"
	"furrow/appliance/keys"
	"furrow/gms/client"
	"furrow/web/api"
)

func options(dataDir string) Options {
	return Options{
		DataDir:  dataDir,
		Config:   config.Config{Listen: config.Listen{HTTP: "127.0.0.1:0"}},
		Hostname: "box",
		Version:  "test",
		Log:      slog.New(slog.DiscardHandler),
		Now:      time.Now,
	}
}

// run starts a box and returns it with a client of its admin interface and a function that stops it.
func run(t *testing.T, opts Options) (a *Appliance, admin *api.Client, stop func()) {
	t.Helper()
	a, err := New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	admin = api.NewClient(opts.DataDir)
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		admin.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the box ended with: %v", err)
		}
	}
	t.Cleanup(stop)
	return a, admin, stop
}

// join makes a profile of a new member in a home folder.
func join(t *testing.T, a *Appliance, admin *api.Client, home string) (*client.Server, *client.Profile) {
	t.Helper()
	ctx := t.Context()
	member, err := admin.CreateMember(ctx, api.NewMember{
		Domain: "Office", MemberDetails: api.MemberDetails{FullName: "Ann Smith", Email: "ann@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := client.OpenHome(home)
	if err != nil {
		t.Fatal(err)
	}
	server, err := client.Connect(ctx, http.DefaultClient, a.ServerURL())
	if err != nil {
		t.Fatal(err)
	}
	profile, err := client.Join(ctx, client.JoinOptions{
		Server: server, Address: a.ServerURL(), Code: member.ConfigurationCode, Home: h, DeviceName: "BOX", Now: time.Now,
		NewKeyPair: client.NewKeyPair, Progress: func(client.Step) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return server, profile
}

func TestChangesReachTheClient(t *testing.T) {
	a, admin, _ := run(t, options(filepath.Join(t.TempDir(), "var")))
	ctx := t.Context()
	if _, err := admin.CreateDomain(ctx, api.NewDomain{Name: "Office"}); err != nil {
		t.Fatal(err)
	}
	server, profile := join(t, a, admin, t.TempDir())
	c := client.New(server, profile, time.Now)
	if changed, err := c.Update(ctx); err != nil || len(changed) != 0 {
		t.Fatalf("right after the join %d objects changed, %v", len(changed), err)
	}
	held := profile.Objects[profile.MemberGUID].Issued

	// What an administrator changes of the member comes with the next update, and only that.
	if _, err := admin.DisableMember(ctx, profile.MemberGUID); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.EnableMember(ctx, profile.MemberGUID); err != nil {
		t.Fatal(err)
	}
	changed, err := c.Update(ctx)
	if err != nil || len(changed) != 1 || changed[0].GUID != profile.MemberGUID {
		t.Fatalf("after the change %+v, %v", changed, err)
	}
	if issued := profile.Objects[profile.MemberGUID].Issued; issued <= held {
		t.Fatalf("IssuedTime went from %d to %d", held, issued)
	}

	// A deleted member's client is told to drop the identity.
	if _, err := admin.DeleteMember(ctx, profile.MemberGUID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ManagedObjectStatus(ctx, &profile.User); err != nil {
		t.Fatal(err)
	}
}

func TestRecoveryMode(t *testing.T) {
	opts := options(filepath.Join(t.TempDir(), "var"))
	_, admin, stop := run(t, opts)
	ctx := t.Context()
	for _, name := range []string{"First", "Second"} {
		if _, err := admin.CreateDomain(ctx, api.NewDomain{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	flipByte(t, opts.DataDir, `"name":"First"`)

	a, admin, stop := run(t, opts)
	if a.Recovery() == nil {
		t.Fatal("damage was not noticed")
	}
	status, err := admin.Status(ctx)
	if err != nil || status.Recovery == nil || len(status.Recovery.Files) != 1 || status.Recovery.Damage == "" {
		t.Fatalf("status %+v, %v", status, err)
	}
	var refusal *api.Error
	if _, err := admin.CreateDomain(ctx, api.NewDomain{Name: "Third"}); !errors.As(err, &refusal) || refusal.Code != "readOnly" {
		t.Fatalf("a change in recovery mode: %v", err)
	}
	if status, err := admin.AcceptRecovery(ctx); err != nil || status.Recovery != nil {
		t.Fatalf("accepting: %+v, %v", status, err)
	}
	stop()

	a, admin, _ = run(t, opts)
	if a.Recovery() != nil {
		t.Fatal("the accepted state is still in recovery mode")
	}
	if _, err := admin.CreateDomain(ctx, api.NewDomain{Name: "Third"}); err != nil {
		t.Fatal(err)
	}
}

// flipByte damages the state file where it holds text.
func flipByte(t *testing.T, dataDir, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dataDir, stateDir, "state.*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("state files %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(data), text)
	if at < 0 {
		t.Fatalf("%s is not in the state", text)
	}
	data[at] ^= 1
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDataDir(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), options(dir))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v; want 0700", info.Mode(), err)
	}
	if _, err := New(t.Context(), options(dir)); err == nil || !strings.Contains(err.Error(), "another furrow is running") {
		t.Errorf("a second box on the same directory: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), options(file)); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file as data directory: %v", err)
	}
}

// TestMasterKeyCredential shows that a box with the service manager's credential makes no key file.
func TestMasterKeyCredential(t *testing.T) {
	credentials := t.TempDir()
	if err := os.WriteFile(filepath.Join(credentials, keys.MasterKeyCredential), make([]byte, 32), 0o400); err != nil {
		t.Fatal(err)
	}
	opts := options(t.TempDir())
	opts.CredentialsDir = credentials
	a, err := New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(opts.DataDir, keys.MasterKeyFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a key file was made beside the credential: %v", err)
	}
}
