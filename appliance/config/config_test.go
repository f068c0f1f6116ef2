package config

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestLoadOverDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	write(t, path, "server_url = \"http://groove.example.com/gms.dll\"\nlog_level = \"debug\"\n[listen]\nhttp = \"127.0.0.1:9\"\n[password_reset]\nlifetime = \"90m\"\n")
	cfg, err := Load(path, Default(false))
	if err != nil {
		t.Fatal(err)
	}
	want := Default(false)
	want.ServerURL, want.LogLevel, want.Listen.HTTP = "http://groove.example.com/gms.dll", slog.LevelDebug, "127.0.0.1:9"
	want.PasswordReset.Lifetime = 90 * time.Minute
	if !reflect.DeepEqual(cfg, want) {
		t.Fatalf("got %+v, want %+v", cfg, want)
	}
}

func TestLoadKeepsDefaultsForWhatIsNotSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	write(t, path, "")
	cfg, err := Load(path, Default(true))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(cfg, Default(true)) {
		t.Fatalf("got %+v, want the defaults", cfg)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"unknown key":   {"sever_url = \"x\"\n", `unknown setting "sever_url"`},
		"syntax":        {"a = \n", "line 1"},
		"wrong type":    {"server_url = 3\n", "server_url"},
		"wrong level":   {"log_level = \"loud\"\n", "loud"},
		"unknown table": {"[listen]\nfax = \":1\"\n", `unknown setting "listen.fax"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), FileName)
			write(t, path, test.text)
			_, err := Load(path, Default(false))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("error %v; want one that names the file and %q", err, test.want)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	if _, err := Load(path, Default(false)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Load: %v, want fs.ErrNotExist", err)
	}
	cfg, err := LoadIfPresent(path, Default(false))
	if err != nil || !reflect.DeepEqual(cfg, Default(false)) {
		t.Fatalf("LoadIfPresent: %+v, %v", cfg, err)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Default(true), ""},
		{Config{Listen: Listen{HTTP: "8080"}}, "listen http"},
		{Config{Listen: Listen{HTTP: ":1", HTTPS: "443"}}, "listen https"},
		{Config{Listen: Listen{HTTP: ":1", SSTP: "2492"}}, "listen sstp"},
		{Config{Listen: Listen{HTTP: ":1", RelayAdmin: "8009"}}, "listen relay-admin"},
		{Config{Listen: Listen{HTTP: ":1"}}, ""},
		{Config{Listen: Listen{HTTP: ":1"}, Relay: Relay{MaxMessageMB: 500}}, ""},
		{Config{Listen: Listen{HTTP: ":1"}, Relay: Relay{MaxMessageMB: -1}}, "max_message_mb"},
		{Config{Listen: Listen{HTTP: ":1"}, PasswordReset: PasswordReset{Lifetime: time.Hour}}, ""},
		{Config{Listen: Listen{HTTP: ":1"}, PasswordReset: PasswordReset{Lifetime: time.Minute}}, "password_reset lifetime"},
		{Config{Listen: Listen{HTTP: ":1"}, PasswordReset: PasswordReset{Lifetime: 1000 * time.Hour}}, "password_reset lifetime"},
		{Config{Listen: Listen{HTTP: ":1"}, Relay: Relay{MaxMessageMB: 1 << 40}}, "max_message_mb"},
	} {
		err := test.cfg.Validate()
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: error %v, want %q", test.cfg, err, test.want)
		}
	}
}

func TestSetListen(t *testing.T) {
	cfg := Default(false)
	if err := cfg.SetListen("http", "[::1]:0"); err != nil || cfg.Listen.HTTP != "[::1]:0" {
		t.Fatalf("%+v, %v", cfg, err)
	}
	if err := cfg.SetListen("https", ":4"); err != nil || cfg.Listen.HTTPS != ":4" {
		t.Fatalf("%+v, %v", cfg, err)
	}
	if err := cfg.SetListen("sstp", ""); err != nil || cfg.Listen.SSTP != "" {
		t.Fatalf("%+v, %v", cfg, err)
	}
	if err := cfg.SetListen("relay-admin", ":9"); err != nil || cfg.Listen.RelayAdmin != ":9" {
		t.Fatalf("%+v, %v", cfg, err)
	}
	if err := cfg.SetListen("fax", ":1"); err == nil {
		t.Fatal("an unknown service was accepted")
	}
}

func TestEffectiveServerURL(t *testing.T) {
	for _, test := range []struct{ set, addr, want string }{
		{"http://set/gms.dll", "0.0.0.0:80", "http://set/gms.dll"},
		{"", "0.0.0.0:80", "http://box/gms.dll"},
		{"", "[::]:8080", "http://box:8080/gms.dll"},
		{"", "127.0.0.1:8080", "http://127.0.0.1:8080/gms.dll"},
		{"", "[::1]:80", "http://[::1]/gms.dll"},
		{"", "[::1]:81", "http://[::1]:81/gms.dll"},
	} {
		addr, err := net.ResolveTCPAddr("tcp", test.addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Config{ServerURL: test.set}).EffectiveServerURL("Box", addr); got != test.want {
			t.Errorf("%q on %s: got %s, want %s", test.set, test.addr, got, test.want)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
