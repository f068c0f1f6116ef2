package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"furrow/web/api"
)

// person is a member who has joined, and registered with the relays.
type person struct {
	home, identity, member string
}

func joinAs(t *testing.T, b *box, data, domain, name string) person {
	t.Helper()
	member := must[api.Member](t, "--data", data, "member", "add", "--domain", domain, "--full-name", name, "--email", name+"@example.com")
	home := filepath.Join(t.TempDir(), name)
	joined := must[map[string]string](t, "client", "join", "--server", b.address, "--code", member.ConfigurationCode, "--home", home)
	return person{home: home, identity: joined["identityURL"], member: member.GUID}
}

// eventually tries until ok, within the time that a loaded machine may need.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", deadline, what)
		}
	}
}

// registerClient waits until the relay has been told of a member, then registers its client.
func registerClient(t *testing.T, p person) {
	t.Helper()
	eventually(t, "the relay knows the member", func() bool {
		_, _, exit := furrow(t, "client", "register", "--home", p.home)
		return exit == 0
	})
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTwoBoxes sends from a member of one box to a member whose relay is another box: while that is there, while it is
// not, and again when it is back. What was on its way when the sender was told may arrive all the same.
func TestTwoBoxes(t *testing.T) {
	t.Parallel()
	dataA, dataB := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	boxA, boxB := serve(t, dataA, "127.0.0.1:0", "127.0.0.1:0"), serve(t, dataB, "127.0.0.1:0", "127.0.0.1:0")
	must[api.Domain](t, "--data", dataA, "domain", "create", "A")
	must[api.Domain](t, "--data", dataB, "domain", "create", "B")
	ann, bob := joinAs(t, boxA, dataA, "A", "ann"), joinAs(t, boxB, dataB, "B", "bob")
	registerClient(t, ann)
	registerClient(t, bob)
	relayB := must[api.LocalRelay](t, "--data", dataB, "relay", "show").DeviceURL
	to := bob.identity + relayB

	if _, stderr, exit := furrow(t, "client", "send", "--home", ann.home, "--to", to, writeFile(t, "first")); exit != 0 {
		t.Fatalf("sending to the other box: %s", stderr)
	}
	boxB.kill(t)
	wantUnreachable(t, ann.home, to, writeFile(t, "between"))
	serve(t, dataB, strings.TrimPrefix(boxB.address, "http://"), strings.TrimPrefix(relayB, "grooveDNS://"))
	second := writeFile(t, "second")
	eventually(t, "the relay notices that the other box is back", func() bool {
		_, _, exit := furrow(t, "client", "send", "--home", ann.home, "--to", to, second)
		return exit == 0
	})

	inbox := filepath.Join(t.TempDir(), "inbox")
	got := map[string]bool{}
	eventually(t, "both notes arrive", func() bool {
		if _, stderr, exit := furrow(t, "client", "receive", "--home", bob.home, "--into", inbox, "--quiet", "1s"); exit != 0 {
			t.Fatalf("receiving: %s", stderr)
		}
		files, err := filepath.Glob(filepath.Join(inbox, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got[string(data)] = true
		}
		return got["first"] && got["second"]
	})
}

// TestOutsideManager has one box, that is a manager only, manage the relay of another: the two exchange their identity
// files, and what the manager says of its members takes effect on the relay.
func TestOutsideManager(t *testing.T) {
	t.Parallel()
	dataM, dataR := filepath.Join(t.TempDir(), "m"), filepath.Join(t.TempDir(), "r")
	manager := serve(t, dataM, "127.0.0.1:0", "")
	serve(t, dataR, "127.0.0.1:0", "127.0.0.1:0", "--listen", "relay-admin="+freeAddress(t))

	files := t.TempDir()
	managerFile, relayFile := filepath.Join(files, "m.reg"), filepath.Join(files, "ServerID.xml")
	must[map[string]string](t, "--data", dataM, "relay", "export-manager", "--out", managerFile)
	must[map[string]string](t, "--data", dataR, "relay", "export-id", "--out", relayFile)
	known := must[api.LocalRelay](t, "--data", dataR, "relay", "import-manager", managerFile)
	if len(known.Managers) != 2 {
		t.Fatalf("the relay knows %+v", known.Managers)
	}
	relay := must[api.Relay](t, "--data", dataM, "relay", "import", relayFile)

	domain := must[api.Domain](t, "--data", dataM, "domain", "create", "Office")
	sets := must[[]api.RelaySet](t, "--data", dataM, "relay-set", "list", "--domain", domain.Name)
	if len(sets) != 1 || len(sets[0].Relays) != 0 {
		t.Fatalf("relay sets of a new domain on a box without a relay: %+v", sets)
	}
	must[api.RelaySet](t, "--data", dataM, "relay-set", "add", sets[0].GUID, relay.GUID)

	cara := joinAs(t, manager, dataM, "Office", "cara")
	dave := joinAs(t, manager, dataM, "Office", "dave")
	registerClient(t, cara)
	registerClient(t, dave)
	if _, stderr, exit := furrow(t, "client", "send", "--home", cara.home, "--to", dave.identity, writeFile(t, "hello")); exit != 0 {
		t.Fatalf("sending by the outside relay: %s", stderr)
	}
	waiting := func() int { return must[api.LocalRelay](t, "--data", dataR, "relay", "show").Waiting }
	if n := waiting(); n != 1 {
		t.Fatalf("%d messages wait, want 1", n)
	}

	// A quota that the manager sets is the relay's.
	must[api.Relay](t, "--data", dataM, "relay", "defaults", relay.GUID, "--quota", "--identity-quota", "1", "--device-quota", "1")
	large := writeFile(t, strings.Repeat("large ", 1<<18))
	eventually(t, "the quota is in force", func() bool {
		_, stderr, exit := furrow(t, "client", "send", "--home", cara.home, "--to", dave.identity, large)
		return exit != 0 && strings.Contains(stderr, "QuotaWouldBeExceeded")
	})

	// A disabled member may not use the relay any more; a deleted one's messages are purged.
	must[api.Member](t, "--data", dataM, "member", "disable", cara.member)
	eventually(t, "the disabled member is shut out", func() bool {
		_, _, exit := furrow(t, "client", "send", "--home", cara.home, "--patience", "1s", "--to", dave.identity, writeFile(t, "no"))
		return exit != 0
	})
	must[api.Member](t, "--data", dataM, "member", "delete", dave.member)
	eventually(t, "the deleted member's messages are purged", func() bool { return waiting() == 0 })
}
