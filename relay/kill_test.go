package relay

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/sstp"
)

const (
	// childDir makes the test binary a relay on that folder.
	childDir = "FURROW_RELAY_CHILD"
	// killsWanted is how often TestKill kills; a few times if it is not set.
	killsWanted = "FURROW_RELAY_KILLS"
)

// childMain is the relay that is killed. It ends by itself only if it cannot
// start, or when nobody holds its input any more.
func childMain() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	b := &box{name: "a.example", dir: dir, log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))}
	if err := b.openRegistry(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(b.address)
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	return true
}

// child starts a relay in a process of its own, on the folder of a box that is
// shut. kill is SIGKILL.
func child(t *testing.T, b *box) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+b.dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	kill = sync.OnceFunc(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // says that it was killed
		_ = in.Close()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	b.address = strings.TrimSpace(line)
	return kill
}

// A relay that is killed under load has lost nothing that it has acknowledged to
// a sender, and a message may come twice.
func TestKill(t *testing.T) {
	kills := 10
	if n, err := strconv.Atoi(os.Getenv(killsWanted)); err == nil {
		kills = n
	}
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob", "carol")
	b.shut(t)
	acknowledged, received := map[uint64]bool{}, map[uint64]int{}
	sent := uint64(0)
	for round := range kills {
		kill := child(t, b)
		sender := b.connect(t, p[0])
		recipient := b.attached(t, p[1])
		o := sender.fanout(t, fanoutTo(entry(p[1], ""), entry(p[2], "")))
		fates := map[uint64]<-chan error{}
		for range 40 {
			sent++
			fates[sent] = o.begin(t, sstp.Message{}, numbered(sent, 100+int(sent)*997%50_000))
		}
		// Some are acknowledged by then, in every round more of them.
		for n := sent - 39; n <= sent-39+uint64(round*7%40); n++ {
			must(t, receive(t, "an acknowledgment", fates[n]))
			acknowledged[n] = true
		}
		kill()
		receive(t, "the end of the sender's connection", sender.closed)
		receive(t, "the end of the recipient's connection", recipient.closed)
		for n, fate := range fates {
			if len(fate) > 0 && <-fate == nil {
				acknowledged[n] = true
			}
		}
		collect(t, recipient, received)
	}
	child(t, b)
	for _, who := range p[1:] {
		got := map[uint64]int{}
		if who == p[1] {
			got = received
		}
		c := b.attached(t, who)
		deadline := time.After(patience)
		for missing(acknowledged, got) > 0 {
			select {
			case d := <-c.got:
				count(t, d, got)
			case <-deadline:
				t.Fatalf("%s misses %d of %d acknowledged messages", who.name, missing(acknowledged, got), len(acknowledged))
			}
		}
		twice := 0
		for _, n := range got {
			twice += n - 1
		}
		t.Logf("%s: %d sent, %d acknowledged, %d received, %d repetitions", who.name, sent, len(acknowledged), len(got), twice)
	}
}

// numbered is a body that says which it is, and whether it is whole.
func numbered(n uint64, size int) []byte {
	body := make([]byte, size)
	binary.BigEndian.PutUint64(body, n)
	for i := 8; i < size; i++ {
		body[i] = byte(n) ^ byte(i)
	}
	return body
}

func count(t *testing.T, d delivered, got map[uint64]int) {
	t.Helper()
	n := binary.BigEndian.Uint64(d.body)
	if string(numbered(n, len(d.body))) != string(d.body) {
		t.Errorf("message %d is not as it was sent", n)
	}
	got[n]++
}

func collect(t *testing.T, c *testClient, got map[uint64]int) {
	t.Helper()
	for len(c.got) > 0 {
		count(t, <-c.got, got)
	}
}

func missing(acknowledged map[uint64]bool, got map[uint64]int) (n int) {
	for m := range acknowledged {
		if got[m] == 0 {
			n++
		}
	}
	return n
}

// Two relays between which the transport breaks all the time: what is acknowledged
// arrives.
func TestBrokenTransport(t *testing.T) {
	n, a, b, alice, there := twoBoxes(t, nil)
	breaking := &breakingDialer{network: n, after: 64 << 10}
	a.change = func(c *Config) { c.Dialer = breaking }
	a.stop(t)
	a.start(t)
	o := a.connect(t, alice).fanout(t, fanoutTo(entry(there[0], b.url())))
	for i := range uint64(30) {
		must(t, o.give(t, sstp.Message{}, numbered(i, 10_000)))
	}
	c := b.attached(t, there[0])
	got := map[uint64]int{}
	eventually(t, "everything arrives", func() bool {
		collect(t, c, got)
		return len(got) == 30
	})
	if breaking.dialled() < 3 {
		t.Errorf("dialled %d times", breaking.dialled())
	}
}

// breakingDialer makes transports that break after some octets.
type breakingDialer struct {
	*network
	after int
}

func (d *breakingDialer) dialled() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dials
}

func (d *breakingDialer) DialRelay(ctx context.Context, relayURL string) (transport, error) {
	conn, err := d.network.DialRelay(ctx, relayURL)
	if err != nil {
		return nil, err
	}
	return &breaking{transport: conn, left: d.after}, nil
}

type transport = io.ReadWriteCloser

type breaking struct {
	transport
	left int
}

// Read has the latency of a long way, so that nothing is acknowledged before the
// transport breaks, unless somebody waits for it.
func (b *breaking) Read(p []byte) (int, error) {
	n, err := b.transport.Read(p)
	time.Sleep(10 * time.Millisecond)
	return n, err
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, net.ErrClosed
	}
	return b.transport.Write(p)
}
