package auth

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"furrow/sstp"
)

// connectionLayer is the layer above a connection that only wishes to know who
// has proved what.
type connectionLayer struct{ events chan string }

func (l connectionLayer) Established()                      { l.events <- "established" }
func (l connectionLayer) Attached(_ uint32, account string) { l.events <- "attached " + account }
func (l connectionLayer) Detached(_ uint32, account string) { l.events <- "detached " + account }
func (connectionLayer) Closed(error)                        {}
func (connectionLayer) Open(*sstp.InboundSession, *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenUnknown
}
func (connectionLayer) FanoutOpen(*sstp.InboundSession, *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenUnknown
}

func (l connectionLayer) expect(t *testing.T, want string) {
	t.Helper()
	if got := <-l.events; got != want {
		t.Errorf("the relay was told %q, want %q", got, want)
	}
}

// dial connects the client to its relay, over a real connection.
func (c *client) dial(t *testing.T, key func(*client) Principal) (relay connectionLayer, conn *sstp.Conn, login *Login, answer *sstp.ConnectResponse, err error) {
	t.Helper()
	relay = connectionLayer{make(chan string, 10)}
	near, far := net.Pipe()
	sstp.Accept(far, sstp.Config{LocalDeviceURLs: []string{relayURL}}, func(*sstp.Conn, *sstp.Connect) sstp.Admission {
		return sstp.Admission{Handler: relay, Gate: NewGate(c.relay, relayKey(t))}
	})
	login, token, err := NewLogin(DeviceLayer, key(c).Key)
	if err != nil {
		t.Fatal(err)
	}
	own := connectionLayer{make(chan string, 10)}
	conn, answer, err = sstp.Dial(t.Context(), near, sstp.Config{LocalDeviceURLs: []string{deviceURL}}, relayURL, token, own)
	return relay, conn, login, answer, err
}

func device(c *client) Principal { return c.device }

// TestConnection carries the tokens over connections, from the registration of a
// device to the attachment of its account.
func TestConnection(t *testing.T) {
	c := newClient(t) // before the bubble: its keys are shared with other tests
	synctest.Test(t, func(t *testing.T) {
		_, conn, login, answer, err := c.dial(t, device)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := login.Receive(answer.Response, answer.AuthenticationToken); !errors.Is(err, ErrRegistrationNeeded) {
			t.Fatal(err)
		}
		registering := c.newAccount(t)
		registered, err := conn.Register(t.Context(), relayURL, accountURL, registering.Token())
		if err != nil {
			t.Fatal(err)
		}
		if err := registering.Receive(registered.Response, registered.AuthenticationToken); err != nil {
			t.Fatal(err)
		}
		conn.Close(sstp.ReasonNone, 0)
		<-conn.Done()

		relay, conn, login, answer, err := c.dial(t, device)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := login.Receive(answer.Response, answer.AuthenticationToken)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Authenticate(proof); err != nil {
			t.Fatal(err)
		}
		relay.expect(t, "established")

		login, challenge, err := NewLogin(AccountLayer, c.account.Key)
		if err != nil {
			t.Fatal(err)
		}
		attachment, err := conn.Attach(t.Context(), relayURL, accountURL, challenge)
		if err != nil {
			t.Fatal(err)
		}
		if proof, err = login.Receive(attachment.Response, attachment.Token); err != nil {
			t.Fatal(err)
		}
		if err := attachment.Authenticate(proof); err != nil {
			t.Fatal(err)
		}
		relay.expect(t, "attached "+accountURL)
		attachment.Close(sstp.ReasonIdle)
		relay.expect(t, "detached "+accountURL)
		conn.Close(sstp.ReasonNone, 0)
		<-conn.Done()
	})
}

// TestConnectionRefused fails in each of the two steps of a device's proof.
func TestConnectionRefused(t *testing.T) {
	c := registered(t)
	stranger := newPrincipal(t, deviceURL, 1)
	synctest.Test(t, func(t *testing.T) {
		var refused *sstp.ConnectRefusedError
		_, _, login, _, err := c.dial(t, func(*client) Principal { return stranger })
		if !errors.As(err, &refused) || refused.Response.Response != sstp.ResponseAuthenticationFailed {
			t.Fatal(err)
		}
		if _, err := login.Receive(refused.Response.Response, refused.Response.AuthenticationToken); !errors.Is(err, ErrAuthenticationFailed) {
			t.Error(err)
		}

		_, conn, _, _, err := c.dial(t, device)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Authenticate([]byte("not a proof")); err != nil {
			t.Fatal(err)
		}
		<-conn.Done()
		var closed *sstp.ConnError
		if !errors.As(conn.Err(), &closed) || closed.Reason != sstp.ReasonProtocolError || !closed.Remote {
			t.Error(conn.Err())
		}

		// Silence is cut short.
		start := time.Now()
		_, conn, _, _, err = c.dial(t, device)
		if err != nil {
			t.Fatal(err)
		}
		<-conn.Done()
		if took := time.Since(start); took != time.Minute {
			t.Errorf("a client that proves nothing was kept for %v", took)
		}
	})
}
