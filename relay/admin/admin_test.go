package admin

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spmr"
	"furrow/relay/registry"
	"furrow/sstp/auth"
)

// TestMethods follows a manager through all methods (MS-GRVSPMR 4.2 to 4.4).
func TestMethods(t *testing.T) {
	b := newBox(t)
	if epoch := b.register(t); epoch != 0 {
		t.Errorf("3.2.4.1: epoch %d before the first build", epoch)
	}
	if epoch := b.ok(t, spmr.MethodRelayQuiescent, &spmr.RelayQuiescent{Inactive: true}); epoch == 0 || !b.Quiescent() {
		t.Errorf("3.2.4.4: epoch %d, quiescent %v", epoch, b.Quiescent())
	}
	if epoch := b.ok(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"U", "V"}}); epoch == 0 {
		t.Error("3.2.4.5: epoch 0 in a build")
	}
	if epoch := b.ok(t, spmr.MethodRelayQuiescent, &spmr.RelayQuiescent{}); epoch == 0 || b.Quiescent() {
		t.Errorf("3.2.4.4: epoch %d, quiescent %v", epoch, b.Quiescent())
	}
	b.ok(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"W"}})
	if got := b.users(); !slices.Equal(got, []string{"U", "V", "W"}) {
		t.Errorf("3.2.4.5: users %v", got)
	}
	b.ok(t, spmr.MethodAccountModify, &spmr.AccountModify{Users: []spmr.UserLockout{{UserID: "u", LockedOut: true}, {UserID: "v"}}})
	if got := b.users(); !slices.Equal(got, []string{"V", "W"}) {
		t.Errorf("3.2.4.7: enabled users %v", got)
	}
	b.ok(t, spmr.MethodAccountModify, &spmr.AccountModify{Users: []spmr.UserLockout{{UserID: "U"}}})
	b.ok(t, spmr.MethodRelayDefault, &spmr.RelayDefault{DeviceLifetime: 1, DeviceQuota: 2, IdentityLifetime: 3, IdentityQuota: -4, QuotaEnabled: true})
	want := registry.Settings{DeviceLifetime: 1, DeviceQuota: 2, IdentityLifetime: 3, IdentityQuota: registry.DefaultSettings().IdentityQuota, QuotaEnabled: true}
	if got := b.Settings(); got != want {
		t.Errorf("3.2.4.3: settings %+v, want %+v", got, want)
	}
	if epoch := b.register(t); epoch == 0 {
		t.Error("3.2.4.1: epoch 0 after the build")
	}

	device, err := keys.GenerateSharedKey(auth.KeySize)
	must(t, err)
	public := auth.NewPublicKeys(managerSet().Encryption.Public(), managerSet().Signature.Public())
	must(t, b.Register(auth.Registration{
		DeviceURL: "dpp:///d", DeviceKey: device, DevicePublicKeys: public, AccountURL: "grooveAccount://a",
		NewAccount: &auth.NewAccount{Key: device, PublicKeys: public, User: auth.HashUser("U"), IdentityURLs: []string{"grooveIdentity://i@"}},
	}))
	b.ok(t, spmr.MethodUserPurge, &spmr.UserPurge{UserIDs: []string{"u", "V"}})
	if got := b.purger.purged; len(got) != 1 || len(got[0]) != 1 || got[0][0].AccountURL != "grooveAccount://a" || !got[0][0].Devices {
		t.Errorf("3.2.4.6: purged %+v", got)
	}
	if len(b.users()) != 3 {
		t.Error("3.2.4.6: a purge deletes users")
	}
}

