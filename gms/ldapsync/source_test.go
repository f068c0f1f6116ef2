package ldapsync

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"furrow/gms/directory"
)

func TestSettings(t *testing.T) {
	f := newFixture(t)
	for field, change := range map[string]func(*Source){
		"name":              func(s *Source) { s.Name = "Of/fice" },
		"servers":           func(s *Source) { s.Servers = []string{"https://dc1.example.com"} },
		"servers none":      func(s *Source) { s.Servers = nil },
		"servers path":      func(s *Source) { s.Servers = []string{"ldap://dc1.example.com/dc=example"} },
		"authority":         func(s *Source) { s.Authority = "none" },
		"bindDN":            func(s *Source) { s.Password = "secret" },
		"password":          func(s *Source) { s.BindDN = "cn=reader" },
		"base":              func(s *Source) { s.Base = "example" },
		"base none":         func(s *Source) { s.Base = "" },
		"filter":            func(s *Source) { s.Filter = "(mail=*" },
		"disabledWhen":      func(s *Source) { s.DisabledWhen = "loginShell=*" },
		"scope":             func(s *Source) { s.Scope = "subtree" },
		"schema":            func(s *Source) { s.Schema = "nds" },
		"key":               func(s *Source) { s.Key = "a b" },
		"attributes":        func(s *Source) { s.Attributes = map[string][]string{"shoeSize": {"x"}} },
		"attributes bad":    func(s *Source) { s.Attributes = map[string][]string{"title": {"(x)"}} },
		"attributes email":  func(s *Source) { s.Attributes = map[string][]string{"email": {}} },
		"maxDisablePercent": func(s *Source) { s.MaxDisablePercent = 101 },
		"intervalMinutes":   func(s *Source) { s.IntervalMinutes = -1 },
		"pageSize":          func(s *Source) { s.PageSize = 1001 },
		"setting":           func(s *Source) { s.Filter = strings.Repeat("x", maxSetting+1) },
	} {
		s := f.source()
		change(&s)
		name, _, _ := strings.Cut(field, " ")
		if _, err := f.Set(t.Context(), s); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "invalid: "+name+" ") {
			t.Errorf("%s: %v", field, err)
		}
	}
	s := f.source()
	s.Domain = "nowhere"
	if _, err := f.Set(t.Context(), s); !errors.Is(err, directory.ErrDomainNotFound) {
		t.Errorf("domain: %v", err)
	}
	if len(f.Sources()) != 0 {
		t.Errorf("refused, and there: %v", f.Sources())
	}
}

func TestPassword(t *testing.T) {
	f := newFixture(t)
	const password = "correct horse battery"
	account := func(s *Source) { s.BindDN = "cn=reader" }
	f.set(t, func(s *Source) { account(s); s.Password = password })
	f.set(t, func(s *Source) { account(s); s.Filter = "(mail=*)" })
	if s, _, err := f.account("office"); err != nil || s.Password != password {
		t.Errorf("after another change: %q, %v", s.Password, err)
	}
	if s, err := f.Source("office"); err != nil || s.Password != "" {
		t.Errorf("shown: %q, %v", s.Password, err)
	}
	for name, change := range map[string]func(*Source){
		"servers":   func(s *Source) { s.Servers = []string{"ldaps://evil.example.com"} },
		"plain":     func(s *Source) { s.Plain = true },
		"bindDN":    func(s *Source) { s.BindDN = "cn=other" },
		"no longer": func(s *Source) { s.BindDN = "" },
	} {
		s := f.source()
		account(&s)
		change(&s)
		_, err := f.Set(t.Context(), s)
		if name != "no longer" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "password")) {
			t.Errorf("%s changed, the old password is kept: %v", name, err)
		}
		if name == "no longer" {
			must(t, err)
			if s, _, _ := f.account("office"); s.Password != "" {
				t.Error("the password stays without an account")
			}
			f.set(t, func(s *Source) { account(s); s.Password = password })
		}
	}
	// The journal is BuntDB's file; what is in it is on the disk.
	files, err := filepath.Glob(filepath.Join(f.dir, "state", "*"))
	must(t, err)
	for _, file := range files {
		if bytes.Contains(readFile(t, file), []byte(password)) {
			t.Errorf("%s has the password", file)
		}
	}
}

func TestGroup(t *testing.T) {
	f := newFixture(t)
	sales, err := f.Directory.CreateGroup(t.Context(), f.domain.GUID, "", "Sales")
	must(t, err)
	north, err := f.Directory.CreateGroup(t.Context(), f.domain.GUID, sales.GUID, "North")
	must(t, err)
	f.hand(t, directory.MemberDetails{FullName: "A", Email: "ann@example.com"})
	f.hand(t, directory.MemberDetails{FullName: "B", Email: "bob@example.com", Group: sales.GUID})
	s := f.source()
	s.Group = "Nobody"
	if _, err := f.Set(t.Context(), s); !errors.Is(err, directory.ErrGroupNotFound) {
		t.Errorf("no such group: %v", err)
	}
	f.set(t, func(s *Source) { s.Group = "sales/north" })
	f.entries = []Entry{entryOf("a", "Ann"), entryOf("b", "Bob"), entryOf("c", "Cid")}
	f.sync(t)
	for name, want := range map[string]string{"Ann": north.GUID, "Bob": sales.GUID, "Cid": north.GUID} {
		if m := f.member(t, name); m.Group != want {
			t.Errorf("%s is in %q, want %q", name, m.Group, want)
		}
	}
	_, err = f.Directory.UpdateMember(t.Context(), f.member(t, "Cid").GUID, func(d *directory.MemberDetails) { d.Group = "" })
	must(t, err)
	f.entries[2] = entryOf("c", "Cid", "title=Boss")
	if got := summary(f.sync(t)); got != "update Cid title" || f.member(t, "Cid").Group != "" {
		t.Errorf("after a move by hand: %s, in %q", got, f.member(t, "Cid").Group)
	}
}

func TestRemove(t *testing.T) {
	f := newFixture(t)
	f.set(t, nil)
	f.entries = []Entry{entryOf("a", "Ann")}
	f.sync(t)
	other, err := f.Directory.CreateDomain(t.Context(), "Other", "")
	must(t, err)
	s := f.source()
	s.Domain = other.GUID
	if _, err := f.Set(t.Context(), s); !errors.Is(err, ErrInvalid) {
		t.Errorf("another domain for a source with members: %v", err)
	}
	_, err = f.Remove(t.Context(), "office")
	must(t, err)
	if _, err := f.Reports("office"); !errors.Is(err, ErrUnknown) {
		t.Errorf("reports: %v", err)
	}
	if m := f.member(t, "Ann"); m.Status != directory.Pending {
		t.Errorf("Ann is %s", m.Status)
	}
	for range f.Tables.links.All(f.store.Snapshot()) {
		t.Error("a link is left")
	}
	f.set(t, nil)
	if got := summary(f.sync(t)); got != "merge Ann: has the same e-mail address or login name" {
		t.Errorf("set again: %s", got)
	}
}
