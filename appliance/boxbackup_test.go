package appliance

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"furrow/appliance/backup"
	"furrow/appliance/config"
	"furrow/appliance/keys"
	"furrow/web/api"
)

// TestBackupOfABox restores one beside a service manager's credential of another machine, and misses nothing: a folder
// that somebody adds to the data directory and not to its backups is found here.
func TestBackupOfABox(t *testing.T) {
	opts := options(filepath.Join(t.TempDir(), "var"))
	opts.Config.Listen.SSTP = "127.0.0.1:0"
	opts.ConfigFile = filepath.Join(t.TempDir(), "elsewhere.toml")
	if err := os.WriteFile(opts.ConfigFile, []byte("server_url = \"http://box/gms.dll\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, admin, stop := run(t, opts)
	ctx := t.Context()
	if _, err := admin.CreateDomain(ctx, api.NewDomain{Name: "Office"}); err != nil {
		t.Fatal(err)
	}
	_, profile := join(t, a, admin, t.TempDir())

	var refused *api.Error
	if _, err := admin.MakeBackup(ctx); !errors.As(err, &refused) || refused.Code != "noTarget" {
		t.Errorf("without a target: %v", err)
	}
	var file bytes.Buffer
	if err := admin.DownloadBackup(ctx, &file, api.BackupDownload{}); !errors.As(err, &refused) || refused.Code != "invalid" {
		t.Errorf("without a password: %v", err)
	}
	target := t.TempDir()
	settings := api.BackupSettings{Target: target, Passphrase: "correct horse battery", Every: "sometimes", Keep: 2}
	if _, err := admin.SetBackup(ctx, settings); !errors.As(err, &refused) || refused.Field != "every" {
		t.Errorf("no interval: %v", err)
	}
	settings.Every = "6h"
	if shown, err := admin.SetBackup(ctx, settings); err != nil || shown.Every != "6h0m0s" || shown.Passphrase != "" || shown.Next.IsZero() {
		t.Errorf("settings %+v, %v", shown, err)
	}
	made, err := admin.MakeBackup(ctx)
	if err != nil || made.Outcome.Name == "" || made.Outcome.Error != "" || made.Running != nil {
		t.Fatalf("%+v, %v", made, err)
	}
	if files, err := admin.BackupFiles(ctx); err != nil || len(files) != 1 || files[0].Name != made.Outcome.Name || files[0].Size != made.Outcome.Size {
		t.Errorf("at the target %+v, %v", files, err)
	}
	if err := os.RemoveAll(target); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.MakeBackup(ctx); !errors.As(err, &refused) || refused.Code != "backupFailed" || !strings.Contains(refused.Message, target) {
		t.Errorf("a target that is gone: %v", err)
	}
	if _, err := admin.BackupFiles(ctx); !errors.As(err, &refused) || refused.Code != "backupFailed" {
		t.Errorf("a target that is gone: %v", err)
	}
	if shown, err := admin.ClearBackup(ctx); err != nil || shown.Target != "" || !shown.Next.IsZero() {
		t.Errorf("cleared %+v, %v", shown, err)
	}
	if err := admin.DownloadBackup(ctx, &file, api.BackupDownload{Password: "my own"}); err != nil {
		t.Fatal(err)
	}
	stop()

	restored := opts
	restored.DataDir = filepath.Join(t.TempDir(), "var")
	if _, err := backup.Restore(ctx, bytes.NewReader(file.Bytes()), "my own", restored.DataDir); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(restored.DataDir, config.FileName)); err != nil || !strings.Contains(string(text), "http://box/gms.dll") {
		t.Errorf("configuration %q, %v", text, err)
	}
	restored.ConfigFile = ""
	restored.CredentialsDir = t.TempDir()
	credential := filepath.Join(restored.CredentialsDir, keys.MasterKeyCredential)
	if err := os.WriteFile(credential, bytes.Repeat([]byte("k"), 32), 0o600); err != nil {
		t.Fatal(err)
	}
	// What the old box had open is made anew when it is not there; all else must be.
	again, admin, stop := run(t, restored)
	member, err := admin.Member(ctx, profile.MemberGUID)
	if err != nil || member.Status != "active" || member.ConfigurationCode == "" {
		t.Errorf("member of the restored box: %+v, %v", member, err)
	}
	if again.Recovery() != nil || again.relay == nil {
		t.Error("the restored box is damaged, or no relay")
	}
	stop()
	m, err := backup.Verify(ctx, bytes.NewReader(file.Bytes()), "my own")
	if err != nil {
		t.Fatal(err)
	}
	saved := map[string]bool{} // what is at the top of the data directory
	for _, f := range m.Files {
		top, _, _ := strings.Cut(f.Name, "/")
		saved[top] = true
	}
	for _, part := range a.parts {
		saved[part.Dir] = true // it may be empty
	}
	for _, name := range entries(t, opts.DataDir) {
		if !saved[name] {
			t.Errorf("%s of the data directory is not in backups", name)
		}
	}
}

// entries are the names in a folder.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := fs.Glob(os.DirFS(dir), "*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}