// TestFaults has a row for every fault code, and for every check behind it.
func TestFaults(t *testing.T) {
	b := newBox(t)
	b.build(t, "U")
	sound := b.secured(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"X"}})
	fragment := func(h spmr.Header, key keys.SharedKey) []byte {
		data, err := spmr.Secure(h, key, (&spmr.UserAdd{UserIDs: []string{"X"}}).Encode(), soap.RelayMACs()[0])
		must(t, err)
		return data
	}
	strange, err := keys.GenerateSharedKey(spmr.SharedKeySize)
	must(t, err)
	strangeRegistration, _ := registrationOf(t, managerName, strangerSet())
	unknownRegistration, _ := registrationOf(t, "other.example.com/gms.dll", managerSet())
	mixed := registrationWith(t, managerSet(), strangerSet())
	otherRelay, err := spmr.SealRegistration(managerName, managerSet(), strangerSet().Encryption.Public(), strange)
	must(t, err)

	for _, test := range []struct {
		section     string
		contentType string
		method      string
		body        []byte
		want        soap.Code
	}{
		{"2.2.2.2.4 no Content-Type", "", spmr.MethodUserAdd, sound, spmr.CodeContentType},
		{"2.2.2.2.4 no body", "text/xml", spmr.MethodUserAdd, nil, spmr.CodeNoInput},
		{"2.2.2 no XML", "text/xml", spmr.MethodUserAdd, []byte("userAdd"), spmr.CodeInvalidInput},
		{"2.2.2 no envelope", "text/xml", spmr.MethodUserAdd, []byte("<a><b><userAdd/></b></a>"), spmr.CodeInvalidInput},
		{"2.2.2.2.5 no Version", "text/xml", spmr.MethodUserAdd, replace(t, sound, "Version", "Versiom"), spmr.CodeInvalidInput},
		{"2.2.2.2.5 no Payload", "text/xml", spmr.MethodUserAdd, replace(t, sound, "<Payload data", "<Paylord data"), spmr.CodePayloadMissing},
		{"2.2.2.2.3 no data", "text/xml", spmr.MethodUserAdd, replace(t, sound, "<Payload data", "<Payload date"), spmr.CodePayloadMissing},
		{"2.2.2.2.3 data no base64", "text/xml", spmr.MethodUserAdd, replace(t, sound, `<Payload data="`, `<Payload data="?`), spmr.CodeInvalidInput},
		{"3.1.1.1 unknown method", "text/xml", spmr.MethodUserAdd, replace(t, sound, "userAdd>", "userDelete>"), spmr.CodeMethod},
		{"3.1.1.3 another Method", "text/xml", spmr.MethodUserAdd, envelope(spmr.MethodUserAdd, fragment(header(spmr.MethodUserPurge), b.key)), spmr.CodeMethod},
		{"3.2.4.2.1 no fragment", "text/xml", spmr.MethodUserAdd, envelope(spmr.MethodUserAdd, []byte("fragment")), spmr.CodeInvalidInput},
		{"3.2.4.2.1 no ManagementServer", "text/xml", spmr.MethodUserAdd, envelope(spmr.MethodUserAdd, replace(t, fragment(header(spmr.MethodUserAdd), b.key), "ManagementServer", "Server")), spmr.CodeMissingInput},
		{"3.2.4.2.1 unknown manager", "text/xml", spmr.MethodUserAdd, envelope(spmr.MethodUserAdd, fragment(spmr.Header{ManagementServer: "other/gms.dll", Method: spmr.MethodUserAdd}, b.key)), spmr.CodeRegister},
		{"3.2.4.2.2 another key", "text/xml", spmr.MethodUserAdd, envelope(spmr.MethodUserAdd, fragment(header(spmr.MethodUserAdd), strange)), spmr.CodeDecryption},
		{"3.2.4.2.2 another spelling of the name is signed", "text/xml", spmr.MethodUserAdd, envelope(spmr.MethodUserAdd, replace(t, fragment(header(spmr.MethodUserAdd), b.key), "groove.example", "GROOVE.example")), spmr.CodeDecryption},
		{"2.2.3.10.1 another root", "text/xml", spmr.MethodUserAdd, b.securedBytes(t, spmr.MethodUserAdd, []byte("<userPurge/>")), spmr.CodeInvalidInput},
		{"2.2.3.10.1 no users", "text/xml", spmr.MethodUserAdd, b.securedBytes(t, spmr.MethodUserAdd, []byte(`<userAdd rowCount="0"/>`)), spmr.CodeNoInput},
		{"2.2.3.10.1 rowCount", "text/xml", spmr.MethodUserAdd, b.securedBytes(t, spmr.MethodUserAdd, []byte(`<userAdd rowCount="2"><user userId="X"/></userAdd>`)), spmr.CodeMissingInput},
		{"2.2.3.6.1 no attributes", "text/xml", spmr.MethodRelayDefault, b.securedBytes(t, spmr.MethodRelayDefault, []byte(`<RelayDefault><relay/></RelayDefault>`)), spmr.CodeMissingInput},
		{"2.2.3.8.1 no relay", "text/xml", spmr.MethodRelayQuiescent, b.securedBytes(t, spmr.MethodRelayQuiescent, []byte(`<RelayQuiescent/>`)), spmr.CodeNoInput},
		{"2.2.3.1.1 lockout", "text/xml", spmr.MethodAccountModify, b.securedBytes(t, spmr.MethodAccountModify, []byte(`<accountModify rowCount="1"><user lockout="x" userId="U"/></accountModify>`)), spmr.CodeInvalidInput},
		{"3.2.4.7 user that is not there", "text/xml", spmr.MethodAccountModify, b.secured(t, spmr.MethodAccountModify, &spmr.AccountModify{Users: []spmr.UserLockout{{UserID: "nobody"}}}), spmr.CodeInvalidInput},
		{"2.2.3.12.1 no userId", "text/xml", spmr.MethodUserPurge, b.securedBytes(t, spmr.MethodUserPurge, []byte(`<userPurge rowCount="1"><user/></userPurge>`)), spmr.CodeMissingInput},
		{"3.2.4.1.3.1 Registration without certificate", "text/xml", spmr.MethodRegistration, envelope(spmr.MethodRegistration, fragment(header(spmr.MethodRegistration), b.key)), spmr.CodeMissingInput},
		{"3.2.4.1.3.3 key for another relay", "text/xml", spmr.MethodRegistration, envelope(spmr.MethodRegistration, otherRelay), spmr.CodeDecryption},
		{"3.2.4.1.3.8 signed by another key", "text/xml", spmr.MethodRegistration, mixed, spmr.CodeDecryption},
		{"3.2.4.1.3.9 keys that were not imported", "text/xml", spmr.MethodRegistration, strangeRegistration, spmr.CodeDecryption},
		{"3.2.3 Registration of an unknown manager", "text/xml", spmr.MethodRegistration, unknownRegistration, spmr.CodeDecryption},
	} {
		t.Run(test.section, func(t *testing.T) {
			sequence := b.store.Snapshot().Sequence()
			_, answer := b.post(t, test.contentType, test.body)
			response, err := soap.DecodeResponse(answer, spmr.MaxResponseSize, test.method, soap.RelayResponse)
			must(t, err)
			if response.Fault == nil || response.Fault.Code != test.want || response.Fault.Text != spmr.FaultText(test.want) {
				t.Errorf("answered with %+v, want fault %d", response.Fault, test.want)
			}
			if b.store.Snapshot().Sequence() != sequence {
				t.Error("something was changed")
			}
		})
	}
	if _, fault := b.tell(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"U"}}); fault != 0 {
		t.Errorf("after all of them the manager is answered with fault %d", fault)
	}

	t.Run("2.2.2.2.4 disabled", func(t *testing.T) {
		b.server.SetEnabled(false)
		if _, fault := b.tellBytes(t, spmr.MethodUserAdd, sound); fault != spmr.CodeDisabled {
			t.Errorf("answered with fault %d", fault)
		}
		b.server.SetEnabled(true)
		if _, fault := b.tellBytes(t, spmr.MethodUserAdd, sound); fault != 0 {
			t.Errorf("enabled again, but answered with fault %d", fault)
		}
	})
	t.Run("3.2.4.2.3 exception", func(t *testing.T) {
		device, err := keys.GenerateSharedKey(auth.KeySize)
		must(t, err)
		public := auth.NewPublicKeys(managerSet().Encryption.Public(), managerSet().Signature.Public())
		must(t, b.Register(auth.Registration{
			DeviceURL: "dpp:///d", DeviceKey: device, DevicePublicKeys: public, AccountURL: "grooveAccount://a",
			NewAccount: &auth.NewAccount{Key: device, PublicKeys: public, User: auth.HashUser("U")},
		}))
		purge := b.secured(t, spmr.MethodUserPurge, &spmr.UserPurge{UserIDs: []string{"U"}})
		b.purger.fail = func() error { return errors.New("disk on fire") }
		if _, fault := b.tellBytes(t, spmr.MethodUserPurge, purge); fault != spmr.CodeException {
			t.Errorf("failure is answered with fault %d", fault)
		}
		b.purger.fail = func() error { panic("in the purger") }
		if _, fault := b.tellBytes(t, spmr.MethodUserPurge, purge); fault != spmr.CodeException {
			t.Errorf("panic is answered with fault %d", fault)
		}
		if log := b.log.String(); !strings.Contains(log, "disk on fire") || !strings.Contains(log, "in the purger") {
			t.Error("the log does not say why")
		}
		b.purger.fail = nil
		if _, fault := b.tellBytes(t, spmr.MethodUserPurge, purge); fault != 0 || len(b.purger.purged) != 1 {
			t.Errorf("the same request later: fault %d, %d purges", fault, len(b.purger.purged))
		}
	})
	t.Run("3.2.4.2.1 no key", func(t *testing.T) {
		fresh := newBox(t)
		fresh.key = strange // reading F7
		if _, fault := fresh.tell(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"U"}}); fault != spmr.CodeRegister {
			t.Errorf("answered with fault %d", fault)
		}
	})
}

