package auth

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"furrow/sstp"
)

// client is a client device with one account, and a relay that it may or may not
// be registered with.
type client struct {
	relay           *ledger
	device, account Principal
}

func newClient(t *testing.T) *client {
	return &client{newLedger(), newPrincipal(t, deviceURL, 1), newPrincipal(t, accountURL, 2)}
}

// registered has gone through registration.
func registered(t *testing.T) *client {
	c := newClient(t)
	if err := c.register(t, c.newAccount(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) newAccount(t *testing.T) *Registering {
	t.Helper()
	r, err := RegisterAccount(relayKey(t).Public(), c.device, c.account, userToken, []string{identityURL})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// connect goes as far as the answer to Connect.
func (c *client) connect(t *testing.T) (*Gate, *Login, sstp.Verdict) {
	t.Helper()
	gate := NewGate(c.relay, relayKey(t))
	login, token, err := NewLogin(DeviceLayer, c.device.Key)
	if err != nil {
		t.Fatal(err)
	}
	return gate, login, gate.Connect([]string{c.device.URL}, token)
}

// register sends a registration on a connection of its own.
func (c *client) register(t *testing.T, r *Registering) error {
	t.Helper()
	gate, login, v := c.connect(t)
	if _, err := login.Receive(v.Response, v.Token); !errors.Is(err, ErrRegistrationNeeded) {
		t.Fatalf("connecting to register: %v", err)
	}
	v = gate.Register(r.Token())
	err := r.Receive(v.Response, v.Token)
	if want := map[bool]State{true: StateRegistered, false: StateFailed}[err == nil]; gate.State() != want {
		t.Errorf("registration ended in state %v with %v", gate.State(), err)
	}
	return err
}

// authenticated connects and proves the device.
func (c *client) authenticated(t *testing.T) *Gate {
	t.Helper()
	gate, login, v := c.connect(t)
	proof, err := login.Receive(v.Response, v.Token)
	if err != nil {
		t.Fatal(err)
	}
	if v := gate.ConnectAuthenticate(proof); v.Action != sstp.ActProceed || gate.State() != StateAuthenticated {
		t.Fatalf("state %v, %+v", gate.State(), v)
	}
	return gate
}

func expectClose(t *testing.T, v sstp.Verdict, action sstp.Action, reason sstp.Reason) {
	t.Helper()
	if v.Action != action || v.Reason != reason || v.Err == nil || v.Token != nil {
		t.Errorf("%+v, want action %d with %v", v, action, reason)
	}
}

// expectAnswer compares an answer that says nothing but what it is.
func expectAnswer(t *testing.T, v sstp.Verdict, response sstp.ResponseID, token ...byte) {
	t.Helper()
	if v.Action != sstp.ActAnswer || v.Response != response || !bytes.Equal(v.Token, token) {
		t.Errorf("%+v, want %v with % x", v, response, token)
	}
}

func expectRefusal(t *testing.T, err error, reason RefusalReason) {
	t.Helper()
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != reason {
		t.Errorf("%v, want refusal for %v", err, reason)
	}
}

func TestNewDeviceAndAccount(t *testing.T) {
	c := newClient(t)
	gate, login, v := c.connect(t)
	expectAnswer(t, v, sstp.ResponseOk, 1, 4, 3)
	if _, err := login.Receive(v.Response, v.Token); !errors.Is(err, ErrRegistrationNeeded) {
		t.Fatal(err)
	}
	r := c.newAccount(t)
	token := bytes.Clone(r.Token())
	v = gate.Register(token)
	clear(token) // what was remembered must not be part of it
	if err := r.Receive(v.Response, v.Token); err != nil {
		t.Fatal(err)
	}
	expectClose(t, gate.Register(r.Token()), sstp.ActCloseConnection, sstp.ReasonProtocolError)

	got := c.relay.last
	devicePublic, accountPublic := c.device.publicKeys(), c.account.publicKeys()
	if got.DeviceURL != deviceURL || !got.DeviceKey.Equal(c.device.Key) || !got.DevicePublicKeys.Equal(&devicePublic) ||
		got.AccountURL != accountURL || !got.NewAccount.Key.Equal(c.account.Key) ||
		!got.NewAccount.PublicKeys.Equal(&accountPublic) || got.NewAccount.User != HashUser(userToken) ||
		!slices.Equal(got.NewAccount.IdentityURLs, []string{identityURL}) {
		t.Errorf("registered %+v", got)
	}

	gate = c.authenticated(t)
	if gate.DeviceURL() != deviceURL {
		t.Errorf("device %q", gate.DeviceURL())
	}
	login, challenge, err := NewLogin(AccountLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	v = gate.Attach(5, accountURL, challenge)
	proof, err := login.Receive(v.Response, v.Token)
	if err != nil {
		t.Fatal(err)
	}
	if gate.Attached(accountURL) {
		t.Error("attached before the proof")
	}
	url, v := gate.AttachAuthenticate(5, proof)
	if url != accountURL || v.Action != sstp.ActProceed || !gate.Attached(accountURL) {
		t.Errorf("%q, %+v", url, v)
	}
	gate.Detach(5)
	if gate.Attached(accountURL) {
		t.Error("attached after the session has ended")
	}
}

func TestUserTokenWithoutRegardToCase(t *testing.T) {
	c := newClient(t)
	r, err := RegisterAccount(relayKey(t).Public(), c.device, c.account, strings.ToLower(userToken), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.register(t, r); err != nil {
		t.Error(err)
	}
}

func TestAccountOnNewDevice(t *testing.T) {
	c := registered(t)
	c.device = newPrincipal(t, deviceURL+"2", 1)
	r, err := RegisterAccountOnDevice(relayKey(t).Public(), c.device, c.account)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.register(t, r); err != nil {
		t.Fatal(err)
	}
	if c.relay.last.NewAccount != nil || c.relay.last.AccountURL != accountURL {
		t.Errorf("registered %+v", c.relay.last)
	}
	c.authenticated(t)
}

func TestSecondAccountOnDevice(t *testing.T) {
	c := registered(t)
	gate := c.authenticated(t)
	c.account = newPrincipal(t, accountURL+"2", 2)
	login, challenge, err := NewLogin(AccountLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	v := gate.Attach(1, c.account.URL, challenge)
	expectAnswer(t, v, sstp.ResponseOk, 1, 4, 10)
	if _, err := login.Receive(v.Response, v.Token); !errors.Is(err, ErrRegistrationNeeded) {
		t.Error(err)
	}
	r := c.newAccount(t)
	v = gate.Register(r.Token())
	if err := r.Receive(v.Response, v.Token); err != nil || gate.State() != StateAuthenticated {
		t.Fatalf("%v, state %v", err, gate.State())
	}
	_, challenge, err = NewLogin(AccountLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	if v := gate.Attach(1, c.account.URL, challenge); v.Token[2] != byte(IDAttachResponse) {
		t.Errorf("attach after registration: %+v", v)
	}
}

func TestNewIdentity(t *testing.T) {
	c := registered(t)
	gate := c.authenticated(t)
	const second = "grooveIdentity://second@"
	c.relay.identities["grooveIdentity://other@"] = "grooveAccount://other"
	for _, tt := range []struct {
		name, url, user string
		wrongKey        bool
		want            RefusalReason
	}{
		{name: "good", url: second, user: userToken},
		{name: "again", url: second, user: userToken},
		{name: "of another account", url: "grooveIdentity://other@", user: userToken, want: RefusedBound},
		{name: "unknown user", url: second, user: "nobody", want: RefusedUser},
		{name: "no identity URL", url: "dpp:///x", user: userToken, want: RefusedMalformed},
		{name: "wrong key", url: second, user: userToken, wrongKey: true, want: RefusedKey},
	} {
		account := c.account
		if tt.wrongKey {
			account.Key = sharedKey(t, KeySize)
		}
		r, err := RegisterIdentity(account, tt.url, tt.user)
		if err != nil {
			t.Fatal(err)
		}
		v := gate.Register(r.Token())
		err = r.Receive(v.Response, v.Token)
		if tt.want == 0 {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		} else {
			expectAnswer(t, v, sstp.ResponseConnectRejected, 1, 4, 18, byte(tt.want))
			expectRefusal(t, err, tt.want)
		}
		if gate.State() != StateAuthenticated {
			t.Fatalf("%s: state %v", tt.name, gate.State())
		}
	}
	if c.relay.identities[second] != accountURL {
		t.Error("the identity is not registered")
	}
}

func TestWrongDeviceKey(t *testing.T) {
	c := registered(t)
	c.device.Key = sharedKey(t, KeySize)
	gate, login, v := c.connect(t)
	expectAnswer(t, v, sstp.ResponseAuthenticationFailed, 1, 4, 4)
	if _, err := login.Receive(v.Response, v.Token); !errors.Is(err, ErrAuthenticationFailed) {
		t.Error(err)
	}
	if gate.State() != StateFailed {
		t.Errorf("state %v", gate.State())
	}
}

func TestKeyOfAnotherSize(t *testing.T) {
	// The relay takes the size of the key that it has (wire profile 1),
	// and an IV of another size is a failure like any other.
	c := registered(t)
	c.relay.devices[deviceURL] = DeviceRecord{Key: sharedKey(t, 20), AccountURLs: []string{accountURL}}
	_, _, v := c.connect(t)
	expectAnswer(t, v, sstp.ResponseAuthenticationFailed, 1, 4, 4)
	c.device.Key = c.relay.devices[deviceURL].Key
	c.authenticated(t)
}

func TestReplayedTokens(t *testing.T) {
	c := registered(t)
	_, login, v := c.connect(t)
	first, err := login.Receive(v.Response, v.Token)
	if err != nil {
		t.Fatal(err)
	}
	// The thief has heard a whole exchange and plays it to a new connection.
	login, challenge, err := NewLogin(DeviceLayer, c.device.Key)
	if err != nil {
		t.Fatal(err)
	}
	heard := NewGate(c.relay, relayKey(t))
	v = heard.Connect([]string{deviceURL}, challenge)
	proof, err := login.Receive(v.Response, v.Token)
	if err != nil {
		t.Fatal(err)
	}
	for _, replayed := range [][]byte{first, proof} {
		gate := NewGate(c.relay, relayKey(t))
		gate.Connect([]string{deviceURL}, challenge)
		if gate.State() != StateChallenged {
			t.Fatalf("state %v", gate.State())
		}
		expectClose(t, gate.ConnectAuthenticate(replayed), sstp.ActCloseConnection, sstp.ReasonDeviceAuthenticationFailed)
		if gate.State() != StateFailed {
			t.Errorf("state %v", gate.State())
		}
	}

	// The same for an account.
	gate := c.authenticated(t)
	login, challenge, err = NewLogin(AccountLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	v = gate.Attach(1, accountURL, challenge)
	if proof, err = login.Receive(v.Response, v.Token); err != nil {
		t.Fatal(err)
	}
	gate.Attach(2, accountURL, challenge)
	_, v = gate.AttachAuthenticate(2, proof)
	expectClose(t, v, sstp.ActCloseSession, sstp.ReasonStaleAttachAuthenticate)
	if gate.Attached(accountURL) || gate.State() != StateAuthenticated {
		t.Errorf("attached %v, state %v", gate.Attached(accountURL), gate.State())
	}
}

func TestReplayedRegistration(t *testing.T) {
	c := newClient(t)
	r := c.newAccount(t)
	if err := c.register(t, r); err != nil {
		t.Fatal(err)
	}
	thief := &client{c.relay, newPrincipal(t, "dpp:///thief", 1), c.account}
	// The whole token, on a connection of the thief's device.
	expectRefusal(t, thief.register(t, r), RefusedMalformed)
	// The proof of the account, which names the other device.
	heard, err := RegisterAccountOnDevice(relayKey(t).Public(), c.device, c.account)
	if err != nil {
		t.Fatal(err)
	}
	outer := &DeviceAccountRegister{}
	if err := parseInto(heard.Token(), outer); err != nil {
		t.Fatal(err)
	}
	stolen, err := registerDevice(relayKey(t).Public(), thief.device, outer.Nested)
	if err != nil {
		t.Fatal(err)
	}
	expectRefusal(t, thief.register(t, stolen), RefusedKey)
}

func TestLockedOut(t *testing.T) {
	c := registered(t)
	gate := c.authenticated(t)
	c.relay.lockAccount(accountURL)
	login, challenge, err := NewLogin(AccountLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	v := gate.Attach(1, accountURL, challenge)
	expectAnswer(t, v, sstp.ResponseAuthenticationFailed, 1, 4, 8)
	if _, err := login.Receive(v.Response, v.Token); !errors.Is(err, ErrAuthenticationFailed) {
		t.Error(err)
	}
	second := &client{c.relay, newPrincipal(t, deviceURL+"2", 1), c.account}
	r, err := RegisterAccountOnDevice(relayKey(t).Public(), second.device, c.account)
	if err != nil {
		t.Fatal(err)
	}
	expectRefusal(t, second.register(t, r), RefusedUser)

	c.relay.lockDevice(deviceURL)
	gate, _, v = c.connect(t)
	expectAnswer(t, v, sstp.ResponseConnectRejected)
	if gate.State() != StateFailed {
		t.Errorf("state %v", gate.State())
	}
	// As one source among several, too.
	gate = NewGate(c.relay, relayKey(t))
	expectAnswer(t, gate.Connect([]string{"dpp:///other", deviceURL}, nil), sstp.ResponseConnectRejected)
}

func TestWrongAccountKey(t *testing.T) {
	c := registered(t)
	gate := c.authenticated(t)
	login, challenge, err := NewLogin(AccountLayer, sharedKey(t, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	v := gate.Attach(1, accountURL, challenge)
	expectAnswer(t, v, sstp.ResponseAuthenticationFailed, 1, 4, 8)
	if _, err := login.Receive(v.Response, v.Token); !errors.Is(err, ErrAuthenticationFailed) {
		t.Error(err)
	}
	// The device layer's token is not the account layer's.
	_, challenge, err = NewLogin(DeviceLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	expectClose(t, gate.Attach(1, accountURL, challenge), sstp.ActCloseSession, sstp.ReasonProtocolError)
}

func TestImpostorRelay(t *testing.T) {
	c := registered(t)
	impostor := newLedger()
	impostor.devices[deviceURL] = DeviceRecord{Key: sharedKey(t, KeySize), AccountURLs: []string{accountURL}}

	login, token, err := NewLogin(DeviceLayer, c.device.Key)
	if err != nil {
		t.Fatal(err)
	}
	challenge := &Challenge{}
	if err := parseInto(token, challenge); err != nil {
		t.Fatal(err)
	}
	// It has heard a response of the genuine relay and puts its own nonce in.
	genuine, _, err := respond(challenge, c.device.Key)
	if err != nil {
		t.Fatal(err)
	}
	genuine.EncryptedRelayNonce[0] ^= 1
	forged, err := Append(nil, genuine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := login.Receive(sstp.ResponseOk, forged); !errors.Is(err, ErrNotGenuine) {
		t.Error(err)
	}
	if _, err := login.Receive(sstp.ResponseOk, forged); !errors.Is(err, errOutOfOrder) {
		t.Errorf("a second answer: %v", err)
	}
	// It plays a response of the genuine relay to another challenge.
	login, _, err = NewLogin(DeviceLayer, c.device.Key)
	if err != nil {
		t.Fatal(err)
	}
	genuine.EncryptedRelayNonce[0] ^= 1
	old, err := Append(nil, genuine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := login.Receive(sstp.ResponseOk, old); !errors.Is(err, ErrNotGenuine) {
		t.Error(err)
	}
	// It claims to have registered the client.
	r := c.newAccount(t)
	claim := answer(sstp.ResponseOk, &RegisterResponse{MAC: sharedKey(t, KeySize).MAC(r.Token())}, nil)
	if err := r.Receive(claim.Response, claim.Token); !errors.Is(err, ErrNotGenuine) {
		t.Error(err)
	}
}

// TestBothHalvesOfAProof takes a good MAC with a wrong nonce, and the reverse.
func TestBothHalvesOfAProof(t *testing.T) {
	c := registered(t)
	for _, alter := range []func(*Answer){
		func(a *Answer) { flipLast(a.MAC) },
		func(a *Answer) { flipLast(a.RelayNonce) },
		func(a *Answer) { a.RelayNonce = nil },
		func(a *Answer) { a.MAC = a.MAC[:10] },
	} {
		gate, login, v := c.connect(t)
		token, err := login.Receive(v.Response, v.Token)
		if err != nil {
			t.Fatal(err)
		}
		proof := &Answer{}
		if err := parseInto(token, proof); err != nil {
			t.Fatal(err)
		}
		alter(proof)
		if token, err = Append(nil, proof); err != nil {
			t.Fatal(err)
		}
		expectClose(t, gate.ConnectAuthenticate(token), sstp.ActCloseConnection, sstp.ReasonDeviceAuthenticationFailed)
	}
	for _, alter := range []func(*Response){
		func(r *Response) { flipLast(r.MAC) },
		func(r *Response) { flipLast(r.Nonce) },
		func(r *Response) { r.IV = r.IV[1:] },
		func(r *Response) { r.EncryptedRelayNonce = r.EncryptedRelayNonce[1:] },
	} {
		_, login, v := c.connect(t)
		response := &Response{}
		if err := parseInto(v.Token, response); err != nil {
			t.Fatal(err)
		}
		alter(response)
		token, err := Append(nil, response)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := login.Receive(v.Response, token); !errors.Is(err, ErrNotGenuine) {
			t.Error(err)
		}
	}
}
