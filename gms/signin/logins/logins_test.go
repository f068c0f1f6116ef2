package logins

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"furrow/appliance/passhash"
	"furrow/gms/signin"
)

const password = "correct horse"

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	f := Open(path)
	if f.Ready() {
		t.Error("ready without a file")
	}
	if err := f.Check(t.Context(), "ann", password); !errors.Is(err, signin.ErrUnknown) {
		t.Errorf("without a file: %v", err)
	}
	for _, login := range []string{"bob", "Ann", `CONTOSO\cara`} {
		if created, err := f.Set(login, password); err != nil || !created {
			t.Fatalf("%s: %v, %v", login, created, err)
		}
	}
	if created, err := f.Set("bob", "another one"); err != nil || created {
		t.Fatalf("bob again: %v, %v", created, err)
	}
	if names, err := f.List(); err != nil || !slices.Equal(names, []string{"Ann", `CONTOSO\cara`, "bob"}) {
		t.Errorf("list %q, %v", names, err)
	}
	for _, test := range []struct {
		login, password string
		want            error
	}{
		{"ann", password, nil},
		{"ANN", password, nil},
		{`contoso\CARA`, password, nil},
		{"bob", "another one", nil},
		{"bob", password, signin.ErrRefused},
		{"ann", "", signin.ErrRefused},
		{"ann", password + "x", signin.ErrRefused},
		{"eve", password, signin.ErrUnknown},
		{"", password, signin.ErrUnknown},
	} {
		if err := Open(path).Check(t.Context(), test.login, test.password); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%q with %q: %v, want %v", test.login, test.password, err, test.want)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || !f.Ready() {
		t.Errorf("mode %v, %v, ready %v", info.Mode(), err, f.Ready())
	}
	if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), password) || strings.Count(string(text), ":$argon2id$v=19$") != 3 {
		t.Errorf("file: %s, %v", text, err)
	}
	if err := f.Remove("ANN"); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(t.Context(), "ann", password); !errors.Is(err, signin.ErrUnknown) {
		t.Errorf("after removal: %v", err)
	}
	if err := f.Remove("ann"); !errors.Is(err, signin.ErrUnknown) {
		t.Errorf("removing twice: %v", err)
	}
}

func TestSetRefuses(t *testing.T) {
	f := Open(filepath.Join(t.TempDir(), FileName))
	for _, test := range [][2]string{
		{"", password}, {"a:b", password}, {"a\nb", password}, {" ann", password}, {"#ann", password}, {"\xff", password},
		{strings.Repeat("a", maxLogin+1), password}, {"ann", ""}, {"ann", "short"}, {"ann", strings.Repeat("a", MaxPassword+1)},
	} {
		if _, err := f.Set(test[0], test[1]); !errors.Is(err, ErrInvalid) {
			t.Errorf("%.20q, %.20q: %v", test[0], test[1], err)
		}
	}
	if f.Ready() {
		t.Error("a file was made")
	}
}

// TestCommandsAtOnce has many processes change the file; each opens it anew.
func TestCommandsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	var work sync.WaitGroup
	for i := range 6 {
		work.Go(func() {
			if _, err := Open(path).Set(fmt.Sprint("login", i), password); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if names, err := Open(path).List(); err != nil || len(names) != 6 {
		t.Errorf("%q, %v", names, err)
	}
}

func TestDamagedFile(t *testing.T) {
	good := "ann:" + passhash.New(password).String() + "\n"
	for name, test := range map[string]struct{ text, want string }{
		"good":       {"# people\n\n" + good, ""},
		"no hash":    {good + "bob:plain\n", "line 2"},
		"no colon":   {"ann\n", "line 1"},
		"no login":   {":" + passhash.New(password).String(), "line 1"},
		"cut":        {good[:len(good)-25], "line 1"},
		"much work":  {strings.Replace(good, "m=19456", "m=99999999", 1), "line 1"},
		"no work":    {strings.Replace(good, "t=2", "t=0", 1), "line 1"},
		"other kind": {strings.Replace(good, "argon2id", "argon2i", 1), "line 1"},
		"huge":       {strings.Repeat("#", maxFile+1), "at most"},
	} {
		f := Open(filepath.Join(t.TempDir(), FileName))
		if err := os.WriteFile(f.path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := f.Check(t.Context(), "ann", password)
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if errors.Is(err, signin.ErrRefused) || errors.Is(err, signin.ErrUnknown) {
			t.Errorf("%s: a file that cannot be read says no: %v", name, err)
		}
		if test.want == "" {
			continue
		}
		if _, err := f.Set("eve", password); err == nil {
			t.Errorf("%s: the file was written over", name)
		}
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	f := Open(filepath.Join(t.TempDir(), FileName))
	for range maxHashing {
		f.hashing <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Check(ctx, "ann", password); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want it to have been given up", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ann:$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n# x\n")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parse(text)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, e := range entries {
			fmt.Fprintf(&again, "%s:%s\n", e.login, e.hash)
		}
		if back, err := parse(again.String()); err != nil || len(back) != len(entries) {
			t.Fatalf("%d entries are written as %q, which reads as %d, %v", len(entries), again.String(), len(back), err)
		}
	})
}