func replace(t testing.TB, data []byte, from, to string) []byte {
	t.Helper()
	changed := bytes.ReplaceAll(data, []byte(from), []byte(to))
	if bytes.Equal(changed, data) {
		t.Fatalf("%s is not in the message", from)
	}
	return changed
}

// registrationWith shows the keys of one set and signs with the other.
func registrationWith(t testing.TB, shown, signing *keys.KeySet) []byte {
	t.Helper()
	key, err := keys.GenerateSharedKey(spmr.SharedKeySize)
	must(t, err)
	encrypted, err := relaySet().Encryption.Public().Encrypt(key.Bytes())
	must(t, err)
	wrapper := soap.NewElement(soap.WrapperRelay,
		soap.Attr{Name: "ManagementServer", Value: managerName}, soap.Attr{Name: "Method", Value: spmr.MethodRegistration})
	f := soap.NewFragment(wrapper, soap.Attr{Name: "EncryptedKey", Value: soap.EncodeBase64(encrypted)})
	c := soap.Certificate{Encryption: shown.Encryption.Public(), Signature: shown.Signature.Public()}
	f.Security().AddChild(c.Element())
	payload := soap.Canonical(soap.NewElement("Payload"))
	must(t, f.Encrypt(key, payload))
	data, err := f.Sign(signing.Signature, 1, payload)
	must(t, err)
	return envelope(spmr.MethodRegistration, data)
}

