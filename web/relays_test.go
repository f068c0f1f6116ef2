package web

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"furrow/appliance/keys"
	"furrow/appliance/spool"
	"furrow/gms/directory"
	"furrow/gms/soap/spmr"
	"furrow/relay"
	"furrow/relay/presence"
	"furrow/relay/queue"
	"furrow/relay/registry"
	"furrow/web/api"
	"furrow/web/boxtest"
)

// standIn is a relay that carries nothing: one message waits for a device, until it is purged.
type standIn struct {
	api.RelayBox
	registry *registry.Registry
	online   atomic.Int32
	purged   string
}

// online is a relay to which so many devices are connected.
func online(devices int32) *standIn {
	s := new(standIn)
	s.online.Store(devices)
	return s
}

const waitingDevice = "dpp://device"

func (s *standIn) Registry() *registry.Registry { return s.registry }
func (s *standIn) Stats() relay.Stats           { return relay.Stats{Connections: 3} }
func (s *standIn) Presence() presence.Stats     { return presence.Stats{Online: int(s.online.Load())} }
func (s *standIn) Waiting() (int, int64)        { return 1, 4000 }
func (s *standIn) ServeOutsideManagers() error  { return nil }

func (s *standIn) AssignToEmptySets(context.Context) error { return nil }

func (s *standIn) Queues() iter.Seq2[queue.Address, spool.Usage] {
	return func(yield func(queue.Address, spool.Usage) bool) {
		if s.purged != waitingDevice {
			yield(queue.Address{Resource: "r", Identity: "i", Device: waitingDevice}, spool.Usage{Messages: 1, Bytes: 4000})
		}
	}
}

func (s *standIn) Purge(_ context.Context, target string) (int, int64, error) {
	s.purged = target
	return 1, 4000, nil
}

// newRelayBox is a box with a relay.
func newRelayBox(t testing.TB, relay *standIn) *box {
	t.Helper()
	return newBox(t, func(p *boxtest.Parts, c *api.Config) {
		relay.registry, c.Relay = p.Registry, relay
		own, err := p.Registry.EnsureIdentity(context.Background(), "grooveDNS://groove.example.com", "http://groove.example.com/SOAP")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Links.ImportRelay(context.Background(), own); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Links.EnsureIdentity(context.Background(), "Contoso"); err != nil {
			t.Fatal(err)
		}
	})
}

// outsideRelay is the identity file of a relay elsewhere.
func outsideRelay(t *testing.T, host string) []byte {
	t.Helper()
	set, err := keys.GenerateKeySet()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := set.Certify(keys.Name{CommonName: host}, boxNow())
	if err != nil {
		t.Fatal(err)
	}
	return (&spmr.RelayIdentity{
		DeviceURL: "grooveDNS://" + host, SOAPURL: "http://" + host + "/SOAP", SOAPCertificate: certificate, SSTPCertificate: certificate,
	}).Encode()
}

const relaySetPattern = `/relay-sets/[0-9A-F]{8}-[0-9A-F-]{27}`

func TestRelayPages(t *testing.T) {
	b := newRelayBox(t, online(2))
	b.setUp()
	b.contains(b.get("/relays"), "groove.example.com", "this box", "waits for the first contact", "1 message, 4.0 kB")
	own := b.do(http.MethodGet, "/relays/identity", nil)
	if !strings.Contains(own.Body.String(), "RelayAttributes") || !strings.Contains(own.Header().Get("Content-Disposition"), "ServerID.xml") {
		t.Errorf("the relay's identity: %v, %s", own.Header(), own.Body)
	}
	manager := b.do(http.MethodGet, "/relays/manager-identity", nil)

	w := b.send("/relays/new", nil, file{"relayFile", "x.xml", []byte("<no/>")})
	b.contains(w.Body.String(), `id="f-relayFile-error"`)
	w = b.send("/relays/new", nil, file{"relayFile", "", nil})
	b.contains(w.Body.String(), `id="f-relayFile-error"`, "is needed")
	w = b.send("/relays/new", nil, file{"relayFile", "ServerID.xml", outsideRelay(t, "relay.example.net")})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	page := w.Header().Get("Location")
	b.contains(b.get(page), "relay.example.net is known now", "has settings of its own")
	settings := url.Values{"deviceLifetimeDays": {"30"}, "identityLifetimeDays": {"0"}, "deviceQuotaMB": {"100"}, "identityQuotaMB": {"200"}, "purgeEnabled": {"yes"}}
	w = b.do(http.MethodPost, page+"/settings", settings)
	b.contains(w.Body.String(), `id="f-identityLifetimeDays-error"`, `value="30"`)
	settings.Set("identityLifetimeDays", "40")
	b.post(page+"/settings", settings)
	b.contains(b.get(page), "The settings are saved.", `value="40"`, `name="purgeEnabled" type="checkbox" value="yes" checked`)

	w = b.send("/relays/new-manager", nil, file{"managerFile", "x.reg", []byte("REGEDIT4")})
	b.contains(w.Body.String(), `id="f-managerFile-error"`)
	w = b.send("/relays/new-manager", nil, file{"managerFile", "manager.reg", manager.Body.Bytes()})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	b.contains(b.get("/relays"), "The management server is admitted.", "groove.example.com/gms.dll")
}

