package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"mellium.im/sasl"
	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"

	"furrow/cmd/furrow/bench"
)

// prosodyServer is a Prosody XMPP server.
type prosodyServer struct {
	*bench.Child
	address string
	data    string
}

const (
	xmppHost     = "localhost"
	xmppPassword = "load"
	// performerName is the account that is watched.
	performerName = "performer"
)

func prosodyPeers(ctx context.Context) ([]peer, error) {
	version, err := versionOf(ctx, "prosodyctl", "about")
	if err != nil {
		return nil, err
	}
	return []peer{{
		name:       "prosody " + version,
		offers:     []string{presence},
		durability: map[string]string{presence: volatile},
		start:      startProsody,
	}}, nil
}

// prosodyConfig has passwords travel in the clear, as everything does here.
const prosodyConfig = `daemonize = false
run_as_root = true
data_path = %q
pidfile = %q
modules_enabled = { "roster", "saslauth", "presence" }
modules_disabled = { "s2s", "tls" }
authentication = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
interfaces = { "127.0.0.1" }
c2s_ports = { %d }
log = { warn = "*console" }
VirtualHost %q
`

func startProsody(ctx context.Context, dir string, gone context.CancelCauseFunc) (server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &prosodyServer{address: local(port), data: filepath.Join(dir, "data")}
	file := filepath.Join(dir, "prosody.cfg.lua")
	config := fmt.Sprintf(prosodyConfig, s.data, filepath.Join(dir, "prosody.pid"), port, xmppHost)
	if err := errors.Join(os.Mkdir(s.data, 0o700), os.WriteFile(file, []byte(config), 0o600)); err != nil {
		return nil, err
	}
	if s.Child, err = bench.StartChild("prosody", exec.Command("prosody", "--config", file, "-F"), gone); err != nil {
		return nil, err
	}
	if err := awaitPort(ctx, s.address); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close implements [server].
func (s *prosodyServer) Close() error {
	s.Stop()
	return nil
}

func watcherName(watcher int) string { return "watcher" + strconv.Itoa(watcher) }

// Introduce implements [bench.Stage]: it writes the accounts and rosters as Prosody
// keeps them, which is before anybody has asked for them.
func (s *prosodyServer) Introduce(_ context.Context, watchers int) error {
	roster := make(map[string]string, watchers)
	for i := range watchers {
		name := watcherName(i)
		roster[name] = "from"
		if err := s.account(name, map[string]string{performerName: "to"}); err != nil {
			return err
		}
	}
	return s.account(performerName, roster)
}

// account writes one account and its roster, in which the subscriptions are.
func (s *prosodyServer) account(name string, roster map[string]string) error {
	var b strings.Builder
	b.WriteString("return {\n[false] = { version = 1 };\n")
	for other, subscription := range roster {
		fmt.Fprintf(&b, "[%q] = { subscription = %q; groups = {} };\n", other+"@"+xmppHost, subscription)
	}
	b.WriteString("};\n")
	for folder, text := range map[string]string{
		"accounts": fmt.Sprintf("return { password = %q };\n", xmppPassword),
		"roster":   b.String(),
	} {
		dir := filepath.Join(s.data, xmppHost, folder)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".dat"), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Watch implements [bench.Stage].
func (s *prosodyServer) Watch(ctx context.Context, watcher int, seen func(change int)) (bench.Connection, error) {
	return s.connect(ctx, watcherName(watcher), seen)
}

// Perform implements [bench.Stage].
func (s *prosodyServer) Perform(ctx context.Context) (bench.Performer, error) {
	return s.connect(ctx, performerName, func(int) {})
}

// connect connects an account, which is available from then on.
func (s *prosodyServer) connect(ctx context.Context, name string, seen func(change int)) (*xmppConnection, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	self, err := jid.New(name, xmppHost, "load")
	if err != nil {
		return nil, err
	}
	// The state says that the stream is secure, without which mellium sends no
	// password.
	session, err := xmpp.NewSession(ctx, self.Domain(), self, conn, xmpp.Secure, xmpp.NewNegotiator(
		func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
			return xmpp.StreamConfig{Features: []xmpp.StreamFeature{xmpp.SASL("", xmppPassword, sasl.Plain), xmpp.BindResource()}}
		}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("logging in as %s: %w", name, err), conn.Close())
	}
	c := &xmppConnection{session: session, conn: conn, available: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		c.err = session.Serve(&xmppHandler{self: name, seen: seen, available: c.available})
	}()
	if err := c.Change(ctx, 0); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	select {
	case <-c.available:
		return c, nil
	case <-c.ended:
		return nil, errors.Join(fmt.Errorf("%s: %w", name, c.Err()), c.Close())
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), c.Close())
	}
}

type xmppConnection struct {
	session   *xmpp.Session
	conn      net.Conn
	available chan struct{} // closed when the server has told of the own presence
	ended     chan struct{}
	err       error // once ended is closed
}

// Change implements [bench.Performer]: the number of the change is the status text.
func (c *xmppConnection) Change(ctx context.Context, change int) error {
	status := xmlstream.Wrap(xmlstream.Token(xml.CharData(strconv.Itoa(change))), xml.StartElement{Name: xml.Name{Local: "status"}})
	return c.session.Send(ctx, stanza.Presence{}.Wrap(status))
}

// Err implements [bench.Connection].
func (c *xmppConnection) Err() error {
	select {
	case <-c.ended:
		return errors.Join(errors.New("the stream has ended"), c.err)
	default:
		return nil
	}
}

// Close implements [bench.Connection].
func (c *xmppConnection) Close() error {
	err := c.conn.Close()
	<-c.ended
	return err
}

// xmppHandler takes the presence of others.
type xmppHandler struct {
	self      string
	seen      func(change int)
	available chan struct{}
	told      atomic.Bool
}

// HandleXMPP implements [xmpp.Handler].
func (h *xmppHandler) HandleXMPP(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
	if start.Name.Local != "presence" {
		return nil
	}
	p, err := stanza.NewPresence(*start)
	if err != nil {
		return err
	}
	var body struct {
		Status string `xml:"status"`
	}
	if err := xml.NewTokenDecoder(xmlstream.MultiReader(xmlstream.Token(*start), t)).Decode(&body); err != nil {
		return err
	}
	if p.From.Localpart() == h.self {
		if h.told.CompareAndSwap(false, true) {
			close(h.available)
		}
		return nil
	}
	change, err := strconv.Atoi(body.Status)
	if err != nil || change < 1 {
		return nil // how things stand
	}
	h.seen(change)
	return nil
}
