package relay

import (
	"context"
	"errors"
	"net"
	"testing"

	"furrow/sstp"
	"furrow/sstp/auth"
)

// A device that the relay does not know registers, connects anew, and is served
// then and not before.
func TestRegistration(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := newPerson(t, "alice")
	_, err := b.registry.AddUsers(context.Background(), b.request(), []string{p.token})
	must(t, err)
	set, err := relayKeys()
	must(t, err)
	principal := func(url string) auth.Principal {
		key := p.deviceKey
		if url == p.account {
			key = p.accountKey
		}
		return auth.Principal{URL: url, Key: key, Signature: set.Signature, Encryption: set.Encryption.Public()}
	}

	c, err := b.tryConnect(t, p)
	if !errors.Is(err, auth.ErrRegistrationNeeded) {
		t.Fatalf("first connection: %v", err)
	}
	r, err := auth.RegisterAccount(set.Encryption.Public(), principal(p.device), principal(p.account), p.token, []string{p.identity})
	must(t, err)
	answer, err := c.conn.Register(t.Context(), "", p.account, r.Token())
	must(t, err)
	must(t, r.Receive(answer.Response, answer.AuthenticationToken))
	c.open(t, toIdentity(p))
	if end := c.ended(t); end.Reason != sstp.ReasonProtocolError {
		t.Errorf("served on the connection that registered: %v", end)
	}

	c = b.attached(t, p)
	must(t, c.open(t, toIdentity(p)).give(t, sstp.Message{}, []byte("x")))
	receive(t, "the message", c.got)
}

// Half a connection ends without anything of it left.
func TestVanishingPeer(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	c := b.attached(t, p[0])
	o := c.open(t, toIdentity(p[1]))
	out, err := o.session.Send(t.Context(), sstp.Message{}, func(error) {})
	must(t, err)
	_, err = out.Write(make([]byte, 1<<20))
	must(t, err)
	eventually(t, "it is being stored", func() bool { return b.spool.Stats().DiskBytes > 0 })
	must(t, c.transport.(*net.TCPConn).SetLinger(0)) // a reset, as from a machine that is gone
	must(t, c.transport.Close())
	eventually(t, "nothing is left", func() bool {
		return b.server.Stats().Connections == 0 && b.spool.Stats().DiskBytes == 0
	})
}