func TestRelaySetPages(t *testing.T) {
	b := newRelayBox(t, online(2))
	b.setUp()
	w := b.send("/relays/new", nil, file{"relayFile", "ServerID.xml", outsideRelay(t, "relay.example.net")})
	office := b.domain("Office")
	sales, err := b.Directory.CreateGroup(t.Context(), office, "", "Sales")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Directory.CreateMember(t.Context(), office, directory.MemberDetails{FullName: "Bo Lee", Email: "bo@example.com"}); err != nil {
		t.Fatal(err)
	}
	outside := strings.TrimPrefix(w.Header().Get("Location"), "/relays/")
	b.contains(b.get("/relay-sets"), "default of the domain", "no relay")
	w = b.do(http.MethodPost, "/relay-sets/new", url.Values{"domain": {office}})
	b.contains(w.Body.String(), `id="f-setName-error"`)
	set := b.post("/relay-sets/new", url.Values{"domain": {office}, "setName": {"Travellers"}})
	page := b.get(set)
	b.contains(page, "Travellers is there.", "There is no relay in this set", "Group Sales")
	b.linkTo(b.get("/relay-sets?q=travel"), relaySetPattern)

	var own string
	for _, r := range b.Directory.Relays() {
		if r.GUID != outside {
			own = r.GUID
		}
	}
	w = b.do(http.MethodPost, set+"/relays", url.Values{"place-" + own: {"1"}, "place-" + outside: {"1"}})
	b.contains(w.Body.String(), "has the same place as another relay")
	b.post(set+"/relays", url.Values{"place-" + own: {"2"}, "place-" + outside: {"1"}})
	guid := strings.TrimPrefix(set, "/relay-sets/")
	if got, err := b.Directory.RelaySet(guid); err != nil || len(got.Relays) != 2 || got.Relays[0] != outside || got.Relays[1] != own {
		t.Errorf("the relays are %v, %v", got.Relays, err)
	}
	b.contains(b.get("/relay-sets"), "relay.example.net, groove.example.com")

	w = b.do(http.MethodPost, set+"/assign", url.Values{"assignTo": {"member"}, "memberEmail": {"nobody@example.com"}})
	b.contains(w.Body.String(), "belongs to 0 members of this domain")
	b.post(set+"/assign", url.Values{"assignTo": {"member"}, "memberEmail": {"BO@example.com"}})
	b.post(set+"/assign", url.Values{"assignTo": {sales.GUID}})
	b.contains(b.get(set), "Sales<br>")
	w = b.do(http.MethodPost, set+"/name", url.Values{"setName": {"Default"}})
	b.contains(w.Body.String(), `id="f-setName-error"`)
	b.post(set+"/name", url.Values{"setName": {"On the road"}})
	b.contains(b.get(set+"/delete"), "On the road is deleted for good")
	if w := b.do(http.MethodPost, set+"/delete", nil); w.Code != http.StatusConflict {
		t.Errorf("a set that is assigned is deleted: %d", w.Code)
	}
	spare := b.post("/relay-sets/new", url.Values{"domain": {office}, "setName": {"Spare"}})
	b.post(spare+"/delete", nil)
	b.contains(b.get("/relay-sets"), "The relay set Spare is deleted.", "On the road")
	b.post(set+"/assign", url.Values{"assignTo": {"domain"}})
	b.contains(b.get(set), "for all who have no other")
	for _, m := range b.Directory.Members(directory.MemberFilter{}) {
		if _, held, err := b.Directory.MemberInheritance(m.GUID); err != nil || held.GUID != guid || held.From != directory.MemberLevel {
			t.Errorf("%s has %+v, %v", m.FullName, held, err)
		}
	}
}

func TestQueuePages(t *testing.T) {
	b := newRelayBox(t, online(2))
	b.setUp()
	page := b.get("/queues?kind=device&q=DPP")
	b.contains(page, waitingDevice, "4.0 kB")
	purge := "/queues/purge?target=" + url.QueryEscape(waitingDevice)
	b.contains(page, purge)
	b.contains(b.get(purge), waitingDevice, "thrown away for good", "1 message, 4.0 kB")
	b.post(purge, nil)
	b.contains(b.get("/queues"), "1 message is thrown away.", "Nothing waits.")
	if w := b.do(http.MethodGet, purge, nil); w.Header().Get("Location") != "/queues" {
		t.Errorf("what is empty leads to %q", w.Header().Get("Location"))
	}
}

func TestWithoutRelay(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/relays"), "There is no relay yet.", "This box runs no relay")
	b.contains(b.get("/queues"), "This box runs no relay")
}
