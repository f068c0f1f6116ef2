package auth

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"furrow/appliance/keys"
	"furrow/sstp"
)

// TestRefusedRegistrations changes one thing at a time in a good registration of
// a new device and account.
func TestRefusedRegistrations(t *testing.T) {
	base := newClient(t)
	private := relayKey(t)
	encrypted := func(secret []byte) []byte {
		t.Helper()
		c, err := private.Public().Encrypt(secret)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, tt := range []struct {
		name    string
		prepare func(*ledger)
		account func(*AccountRegister) // before it is signed
		nested  func([]byte) []byte
		device  func(*DeviceAccountRegister) // before it is signed
		token   func([]byte) []byte
		want    RefusalReason // 0 for Close with closing
		closing sstp.Reason
	}{
		{name: "no token", token: func([]byte) []byte { return nil }, want: RefusedMalformed},
		{name: "cut", token: func(b []byte) []byte { return b[:len(b)-1] }, want: RefusedMalformed},
		{name: "major version 2", token: func(b []byte) []byte { b[0] = 2; return b }, want: RefusedMalformed},
		{name: "nested message outside", token: func(b []byte) []byte { b[2] = byte(IDRegisterFailed); return b[:4] }, want: RefusedMalformed},
		{name: "minor version signed", token: func(b []byte) []byte { b[1] = 4; return b }, want: RefusedKey},
		{name: "other device", device: func(d *DeviceAccountRegister) { d.DeviceURL = "dpp:///other" }, want: RefusedMalformed},
		{name: "account URL", account: func(a *AccountRegister) { a.AccountURL = "dpp:///x" }, want: RefusedMalformed},
		{name: "identity URL", account: func(a *AccountRegister) { a.IdentityURLs = []string{identityURL, ""} }, want: RefusedMalformed},
		{name: "unknown user", account: func(a *AccountRegister) { a.UserPreAuthToken = "nobody" }, want: RefusedUser},
		{name: "disabled user", prepare: func(l *ledger) { l.users[HashUser(userToken)] = false }, want: RefusedUser},
		{name: "unknown user with bad signature", account: func(a *AccountRegister) { a.UserPreAuthToken = "" }, token: flipLast, want: RefusedUser},
		{name: "device signature", token: flipLast, want: RefusedKey},
		{name: "account signature", nested: flipLast, want: RefusedKey},
		{name: "device signature algorithm", device: func(d *DeviceAccountRegister) { d.PublicKeys.SignatureAlgorithm = "DSA" }, want: RefusedKey},
		{name: "account signature key", account: func(a *AccountRegister) { a.PublicKeys.SignatureKey = []byte{1} }, want: RefusedKey},
		{name: "device encryption key", device: func(d *DeviceAccountRegister) { d.PublicKeys.EncryptionKey = []byte{1} }, want: RefusedKey},
		{name: "device key not encrypted", device: func(d *DeviceAccountRegister) { d.EncryptedDeviceKey = base.device.Key.Bytes() }, want: RefusedKey},
		{name: "device key of wrong padding", device: func(d *DeviceAccountRegister) { d.EncryptedDeviceKey = make([]byte, 256) }, want: RefusedKey},
		{name: "device key of 23 octets", device: func(d *DeviceAccountRegister) { d.EncryptedDeviceKey = encrypted(make([]byte, 23)) }, want: RefusedKey},
		{name: "device key that was not used", device: func(d *DeviceAccountRegister) { d.EncryptedDeviceKey = encrypted(make([]byte, 24)) }, want: RefusedKey},
		{name: "account key of wrong padding", account: func(a *AccountRegister) { a.EncryptedAccountKey = make([]byte, 256) }, want: RefusedKey},
		{name: "account key of 23 octets", account: func(a *AccountRegister) { a.EncryptedAccountKey = encrypted(make([]byte, 23)) }, want: RefusedKey},
		{name: "account key of 25 octets", account: func(a *AccountRegister) { a.EncryptedAccountKey = encrypted(make([]byte, 25)) }, want: RefusedKey},
		{
			name: "account bound", want: RefusedBound,
			prepare: func(l *ledger) { l.accounts[accountURL] = AccountRecord{Key: sharedKey(t, KeySize)} },
		},
		{
			name: "same account again",
			prepare: func(l *ledger) {
				l.accounts[accountURL] = AccountRecord{Key: base.account.Key}
			},
			want: 0, closing: sstp.ReasonNone,
		},
		{name: "nested empty", nested: func([]byte) []byte { return nil }, closing: sstp.ReasonProtocolError},
		{name: "nested cut", nested: func(b []byte) []byte { return b[:len(b)-1] }, closing: sstp.ReasonProtocolError},
		{name: "nested of another kind", nested: func([]byte) []byte { return []byte{1, 4, byte(IDRegisterFailed), 1} }, closing: sstp.ReasonProtocolError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &client{newLedger(), base.device, base.account}
			if tt.prepare != nil {
				tt.prepare(c.relay)
			}
			token := c.alteredRegistration(t, tt.account, tt.nested, tt.device)
			if tt.token != nil {
				token = tt.token(token)
			}
			gate, _, v := c.connect(t)
			expectAnswer(t, v, sstp.ResponseOk, 1, 4, 3)
			v = gate.Register(token)
			switch {
			case tt.want != 0:
				expectAnswer(t, v, sstp.ResponseConnectRejected, 1, 4, 18, byte(tt.want))
			case tt.closing != sstp.ReasonNone:
				expectClose(t, v, sstp.ActCloseSession, tt.closing)
			default:
				if v.Err != nil || gate.State() != StateRegistered {
					t.Errorf("%+v", v)
				}
				return
			}
			if v.Err == nil {
				t.Error("nothing for the log")
			}
			if gate.State() != StateFailed || !c.relay.devices[deviceURL].Key.IsZero() {
				t.Errorf("state %v, device %+v", gate.State(), c.relay.devices[deviceURL])
			}
			expectClose(t, gate.Register(token), sstp.ActCloseConnection, sstp.ReasonProtocolError)
		})
	}
}

