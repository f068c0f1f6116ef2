package client

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"furrow/appliance/keys"
	"furrow/sstp"
	"furrow/sstp/auth"
)

const relayURL = "grooveDNS://relay.example"

// rsaKeys are made once: that takes most of a second each.
var rsaKeys = sync.OnceValues(func() (made [3]*keys.RSAPrivateKey, err error) {
	for i := range made {
		if made[i], err = keys.GenerateRSAKey(); err != nil {
			return made, err
		}
	}
	return made, nil
})

func rsaKey(t testing.TB, i int) *keys.RSAPrivateKey {
	t.Helper()
	made, err := rsaKeys()
	if err != nil {
		t.Fatal(err)
	}
	return made[i]
}

// letter is a message that a relay keeps.
type letter struct {
	resource, identity string
	body               []byte
}

// testRelay is a relay in memory: a real connection and a real gate above it, and
// a script for what goes wrong.
type testRelay struct {
	t   testing.TB
	key *keys.RSAPrivateKey

	mu         sync.Mutex
	devices    map[string]auth.DeviceRecord
	accounts   map[string]auth.AccountRecord
	identities map[string]string // to account
	disabled   bool              // users
	queue      []letter
	taken      int // letters ever taken
	delivered  int // letters acknowledged
	dials      int
	conns      []*sstp.Conn
	lastNew    bool // whether the last registration was of a new account

	// transport may wrap that of the nth connection, counted from 1.
	transport func(n int, c net.Conn) io.ReadWriteCloser
	// admission may refuse the nth connection.
	admission func(n int) sstp.Admission
	// opened may refuse a plain session.
	opened func(*sstp.Open) sstp.OpenResponseID
	// presence may take a session of presence.
	presence func(*sstp.Conn) (sstp.Receiver, sstp.OpenResponseID)
	// fanned is told of a fanout session when its first message has arrived, and
	// may report targets; it returns the targets that remain.
	fanned func(s *sstp.InboundSession, cmd *sstp.FanoutOpen) []sstp.FanoutDeviceEntry
	// acknowledging is called before a letter is acknowledged to its sender.
	acknowledging func(n int, c *sstp.Conn)
}

func newTestRelay(t testing.TB) *testRelay {
	r := &testRelay{
		t:          t,
		key:        rsaKey(t, 0),
		devices:    make(map[string]auth.DeviceRecord),
		accounts:   make(map[string]auth.AccountRecord),
		identities: make(map[string]string),
	}
	t.Cleanup(func() {
		r.mu.Lock()
		conns := slices.Clone(r.conns)
		r.mu.Unlock()
		for _, c := range conns {
			c.Close(sstp.ReasonNone, 0)
			<-c.Done()
		}
	})
	return r
}

// DialRelay implements Dialer.
func (r *testRelay) DialRelay(context.Context, string) (io.ReadWriteCloser, error) {
	ours, theirs := net.Pipe()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dials++
	n := r.dials
	transport := io.ReadWriteCloser(theirs)
	if r.transport != nil {
		if transport = r.transport(n, theirs); transport == nil {
			return nil, errors.Join(errors.New("no route to the relay"), ours.Close(), theirs.Close())
		}
	}
	r.conns = append(r.conns, sstp.Accept(transport, sstp.Config{LocalDeviceURLs: []string{relayURL}, Multidrop: true, SingleHop: true},
		func(c *sstp.Conn, _ *sstp.Connect) sstp.Admission {
			admission := sstp.Admission{Response: sstp.ResponseOk}
			if r.admission != nil {
				admission = r.admission(n)
			}
			admission.Gate, admission.Handler = auth.NewGate(r, r.key), &relayConn{relay: r, conn: c}
			return admission
		}))
	return ours, nil
}

// Device implements auth.Registry.
func (r *testRelay) Device(url string) (auth.DeviceRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.devices[url], nil
}

// Account implements auth.Registry.
func (r *testRelay) Account(url string) (auth.AccountRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accounts[url], nil
}

// UserEnabled implements auth.Registry.
func (r *testRelay) UserEnabled(user auth.UserHash) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.disabled && user == auth.HashUser(userToken), nil
}

// Register implements auth.Registry.
func (r *testRelay) Register(g auth.Registration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.devices[g.DeviceURL]; !known.Key.IsZero() && !known.Key.Equal(g.DeviceKey) {
		return auth.ErrBound
	}
	if r.lastNew = g.NewAccount != nil; r.lastNew {
		r.accounts[g.AccountURL] = auth.AccountRecord{Key: g.NewAccount.Key}
		for _, url := range g.NewAccount.IdentityURLs {
			r.identities[url] = g.AccountURL
		}
	}
	r.devices[g.DeviceURL] = auth.DeviceRecord{Key: g.DeviceKey, AccountURLs: []string{g.AccountURL}}
	return nil
}