// TestReplay carries a request out once, whoever sends it and whenever.
func TestReplay(t *testing.T) {
	b := newBox(t)
	b.build(t, "U")
	unlock := b.secured(t, spmr.MethodAccountModify, &spmr.AccountModify{Users: []spmr.UserLockout{{UserID: "U"}}})
	if _, fault := b.tellBytes(t, spmr.MethodAccountModify, unlock); fault != 0 {
		t.Fatalf("fault %d", fault)
	}
	epoch := b.ok(t, spmr.MethodAccountModify, &spmr.AccountModify{Users: []spmr.UserLockout{{UserID: "U", LockedOut: true}}})
	for _, when := range []string{"at once", "after a restart"} {
		if got, fault := b.tellBytes(t, spmr.MethodAccountModify, unlock); fault != 0 || got != epoch {
			t.Errorf("%s: epoch %d, fault %d, want epoch %d", when, got, fault, epoch)
		}
		if len(b.users()) != 0 {
			t.Errorf("%s: the recording has enabled the user", when)
		}
		b.restart(t)
	}

	// A Registration that was answered is confirmed; an older one is refused.
	old, oldKey := registrationOf(t, managerName, managerSet())
	for range 2 {
		if _, fault := b.sendRegistration(t, old, oldKey); fault != 0 {
			t.Errorf("Registration is answered with fault %d", fault)
		}
	}
	b.register(t)
	if _, fault := b.sendRegistration(t, old, oldKey); fault != spmr.CodeDecryption {
		t.Errorf("a recorded Registration is answered with fault %d", fault)
	}
	if _, fault := b.tell(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"U"}}); fault != 0 {
		t.Errorf("after it the manager is answered with fault %d", fault)
	}
}

