package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"furrow/gms/policy"
	"furrow/web/api"
)

// TestUseCases walks the use cases of MS-GRVPROT 2.5 with real processes, in an order in which each finds its
// preconditions: a management server on one box, a relay on another, and three people. 2.5.3, Create a Shared Space,
// happens within a client and asks nothing of a server; what is in a shared space is for the relay a message like any
// other. The automatic way of 2.5.1 is TestLogin.
func TestUseCases(t *testing.T) {
	t.Parallel()
	dataM, dataR := filepath.Join(t.TempDir(), "m"), filepath.Join(t.TempDir(), "r")
	manager := serve(t, dataM, "127.0.0.1:0", "")
	serve(t, dataR, "127.0.0.1:0", "127.0.0.1:0", "--listen", "relay-admin="+freeAddress(t))
	useCase := func(name string, steps func(t *testing.T)) {
		if !t.Run(name, steps) {
			t.FailNow() // the next ones build on it
		}
	}

	useCase("2.5.9 Create a Domain", func(t *testing.T) {
		if _, stderr, exit := furrow(t, "--data", dataM, "domain", "create", ""); exit == 0 {
			t.Errorf("a domain without a name: exit %d, %s", exit, stderr)
		}
		must[api.Domain](t, "--data", dataM, "domain", "create", "Office")
	})
	useCase("2.5.13 Add a Relay Server", func(t *testing.T) {
		files := t.TempDir()
		managerFile, relayFile := filepath.Join(files, "m.reg"), filepath.Join(files, "ServerID.xml")
		must[map[string]string](t, "--data", dataM, "relay", "export-manager", "--out", managerFile)
		must[map[string]string](t, "--data", dataR, "relay", "export-id", "--out", relayFile)
		must[api.LocalRelay](t, "--data", dataR, "relay", "import-manager", managerFile)
		relay := must[api.Relay](t, "--data", dataM, "relay", "import", relayFile)
		sets := must[[]api.RelaySet](t, "--data", dataM, "relay-set", "list", "--domain", "Office")
		must[api.RelaySet](t, "--data", dataM, "relay-set", "add", sets[0].GUID, relay.GUID)
	})

	names := []string{"ann", "bob", "cara"}
	members := map[string]api.Member{}
	useCase("2.5.10 Add Users to a Domain", func(t *testing.T) {
		for _, name := range names {
			members[name] = must[api.Member](t, "--data", dataM, "member", "add", "--domain", "Office",
				"--full-name", name+" Smith", "--email", name+"@example.com")
		}
		if listed := must[[]api.Member](t, "--data", dataM, "member", "list", "--domain", "Office"); len(listed) != len(names) {
			t.Errorf("members %+v", listed)
		}
	})
	useCase("2.5.14 Add Users to a Relay Server", func(t *testing.T) {
		eventually(t, "the relay has been told of everybody", func() bool {
			users := 0
			for _, m := range must[api.LocalRelay](t, "--data", dataR, "relay", "show").Managers {
				users += m.Users
			}
			return users == len(names)
		})
	})

	people := map[string]person{}
	useCase("2.5.1 Create an Account", func(t *testing.T) {
		for name, m := range members {
			home := filepath.Join(filepath.Dir(dataM), name)
			joined := must[map[string]string](t, "client", "join", "--server", manager.address, "--code", m.ConfigurationCode, "--home", home)
			people[name] = person{home: home, identity: joined["identityURL"], member: m.GUID}
			if got := must[api.Member](t, "--data", dataM, "member", "show", m.GUID); got.Status != "active" {
				t.Errorf("%s is %s", name, got.Status)
			}
			registerClient(t, people[name])
		}
		if _, stderr, exit := furrow(t, "client", "join", "--server", manager.address, "--code", "no", "--home", t.TempDir()); exit != 1 || !strings.Contains(stderr, "fault 401") {
			t.Errorf("with a code of nobody: exit %d, %s", exit, stderr)
		}
	})
	ann, bob, cara := people["ann"], people["bob"], people["cara"]

	useCase("2.5.5 Search for Users", func(t *testing.T) {
		found := must[[]foundContact](t, "client", "search", "BOB", "--home", ann.home)
		if len(found) != 1 || found[0].GUID != bob.member {
			t.Errorf("found %+v", found)
		}
	})
	useCase("2.5.6 Add Contacts", func(t *testing.T) {
		stdout, stderr, exit := furrow(t, "client", "contact", bob.member, "--home", ann.home)
		if exit != 0 || !strings.Contains(stdout, "FN: bob Smith") {
			t.Errorf("bob's contact: exit %d, %q, %s", exit, stdout, stderr)
		}
		file := filepath.Join(t.TempDir(), "bob.card")
		must[map[string]string](t, "client", "card", "export", "--home", bob.home, "--out", file)
		must[card](t, "client", "card", "import", "--home", ann.home, file)
		if cards := must[[]card](t, "client", "card", "list", "--home", ann.home); len(cards) != 1 || cards[0].Identity != bob.identity {
			t.Errorf("ann's contacts: %+v", cards)
		}
	})

	var watcher *presenceProcess
	expect := func(t *testing.T, state string) {
		t.Helper()
		if c := watcher.change(); c.Identity != bob.identity || c.State != state {
			t.Errorf("ann sees %+v, want bob %s", c, state)
		}
	}
	useCase("2.5.4 Display Presence Information", func(t *testing.T) {
		watcher = startPresence(t, "--home", ann.home, "--watch", "bob@example.com", "--json")
		expect(t, "offline")
		watcher.interrupt()
	})
	useCase("2.5.2 Publish Presence Status", func(t *testing.T) {
		watcher = startPresence(t, "--home", ann.home, "--watch", "bob@example.com", "--json")
		expect(t, "offline")
		present := startPresence(t, "--home", bob.home)
		expect(t, "online")
		present.interrupt()
		expect(t, "offline")
		watcher.interrupt()
	})

	send := func(t *testing.T, from person, text string, to ...person) {
		t.Helper()
		var identities []string
		for _, p := range to {
			identities = append(identities, p.identity)
		}
		sent := must[shipped](t, "client", "send", "--home", from.home, "--to", strings.Join(identities, ","), writeFile(t, text))
		for _, target := range sent.Targets {
			if !target.Taken {
				t.Errorf("%q to %s: %s", text, target.Identity, target.Status)
			}
		}
	}
	receive := func(t *testing.T, p person, want ...string) {
		t.Helper()
		var got []string
		for _, r := range must[[]received](t, "client", "receive", "--home", p.home, "--into", t.TempDir(), "--quiet", "2s") {
			octets, err := os.ReadFile(r.Path)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(octets))
		}
		// The relay keeps their order; the client writes several files at a time.
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("received %q, want %q", got, want)
		}
	}
	useCase("2.5.7 Invite Users to Join a Shared Space", func(t *testing.T) {
		send(t, ann, "come in", bob, cara) // neither is there
		receive(t, bob, "come in")
		receive(t, cara, "come in")
		send(t, bob, "bob accepts", ann)
		send(t, cara, "cara accepts", ann)
		receive(t, ann, "bob accepts", "cara accepts")
		send(t, ann, "the shared space", bob, cara)
		receive(t, bob, "the shared space")
		receive(t, cara, "the shared space")
	})
	useCase("2.5.8 Update a Shared Space", func(t *testing.T) {
		for _, command := range []string{"first", "second", "third"} {
			send(t, ann, command, bob, cara)
		}
		receive(t, cara, "first", "second", "third")
		send(t, cara, "fourth", ann, bob)
		receive(t, bob, "first", "second", "third", "fourth")
		receive(t, ann, "fourth")
		receive(t, bob)
	})

	update := func(t *testing.T, want string) {
		t.Helper()
		if stdout, stderr, exit := furrow(t, "client", "update", "--home", ann.home); exit != 0 || !strings.Contains(stdout, want) {
			t.Errorf("ann's update: exit %d, %q, %s; want %q", exit, stdout, stderr, want)
		}
	}
	useCase("2.5.11 Add a Policy to a Domain", func(t *testing.T) {
		if _, stderr, exit := furrow(t, "--data", dataM, "policy", "create", "device", ""); exit == 0 {
			t.Errorf("a policy without a name: exit %d, %s", exit, stderr)
		}
		must[api.Policy](t, "--data", dataM, "policy", "create", "identity", "Strict")
		must[[]policy.Change](t, "--data", dataM, "policy", "set", "identity/Strict", "identity.lockVCard=on")
		must[api.Holding](t, "--data", dataM, "policy", "assign", "identity/Strict")
		update(t, "IdentityPolicy")
	})
	useCase("2.5.12 Delete Policies from a Domain", func(t *testing.T) {
		if _, stderr, exit := furrow(t, "--data", dataM, "policy", "delete", "identity/Strict"); exit != 1 || !strings.Contains(stderr, "assigned") {
			t.Errorf("deleting a policy in force: exit %d, %s", exit, stderr)
		}
		must[api.Holding](t, "--data", dataM, "policy", "assign", "identity/Default")
		furrow(t, "--data", dataM, "policy", "delete", "identity/Strict")
		for _, p := range must[[]api.Policy](t, "--data", dataM, "policy", "list") {
			if p.Name == "Strict" {
				t.Errorf("still there: %+v", p)
			}
		}
		update(t, "IdentityPolicy")
		update(t, "everything is up to date")
	})
}