// RegisterIdentity implements auth.Registry.
func (r *testRelay) RegisterIdentity(g auth.IdentityRegistration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.identities[g.IdentityURL] = g.AccountURL
	return nil
}

// relayConn is the relay's side of one connection.
type relayConn struct {
	relay *testRelay
	conn  *sstp.Conn
}

func (*relayConn) Established()            {}
func (*relayConn) Detached(uint32, string) {}
func (*relayConn) Closed(error)            {}

// Attached delivers what waits for the account, each letter in a session.
func (c *relayConn) Attached(_ uint32, accountURL string) {
	r := c.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.queue {
		if r.identities[l.identity] == accountURL {
			go c.deliver(l)
		}
	}
}

func (c *relayConn) deliver(l letter) {
	ctx := context.Background()
	session, err := c.conn.Open(ctx, sstp.Open{ResourceURL: l.resource, IdentityURL: l.identity, IdentityTargeted: true}, silent{})
	if err != nil {
		return // the connection has ended
	}
	out, err := session.Send(ctx, sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}, func(err error) {
		if err == nil {
			c.relay.remove(l)
		}
	})
	if err != nil {
		return
	}
	if _, err := out.Write(l.body); err == nil {
		_ = out.Close() // if it fails the letter stays
	}
}

func (r *testRelay) remove(l letter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delivered++
	r.queue = slices.DeleteFunc(r.queue, func(q letter) bool { return &q.body[0] == &l.body[0] && q.identity == l.identity })
}

// waiting returns how many letters wait.
func (r *testRelay) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue)
}

func (c *relayConn) Open(_ *sstp.InboundSession, cmd *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	if c.relay.presence != nil && sstp.IsWANDPP(cmd.ResourceURL) {
		return c.relay.presence(c.conn)
	}
	if c.relay.opened != nil {
		if response := c.relay.opened(cmd); response != sstp.OpenOk {
			return nil, response
		}
	}
	return &taker{c, cmd.ResourceURL, func() []string { return []string{cmd.IdentityURL} }}, sstp.OpenOk
}

func (c *relayConn) FanoutOpen(s *sstp.InboundSession, cmd *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return &taker{c, cmd.ResourceURL, func() (identities []string) {
		entries := cmd.Entries
		if c.relay.fanned != nil {
			entries = c.relay.fanned(s, cmd)
		}
		for _, e := range entries {
			identities = append(identities, e.IdentityURL)
		}
		return identities
	}}, sstp.OpenOk
}

// taker takes what is sent in one session.
type taker struct {
	conn     *relayConn
	resource string
	targets  func() []string
}

func (*taker) Closed(error) {}

func (k *taker) Message(m *sstp.Incoming) {
	go func() {
		body, err := io.ReadAll(m)
		if err != nil {
			return
		}
		r := k.conn.relay
		identities := k.targets()
		r.mu.Lock()
		r.taken++
		n, acknowledging := r.taken, r.acknowledging
		for _, identity := range identities {
			r.queue = append(r.queue, letter{k.resource, identity, body})
		}
		r.mu.Unlock()
		if acknowledging != nil {
			acknowledging(n, k.conn.conn)
		}
		m.Complete()
	}()
}

// silent is an originator that does not care.
type silent struct{}

func (silent) Ready(bool)                 {}
func (silent) Status(*sstp.SessionStatus) {}
func (silent) Closed(error)               {}

const (
	userToken = "9557EB24-5779-4635-BA83-4C4AD001B4F1"
	annURL    = "grooveIdentity://ann@"
	bobURL    = "grooveIdentity://bob@"
)

// options are those of a person at a relay, who has connected never before.
func (r *testRelay) options(name string) Options {
	r.t.Helper()
	return Options{
		Relay: Relay{URL: relayURL, Key: r.key.Public()},
		User: User{
			Device:      principal(r.t, "dpp://device-of-"+name, 1),
			Account:     principal(r.t, auth.AccountScheme+name, 2),
			IdentityURL: "grooveIdentity://" + name + "@",
			Token:       userToken,
		},
		Dialer: r,
	}
}

func principal(t testing.TB, url string, key int) auth.Principal {
	t.Helper()
	secret, err := keys.GenerateSharedKey(auth.KeySize)
	if err != nil {
		t.Fatal(err)
	}
	return auth.Principal{URL: url, Key: secret, Signature: rsaKey(t, key), Encryption: rsaKey(t, key).Public()}
}

// dial connects and attaches, which has to succeed.
func dial(t testing.TB, o Options) *Link {
	t.Helper()
	l, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	if err := l.Attach(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// writeFile makes a file of n octets that are not all alike.
func writeFile(t testing.TB, name string, n int) (path string, content []byte) {
	t.Helper()
	content = make([]byte, n)
	for i := range content {
		content[i] = byte(i*i>>8 ^ i)
	}
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}