// TestReadings answers in the reading that the manager used (A2).
func TestReadings(t *testing.T) {
	b := newBox(t)
	b.build(t, "U")
	for _, reading := range soap.RelayMACs() {
		data, err := spmr.Secure(header(spmr.MethodUserAdd), b.key, (&spmr.UserAdd{UserIDs: []string{"U"}}).Encode(), reading)
		must(t, err)
		response, fault := b.send(t, spmr.MethodUserAdd, envelope(spmr.MethodUserAdd, data))
		if fault != 0 {
			t.Fatalf("reading %d: fault %d", reading, fault)
		}
		f, err := soap.ParseFragment(response.Payload, spmr.MaxResponseSize, soap.WrapperRelay)
		must(t, err)
		if _, _, err := f.Open(b.key, []soap.MACReading{reading}); err != nil {
			t.Errorf("reading %d: answered in another: %v", reading, err)
		}
	}
}

func TestHTTP(t *testing.T) {
	b := newBox(t)
	b.build(t, "U")
	base := strings.TrimSuffix(b.url, Path)
	for _, test := range []struct {
		method, path string
		body         io.Reader
		status       int
	}{
		{http.MethodGet, Path, nil, http.StatusMethodNotAllowed},
		{http.MethodPost, "/", nil, http.StatusNotFound},
		{http.MethodPost, "/soap/", nil, http.StatusOK}, // fault 301
		{http.MethodPost, Path, bytes.NewReader(make([]byte, spmr.MaxRequestSize+1)), http.StatusRequestEntityTooLarge},
	} {
		r, err := http.NewRequest(test.method, base+test.path, test.body)
		must(t, err)
		if test.body != nil {
			r.Header.Set("Content-Type", "text/xml")
		}
		answer, err := http.DefaultClient.Do(r)
		must(t, err)
		must(t, answer.Body.Close())
		if answer.StatusCode != test.status {
			t.Errorf("%s %s: HTTP status %d, want %d", test.method, test.path, answer.StatusCode, test.status)
		}
	}
	// A list that fills the limit is read.
	users := slices.Repeat([]string{"9557EB24-5779-4635-BA83-4C4AD001B4F1"}, 8000)
	body := b.secured(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: users})
	if _, fault := b.tellBytes(t, spmr.MethodUserAdd, body); fault != 0 {
		t.Errorf("%d users in %d bytes are answered with fault %d", len(users), len(body), fault)
	}
}

// TestConcurrent sends at once what must not be lost or doubled.
func TestConcurrent(t *testing.T) {
	b := newBox(t)
	b.build(t, "U")
	start := b.ok(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"U"}})
	same := b.secured(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"same"}})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			body := same
			if i%2 == 0 {
				body = b.secured(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{string(rune('a' + i))}})
			}
			if _, answer := b.post(t, "text/xml", body); bytes.Contains(answer, []byte("Fault")) {
				t.Errorf("answered with %s", answer)
			}
		})
	}
	wg.Wait()
	if got := b.ok(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"U"}}); got != start+10 || len(b.users()) != 10 {
		t.Errorf("epoch %d after %d, users %v", got, start, b.users())
	}
}

