package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap"
	"furrow/gms/soap/spmr"
	"furrow/relay/registry"
)

// testSets are the keys of the relay, of a manager and of a stranger: making them
// is slow.
var testSets = sync.OnceValue(func() (sets [3]*keys.KeySet) {
	var wg sync.WaitGroup
	for i := range sets {
		wg.Go(func() {
			set, err := keys.GenerateKeySet()
			if err != nil {
				panic(err)
			}
			sets[i] = set
		})
	}
	wg.Wait()
	return sets
})

func relaySet() *keys.KeySet    { return testSets()[0] }
func managerSet() *keys.KeySet  { return testSets()[1] }
func strangerSet() *keys.KeySet { return testSets()[2] }

const (
	managerName = "groove.example.com/gms.dll"
	managerGUID = "9557EB24-5779-4635-BA83-4C4AD001B4F1"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// purger remembers what was purged.
type purger struct {
	mu     sync.Mutex
	purged [][]registry.Holding
	fail   func() error // what Purge answers, if set
}

func (p *purger) Purge(_ context.Context, holdings []registry.Holding) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail()
	}
	p.purged = append(p.purged, holdings)
	return nil
}

// box is a relay with one manager, behind real HTTP.
type box struct {
	*registry.Registry
	dir    string
	store  *state.Store
	server *Server
	purger *purger
	url    string
	log    lockedBuffer
	key    keys.SharedKey // shared with the manager
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newBox(t testing.TB) *box {
	t.Helper()
	b := &box{dir: t.TempDir(), purger: &purger{}}
	b.open(t)
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil && !errors.Is(err, state.ErrClosed) {
			t.Error(err)
		}
	})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.server.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	b.url = web.URL + Path
	certificate, err := managerSet().Certify(keys.Name{CommonName: "groove.example.com"}, time.Unix(1700000000, 0))
	must(t, err)
	_, err = b.ImportManager(t.Context(), &spmr.ManagerIdentity{
		Name: managerName, GUID: managerGUID, ServerURL: "http://" + managerName, Certificate: certificate,
	})
	must(t, err)
	return b
}

func (b *box) open(t testing.TB) {
	t.Helper()
	log := slog.New(slog.NewJSONHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	vault, err := keys.OpenVault(b.dir)
	must(t, err)
	schema := state.NewSchema()
	tables := registry.Declare(schema)
	b.store, _, err = state.Open(filepath.Join(b.dir, "state"), schema, state.Options{})
	must(t, err)
	b.Registry = registry.New(registry.Config{Store: b.store, Tables: tables, Vault: vault, Now: time.Now, Log: log})
	b.server = New(Config{Registry: b.Registry, Purger: b.purger, Keys: relaySet(), Now: time.Now, Log: log})
}

// restart shows what a restart of the relay shows.
func (b *box) restart(t testing.TB) {
	t.Helper()
	must(t, b.store.Close())
	b.open(t)
}

// post sends a body and returns status and body of the answer.
func (b *box) post(t testing.TB, contentType string, body []byte) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.url, bytes.NewReader(body))
	must(t, err)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	data, err := io.ReadAll(answer.Body)
	must(t, err)
	must(t, answer.Body.Close())
	return answer.StatusCode, data
}

func envelope(method string, fragment []byte) []byte {
	return (&soap.Request{Service: method, Payload: fragment, Version: spmr.Version}).Encode(soap.RelayRequest)
}

// send sends an envelope and returns the response, or the fault's code.
func (b *box) send(t testing.TB, method string, body []byte) (*soap.Response, soap.Code) {
	t.Helper()
	status, answer := b.post(t, "text/xml", body)
	response, err := soap.DecodeResponse(answer, spmr.MaxResponseSize, method, soap.RelayResponse)
	if err != nil {
		t.Fatalf("HTTP status %d: %v\n%s", status, err, answer)
	}
	if response.Fault != nil {
		if want := spmr.FaultText(response.Fault.Code); response.Fault.Text != want {
			t.Errorf("fault %d says %q, want %q", response.Fault.Code, response.Fault.Text, want)
		}
		return nil, response.Fault.Code
	}
	return response, 0
}

func header(method string) spmr.Header {
	return spmr.Header{ManagementServer: managerName, Method: method}
}

// secured is the envelope of a message under the box's key.
func (b *box) secured(t testing.TB, method string, m interface{ Encode() []byte }) []byte {
	t.Helper()
	return b.securedBytes(t, method, m.Encode())
}

func (b *box) securedBytes(t testing.TB, method string, payload []byte) []byte {
	t.Helper()
	fragment, err := spmr.Secure(header(method), b.key, payload, soap.RelayMACs()[0])
	must(t, err)
	return envelope(method, fragment)
}

// tell sends a message and returns the epoch, or the fault's code.
func (b *box) tell(t testing.TB, method string, m interface{ Encode() []byte }) (int32, soap.Code) {
	t.Helper()
	return b.tellBytes(t, method, b.secured(t, method, m))
}

func (b *box) tellBytes(t testing.TB, method string, body []byte) (int32, soap.Code) {
	t.Helper()
	response, fault := b.send(t, method, body)
	if fault != 0 {
		return 0, fault
	}
	payload, err := spmr.OpenResponse(response.Payload, header(method), b.key)
	must(t, err)
	m, err := spmr.DecodeResponse(payload, method)
	must(t, err)
	return m.Epoch, 0
}

// registrationOf is the envelope of a Registration, and the key in it.
func registrationOf(t testing.TB, name string, set *keys.KeySet) ([]byte, keys.SharedKey) {
	t.Helper()
	key, err := keys.GenerateSharedKey(spmr.SharedKeySize)
	must(t, err)
	fragment, err := spmr.SealRegistration(name, set, relaySet().Encryption.Public(), key)
	must(t, err)
	return envelope(spmr.MethodRegistration, fragment), key
}

func (b *box) register(t testing.TB) (epoch int32) {
	t.Helper()
	body, key := registrationOf(t, managerName, managerSet())
	epoch, fault := b.sendRegistration(t, body, key)
	if fault != 0 {
		t.Fatalf("Registration is answered with fault %d", fault)
	}
	b.key = key
	return epoch
}

func (b *box) sendRegistration(t testing.TB, body []byte, key keys.SharedKey) (int32, soap.Code) {
	t.Helper()
	response, fault := b.send(t, spmr.MethodRegistration, body)
	if fault != 0 {
		return 0, fault
	}
	payload, err := spmr.OpenResponse(response.Payload, header(spmr.MethodRegistration), key)
	must(t, err)
	m, err := spmr.DecodeRegistrationResponse(payload)
	must(t, err)
	return m.Epoch, 0
}

// build registers and builds a user database.
func (b *box) build(t testing.TB, users ...string) {
	t.Helper()
	b.register(t)
	b.ok(t, spmr.MethodRelayQuiescent, &spmr.RelayQuiescent{Inactive: true})
	b.ok(t, spmr.MethodUserAdd, &spmr.UserAdd{UserIDs: users})
	b.ok(t, spmr.MethodRelayQuiescent, &spmr.RelayQuiescent{})
}

func (b *box) ok(t testing.TB, method string, m interface{ Encode() []byte }) (epoch int32) {
	t.Helper()
	epoch, fault := b.tell(t, method, m)
	if fault != 0 {
		t.Fatalf("%s is answered with fault %d", method, fault)
	}
	return epoch
}

func (b *box) users() (enabled []string) {
	for _, u := range b.Users(managerGUID) {
		if !u.LockedOut {
			enabled = append(enabled, u.ID)
		}
	}
	slices.Sort(enabled)
	return enabled
}