func flipLast(b []byte) []byte {
	b[len(b)-1] ^= 1
	return b
}

func (c *client) alteredRegistration(t *testing.T, account func(*AccountRegister), nested func([]byte) []byte, device func(*DeviceAccountRegister)) []byte {
	t.Helper()
	outer, inner := &DeviceAccountRegister{}, &AccountRegister{}
	if err := parseInto(c.newAccount(t).Token(), outer); err != nil {
		t.Fatal(err)
	}
	if err := parseInto(outer.Nested, inner); err != nil {
		t.Fatal(err)
	}
	if account != nil {
		account(inner)
	}
	var err error
	if outer.Nested, err = appendSigned(inner, &inner.seal, c.account.Signature); err != nil {
		t.Fatal(err)
	}
	if nested != nil {
		outer.Nested = nested(outer.Nested)
	}
	if device != nil {
		device(outer)
	}
	token, err := appendSigned(outer, &outer.seal, c.device.Signature)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestUnknownAccountOnNewDevice(t *testing.T) {
	c := newClient(t)
	r, err := RegisterAccountOnDevice(relayKey(t).Public(), c.device, c.account)
	if err != nil {
		t.Fatal(err)
	}
	expectRefusal(t, c.register(t, r), RefusedUser)

	c = registered(t)
	c.device = newPrincipal(t, deviceURL+"2", 1)
	c.account.Key = sharedKey(t, KeySize)
	if r, err = RegisterAccountOnDevice(relayKey(t).Public(), c.device, c.account); err != nil {
		t.Fatal(err)
	}
	expectRefusal(t, c.register(t, r), RefusedKey)
}

func TestConnect(t *testing.T) {
	c := registered(t)
	_, good, err := NewLogin(DeviceLayer, c.device.Key)
	if err != nil {
		t.Fatal(err)
	}
	const orphan = "dpp:///orphan"
	c.relay.devices[orphan] = DeviceRecord{Key: c.device.Key}
	for _, tt := range []struct {
		name    string
		sources []string
		token   []byte
		want    State
		failing bool
	}{
		{"known device", []string{deviceURL}, good, StateChallenged, false},
		{"first device counts", []string{relayURL, deviceURL, "dpp:///unknown"}, good, StateChallenged, false},
		{"unknown device", []string{"dpp:///unknown"}, good, StateUnregistered, false},
		{"device without account", []string{orphan}, good, StateFailed, true},
		{"device without token", []string{deviceURL}, nil, StateFailed, true},
		{"unknown device without token", []string{"dpp:///unknown"}, nil, StateFailed, true},
		{"relay", []string{relayURL}, nil, StateRelay, false},
		{"relay with token", []string{relayURL}, good, StateFailed, true},
		{"neither", []string{"http://x"}, nil, StateFailed, true},
		{"relay and neither", []string{relayURL, "DPP://x"}, nil, StateFailed, true},
		{"nobody", nil, nil, StateFailed, true},
		{"cut token", []string{deviceURL}, good[:len(good)-1], StateFailed, true},
		{"other major version", []string{deviceURL}, append([]byte{2}, good[1:]...), StateFailed, true},
		{"other message", []string{deviceURL}, append([]byte{1, 4, 6}, good[3:]...), StateFailed, true},
		{"changed nonce", []string{deviceURL}, flipLast(bytes.Clone(good)), StateFailed, true},
	} {
		gate := NewGate(c.relay, relayKey(t))
		v := gate.Connect(tt.sources, tt.token)
		if gate.State() != tt.want || (v.Err != nil) != tt.failing {
			t.Errorf("%s: state %v, %+v, want %v", tt.name, gate.State(), v, tt.want)
		}
		if tt.failing {
			expectAnswer(t, v, sstp.ResponseAuthenticationFailed, 1, 4, 4)
		}
	}
}

// TestOutOfOrder tries in every state what does not belong there.
func TestOutOfOrder(t *testing.T) {
	c := registered(t)
	_, challenge, err := NewLogin(DeviceLayer, c.device.Key)
	if err != nil {
		t.Fatal(err)
	}
	const connect, authenticate, attach, answer, register = 1, 2, 4, 8, 16
	states := []struct {
		state   State
		allowed int
		reach   func() *Gate
	}{
		{StateNew, connect, func() *Gate { return NewGate(c.relay, relayKey(t)) }},
		{StateRelay, 0, func() *Gate { g := NewGate(c.relay, relayKey(t)); g.Connect([]string{relayURL}, nil); return g }},
		{StateUnregistered, register, func() *Gate {
			g := NewGate(c.relay, relayKey(t))
			g.Connect([]string{"dpp:///unknown"}, challenge)
			return g
		}},
		{StateChallenged, authenticate, func() *Gate { g, _, _ := c.connect(t); return g }},
		{StateAuthenticated, attach | answer | register, func() *Gate { return c.authenticated(t) }},
		{StateFailed, 0, func() *Gate { g := NewGate(c.relay, relayKey(t)); g.Connect(nil, nil); return g }},
	}
	for _, s := range states {
		for command, send := range map[int]func(*Gate) sstp.Verdict{
			connect:      func(g *Gate) sstp.Verdict { return g.Connect([]string{deviceURL}, challenge) },
			authenticate: func(g *Gate) sstp.Verdict { return g.ConnectAuthenticate(challenge) },
			attach:       func(g *Gate) sstp.Verdict { return g.Attach(1, accountURL, challenge) },
			answer:       func(g *Gate) sstp.Verdict { _, v := g.AttachAuthenticate(1, challenge); return v },
			register:     func(g *Gate) sstp.Verdict { return g.Register(challenge) },
		} {
			if s.allowed&command != 0 {
				continue
			}
			gate := s.reach()
			if gate.State() != s.state {
				t.Fatalf("state %v, want %v", gate.State(), s.state)
			}
			v := send(gate)
			expectClose(t, v, sstp.ActCloseConnection, sstp.ReasonProtocolError)
			if !errors.Is(v.Err, errState) || gate.State() != StateFailed {
				t.Errorf("command %d in state %v: state %v, %v", command, s.state, gate.State(), v.Err)
			}
		}
	}

	// An identity before its device.
	r, err := RegisterIdentity(c.account, identityURL, userToken)
	if err != nil {
		t.Fatal(err)
	}
	expectClose(t, states[2].reach().Register(r.Token()), sstp.ActCloseConnection, sstp.ReasonProtocolError)
}

func TestAttachSessions(t *testing.T) {
	c := registered(t)
	gate := c.authenticated(t)
	login, challenge, err := NewLogin(AccountLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	v := gate.Attach(1, accountURL, challenge)
	proof, err := login.Receive(v.Response, v.Token)
	if err != nil {
		t.Fatal(err)
	}
	if _, v := gate.AttachAuthenticate(1, proof[:3]); !isParseError(v.Err) {
		t.Errorf("%+v", v)
	}
	for event := range uint32(maxAttachments) {
		if v := gate.Attach(event, accountURL, challenge); v.Response != sstp.ResponseOk || v.Err != nil {
			t.Fatalf("attach session %d: %+v", event, v)
		}
	}
	expectClose(t, gate.Attach(maxAttachments, accountURL, challenge), sstp.ActCloseSession, sstp.ReasonInternalError)
	gate.Detach(0)
	login, challenge, err = NewLogin(AccountLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	v = gate.Attach(0, accountURL, challenge)
	if proof, err = login.Receive(v.Response, v.Token); err != nil {
		t.Fatal(err)
	}
	if _, v := gate.AttachAuthenticate(0, proof); v.Action != sstp.ActProceed {
		t.Fatalf("%+v", v)
	}
	_, v = gate.AttachAuthenticate(0, proof)
	expectClose(t, v, sstp.ActCloseSession, sstp.ReasonProtocolError)
	if gate.Attached(accountURL) {
		t.Error("still attached")
	}
	expectClose(t, gate.Attach(5, accountURL, challenge), sstp.ActCloseConnection, sstp.ReasonTooManyUnknownSessionCmds)

	gate = c.authenticated(t)
	_, v = gate.AttachAuthenticate(9, proof)
	expectClose(t, v, sstp.ActCloseConnection, sstp.ReasonTooManyUnknownSessionCmds)
}

func TestRelayThatCannotTell(t *testing.T) {
	c := registered(t)
	gate := c.authenticated(t)
	_, challenge, err := NewLogin(AccountLayer, c.account.Key)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := RegisterIdentity(c.account, identityURL, userToken)
	if err != nil {
		t.Fatal(err)
	}
	c.relay.unwritable = errBroken
	for _, r := range []*Registering{identity, c.newAccount(t)} {
		v := gate.Register(r.Token())
		expectClose(t, v, sstp.ActCloseSession, sstp.ReasonInternalError)
		if !errors.Is(v.Err, errBroken) {
			t.Error(v.Err)
		}
	}
	c.relay.broken = fmt.Errorf("looking: %w", errBroken)
	for _, v := range []sstp.Verdict{
		gate.Attach(1, accountURL, challenge),
		gate.Register(identity.Token()),
		gate.Register(c.newAccount(t).Token()),
	} {
		expectClose(t, v, sstp.ActCloseSession, sstp.ReasonInternalError)
		if !errors.Is(v.Err, errBroken) {
			t.Error(v.Err)
		}
	}
	gate, login, v := c.connect(t)
	expectAnswer(t, v, sstp.ResponseTryLater)
	if gate.State() != StateFailed || !errors.Is(v.Err, errBroken) {
		t.Errorf("state %v, %v", gate.State(), v.Err)
	}
	if _, err := login.Receive(v.Response, v.Token); err == nil || errors.Is(err, ErrAuthenticationFailed) {
		t.Errorf("the client takes it for %v", err)
	}
}

func TestUnexpectedAnswers(t *testing.T) {
	c := newClient(t)
	for _, tt := range []struct {
		name     string
		response sstp.ResponseID
		token    []byte
	}{
		{"registration needed of the other layer", sstp.ResponseOk, []byte{1, 4, 10}},
		{"failure of the other layer", sstp.ResponseAuthenticationFailed, []byte{1, 4, 8}},
		{"registration needed but not Ok", sstp.ResponseAuthenticationFailed, []byte{1, 4, 3}},
		{"another message", sstp.ResponseOk, []byte{1, 4, 18, 1}},
		{"nonsense", sstp.ResponseOk, []byte("nonsense")},
	} {
		login, _, err := NewLogin(DeviceLayer, c.device.Key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := login.Receive(tt.response, tt.token); err == nil || errors.Is(err, ErrRegistrationNeeded) || errors.Is(err, ErrAuthenticationFailed) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, tt := range []struct {
		name     string
		response sstp.ResponseID
		token    []byte
	}{
		{"another message", sstp.ResponseOk, []byte{1, 4, 4}},
		{"registered but not Ok", sstp.ResponseConnectRejected, []byte{1, 4, 13, 0, 0, 0, 0}},
		{"no token", sstp.ResponseTryLater, nil},
	} {
		err := c.newAccount(t).Receive(tt.response, tt.token)
		if !errors.Is(err, errOutOfOrder) && !isParseError(err) {
			t.Errorf("registering, %s: %v", tt.name, err)
		}
	}
}

func TestKeyToRegisterMustFit(t *testing.T) {
	c := newClient(t)
	c.device.Key = sharedKey(t, 16)
	if _, err := RegisterAccount(relayKey(t).Public(), c.device, c.account, userToken, nil); err == nil {
		t.Error("a device key of 16 octets was sent")
	}
}

// FuzzGate sends whatever comes to a Gate in each of its states. Nobody without
// the keys gets further than being challenged or asked to register.
func FuzzGate(f *testing.F) {
	for _, g := range goldens {
		f.Add(g.bytes(f), uint8(0), uint32(1))
		f.Add(g.bytes(f), uint8(1), uint32(1))
		f.Add(g.bytes(f), uint8(2), uint32(1))
	}
	relay := newLedger()
	key, err := keys.NewSharedKey(make([]byte, KeySize)) // the same in every run
	if err != nil {
		f.Fatal(err)
	}
	relay.devices[deviceURL] = DeviceRecord{Key: key, AccountURLs: []string{accountURL}}
	relay.accounts[accountURL] = AccountRecord{Key: sharedKey(f, KeySize)}
	private := relayKey(f)
	f.Fuzz(func(t *testing.T, token []byte, kind uint8, event uint32) {
		gate := NewGate(relay, private)
		login, challenge, err := NewLogin(DeviceLayer, key)
		if err != nil {
			t.Fatal(err)
		}
		switch kind % 4 {
		case 0: // a stranger
			gate.Connect([]string{"dpp:///stranger"}, challenge)
			gate.Register(token)
		case 1: // a thief of the device's name
			gate.Connect([]string{deviceURL}, token)
			gate.ConnectAuthenticate(token)
		case 2: // between challenge and answer
			gate.Connect([]string{deviceURL}, challenge)
			gate.ConnectAuthenticate(token)
		case 3: // the device, but not the account
			v := gate.Connect([]string{deviceURL}, challenge)
			proof, err := login.Receive(v.Response, v.Token)
			if err != nil {
				t.Fatal(err)
			}
			gate.ConnectAuthenticate(proof)
			gate.Attach(event, accountURL, token)
			gate.Register(token)
			gate.AttachAuthenticate(event, token)
			if gate.Attached(accountURL) {
				t.Fatal("attached")
			}
			return
		}
		if s := gate.State(); s == StateAuthenticated || s == StateRegistered {
			t.Fatalf("state %v", s)
		}
	})
}

func TestNamesInLogs(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{
		StateNew: "new", StateRelay: "relay", StateUnregistered: "unregistered", StateRegistered: "registered",
		StateChallenged: "challenged", StateAuthenticated: "authenticated", StateFailed: "failed", State(99): "State(99)",
		RefusedUser: "token not known or user disabled", RefusedKey: "bad signature or key",
		RefusedBound: "URL already bound to other keys", RefusedMalformed: "malformed", RefusalReason(9): "reason 9",
	} {
		if got.String() != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

func TestRefusedRegistrationsAreFew(t *testing.T) {
	c := registered(t)
	gate := c.authenticated(t)
	c.account = newPrincipal(t, accountURL+"2", 2)
	token := c.alteredRegistration(t, func(a *AccountRegister) { a.EncryptedAccountKey = make([]byte, 256) }, nil, nil)
	for range maxRefused - 1 {
		expectAnswer(t, gate.Register(token), sstp.ResponseConnectRejected, 1, 4, 18, byte(RefusedKey))
	}
	expectClose(t, gate.Register(token), sstp.ActCloseConnection, sstp.ReasonProtocolError)
	if gate.State() != StateFailed {
		t.Errorf("state %v", gate.State())
	}
}

func TestKnownAccountThatIsNotOnTheDevice(t *testing.T) {
	c := registered(t)
	const elsewhere = accountURL + "2"
	key := sharedKey(t, KeySize)
	c.relay.accounts[elsewhere] = AccountRecord{Key: key}
	_, challenge, err := NewLogin(AccountLayer, key)
	if err != nil {
		t.Fatal(err)
	}
	expectAnswer(t, c.authenticated(t).Attach(1, elsewhere, challenge), sstp.ResponseOk, 1, 4, 10)
}

func TestNonceOfAnotherSize(t *testing.T) {
	c := registered(t)
	for _, size := range []int{0, nonceSize - 1, nonceSize + 1} {
		nonce := make([]byte, size)
		iv, encrypted, err := c.device.Key.Encrypt(nonce)
		if err != nil {
			t.Fatal(err)
		}
		token, err := Append(nil, &Challenge{IV: iv, MAC: c.device.Key.MAC(nonce), EncryptedNonce: encrypted})
		if err != nil {
			t.Fatal(err)
		}
		gate := NewGate(c.relay, relayKey(t))
		expectAnswer(t, gate.Connect([]string{deviceURL}, token), sstp.ResponseAuthenticationFailed, 1, 4, 4)
	}
}