func TestLogHasNoSecrets(t *testing.T) {
	b := newBox(t)
	b.build(t, "secret-user-token")
	b.tell(t, spmr.MethodAccountModify, &spmr.AccountModify{Users: []spmr.UserLockout{{UserID: "other-secret-token"}}})
	log := b.log.String()
	for _, secret := range []string{"secret-user-token", "other-secret-token", soap.EncodeBase64(b.key.Bytes())} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(log, `"method":"userAdd"`) || !strings.Contains(log, managerGUID) {
		t.Errorf("log: %s", log)
	}
}

func TestTransport(t *testing.T) {
	b := newBox(t)
	b.build(t, "U")
	client := http.Client{Transport: Transport{Handler: b.server}}
	body := b.secured(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"V"}})
	answer, err := client.Post("http://relay.invalid"+Path, "text/xml", bytes.NewReader(body))
	must(t, err)
	data, err := io.ReadAll(answer.Body)
	must(t, err)
	must(t, answer.Body.Close())
	response, err := soap.DecodeResponse(data, spmr.MaxResponseSize, spmr.MethodUserAdd, soap.RelayResponse)
	if err != nil || response.Fault != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != contentTypeXML {
		t.Errorf("answer %d %v: %+v, %v", answer.StatusCode, answer.Header, response, err)
	}
	if got := b.users(); !slices.Equal(got, []string{"U", "V"}) {
		t.Errorf("users %v", got)
	}

	answer, err = client.Get("http://relay.invalid" + Path)
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: HTTP status %d", answer.StatusCode)
	}
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("handler") })
	if _, err := (Transport{panics}).RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil)); err == nil {
		t.Error("a handler that panics has answered")
	}
	silent := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	if answer, err := (Transport{silent}).RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil)); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("a handler that says nothing: %+v, %v", answer, err)
	}
}

// FuzzServer feeds the server with envelopes and with payloads of a manager that
// has gone mad: it must answer each.
func FuzzServer(f *testing.F) {
	b := newBox(f)
	b.build(f, "U")
	server := New(Config{Registry: b.Registry, Purger: b.purger, Keys: relaySet(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	registration, _ := registrationOf(f, managerName, managerSet())
	f.Add(registration, "", []byte(nil))
	f.Add(b.secured(f, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: []string{"U"}}), "", []byte(nil))
	for method, m := range map[string]interface{ Encode() []byte }{
		spmr.MethodUserAdd:        &spmr.UserAdd{UserIDs: []string{"U"}},
		spmr.MethodUserPurge:      &spmr.UserPurge{UserIDs: []string{"U"}},
		spmr.MethodAccountModify:  &spmr.AccountModify{Users: []spmr.UserLockout{{UserID: "U", LockedOut: true}}},
		spmr.MethodRelayDefault:   &spmr.RelayDefault{DeviceLifetime: 1},
		spmr.MethodRelayQuiescent: &spmr.RelayQuiescent{},
	} {
		f.Add([]byte(nil), method, m.Encode())
	}
	f.Fuzz(func(t *testing.T, body []byte, method string, payload []byte) {
		if len(body) == 0 {
			if _, ok := spmr.RequestRule(method); !ok {
				return
			}
			body = b.securedBytes(t, method, payload)
		}
		r := httptest.NewRequest(http.MethodPost, Path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "text/xml")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		// Fault 306 would be a panic or a failure of ours.
		if w.Body.Len() == 0 || bytes.Contains(w.Body.Bytes(), []byte("<faultCode>306")) {
			t.Fatalf("%q is answered with %q", body, w.Body)
		}
	})
}
