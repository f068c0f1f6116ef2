package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"furrow/gms/client"
	"furrow/gms/soap/spcm"
	relayclient "furrow/relay/client"
	"furrow/web/api"
)

// presenceProcess is a running `furrow client presence`.
type presenceProcess struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
}

func startPresence(t *testing.T, args ...string) *presenceProcess {
	t.Helper()
	p := &presenceProcess{t: t, cmd: command(t, append([]string{"client", "presence"}, args...)...), lines: make(chan string, 100)}
	p.cmd.Stderr = &bytes.Buffer{}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			p.lines <- lines.Text()
		}
		close(p.lines)
	}()
	t.Cleanup(func() {
		p.kill()
		<-ended
	})
	return p
}

// kill ends the process as a power cut would.
func (p *presenceProcess) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		_ = p.cmd.Wait()         // reports the kill
	}
}

// interrupt ends the process as a person does.
func (p *presenceProcess) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
	for range p.lines { // Wait must not come before the end of the output
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("interrupted: %v: %s", err, p.cmd.Stderr)
	}
}

// line waits for the next line that holds a text.
func (p *presenceProcess) line(text string) string {
	p.t.Helper()
	timeout := time.After(deadline)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("ended before a line with %q: %s", text, p.cmd.Stderr)
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-timeout:
			p.t.Fatalf("no line with %q", text)
		}
	}
}

// change waits for the next change.
func (p *presenceProcess) change() (c change) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.line("{")), &c); err != nil {
		p.t.Fatal(err)
	}
	return c
}

// TestPresence has ann watch bob, who comes, is killed, comes again and goes; and
// the box be killed under them.
func TestPresence(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	relayURL := must[api.LocalRelay](t, "--data", data, "relay", "show").DeviceURL
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	ann, bob := joinAs(t, b, data, "Office", "ann"), joinAs(t, b, data, "Office", "bob")
	registerClient(t, ann)
	registerClient(t, bob)

	if _, stderr, exit := furrow(t, "client", "presence", "--home", ann.home, "--watch", "bob"); exit != 1 || !strings.Contains(stderr, `"bob" is nobody that is known`) {
		t.Fatalf("watching a stranger: exit %d, %q", exit, stderr)
	}
	file := filepath.Join(t.TempDir(), "bob.card")
	must[map[string]string](t, "client", "card", "export", "--home", bob.home, "--out", file)
	kept := must[card](t, "client", "card", "import", "--home", ann.home, file)
	if kept.FullName != "bob" || kept.Email != "bob@example.com" || kept.Identity != bob.identity || len(kept.Relays) != 1 || kept.Relays[0] != relayURL {
		t.Fatalf("kept %+v", kept)
	}
	if cards := must[[]card](t, "client", "card", "list", "--home", ann.home); len(cards) != 1 || cards[0].Device != kept.Device {
		t.Fatalf("cards %+v", cards)
	}

	watcher := startPresence(t, "--home", ann.home, "--watch", "Bob@example.com", "--json")
	expect := func(state string) change {
		t.Helper()
		c := watcher.change()
		if c.State != state || c.FullName != "bob" || c.Identity != bob.identity || c.Device != kept.Device || c.Time.IsZero() {
			t.Errorf("ann sees %+v, want %s", c, state)
		}
		return c
	}
	expect("offline")

	// In words, to bob, who knows ann by her device only.
	annDevice := must[clientStatus](t, "client", "status", "--home", ann.home).Device
	present := startPresence(t, "--home", bob.home, "--watch", annDevice)
	expect("online")
	if line := present.line(annDevice); !strings.Contains(line, "  online   "+annDevice) {
		t.Errorf("bob sees %q", line)
	}
	if r := must[api.LocalRelay](t, "--data", data, "relay", "show"); r.Online != 2 || r.Subscriptions != 2 || r.Devices != 2 {
		t.Errorf("the relay shows %d online, %d subscriptions, %d devices", r.Online, r.Subscriptions, r.Devices)
	}

	killed := time.Now()
	present.kill()
	expect("offline")
	if grace := time.Since(killed); grace < 3*time.Second {
		t.Errorf("offline %v after the kill, want a grace of 3s", grace)
	}
	present = startPresence(t, "--home", bob.home)
	expect("online")
	present.interrupt()
	expect("offline")

	present = startPresence(t, "--home", bob.home)
	expect("online")
	b.kill(t)
	expect("unknown")
	serve(t, data, strings.TrimPrefix(b.address, "http://"), strings.TrimPrefix(relayURL, "grooveDNS://"))
	for expected := time.After(deadline); ; {
		c := watcher.change() // offline first, if ann is back before bob
		if c.State == "online" {
			break
		}
		select {
		case <-expected:
			t.Fatalf("bob is still %s", c.State)
		default:
		}
	}
	must[api.Member](t, "--data", data, "member", "disable", bob.member)
	expect("offline")
	for range present.lines {
	}
	if err := present.cmd.Wait(); err == nil || !strings.Contains(present.cmd.Stderr.(*bytes.Buffer).String(), "DeviceAuthenticationFailed") {
		t.Errorf("the disabled member's client: %v, %s", err, present.cmd.Stderr)
	}
	watcher.interrupt()
}

func TestWatchedAt(t *testing.T) {
	m := &relayMember{relays: []relayclient.Options{
		{Relay: relayclient.Relay{URL: "grooveDNS://a"}}, {Relay: relayclient.Relay{URL: "grooveDNS://b"}},
	}}
	contact := func(presence, relays []string) client.KnownContact {
		return client.KnownContact{Contact: &spcm.Contact{PresenceDevices: presence, RelayDevices: relays}}
	}
	relays, elsewhere := m.watchedAt(map[string]client.KnownContact{
		"dpp://1": contact([]string{"grooveDNS://a", "grooveDNS://c"}, []string{"grooveDNS://b"}),
		"dpp://2": contact(nil, []string{"grooveDNS://b"}),
		"dpp://3": contact(nil, nil),
		"dpp://4": contact([]string{"grooveDNS://c"}, nil),
	})
	var got [][]string
	for _, r := range relays {
		got = append(got, r.Devices)
	}
	if want := [][]string{{"dpp://1", "dpp://3"}, {"dpp://2", "dpp://3"}}; !reflect.DeepEqual(got, want) || !slices.Equal(elsewhere, []string{"dpp://4"}) {
		t.Errorf("%v, elsewhere %v", got, elsewhere)
	}
}
