package kerberos

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"

	"furrow/gms/signin"
)

const (
	realm   = "CONTOSO.EXAMPLE"
	service = "HTTP/groove.contoso.example"
)

// newKeytab makes keys from a password, as a KDC and a keytab have them.
func newKeytab(t testing.TB, principal, realm, password string, encryption int32) *keytab.Keytab {
	t.Helper()
	kt := keytab.New()
	if err := kt.AddEntry(principal, realm, password, time.Now(), 2, encryption); err != nil {
		t.Fatal(err)
	}
	return kt
}

func writeKeytab(t testing.TB, keytabs ...*keytab.Keytab) string {
	t.Helper()
	all := keytab.New()
	for _, kt := range keytabs {
		all.Entries = append(all.Entries, kt.Entries...)
	}
	data, err := all.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keytab")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newService(keytab string, realms ...string) *Service {
	return New(Config{Keytab: keytab, Realms: realms, Skew: DefaultSkew, Now: time.Now})
}

// forged is what somebody with the service's key, or with a ticket, could send.
type forged struct {
	user          []string
	realm         string // of the ticket
	authRealm     string // that the client claims
	authUser      []string
	clientTime    time.Time
	start, end    time.Time
	encryption    int32
	kt            *keytab.Keytab
	spn           string
	cutTicket     int // octets that are left of it, 0 for all
	cutAuth       int
	unwrapped     bool
	preferredNTLM bool
}

func sound(kt *keytab.Keytab) forged {
	now := time.Now().UTC()
	return forged{
		user: []string{"ann"}, realm: realm, authRealm: realm, authUser: []string{"ann"}, clientTime: now,
		start: now.Add(-time.Minute), end: now.Add(time.Hour), encryption: etypeID.AES256_CTS_HMAC_SHA1_96, kt: kt, spn: service,
	}
}

func (f forged) token(t testing.TB) []byte {
	t.Helper()
	name := func(parts []string) types.PrincipalName {
		return types.PrincipalName{NameType: nametype.KRB_NT_PRINCIPAL, NameString: parts}
	}
	ticket, key, err := messages.NewTicket(name(f.user), f.realm, name(strings.Split(f.spn, "/")), realm, types.NewKrbFlags(),
		f.kt, f.encryption, 2, f.start, f.start, f.end, f.end)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := types.NewAuthenticator(f.authRealm, name(f.authUser))
	if err != nil {
		t.Fatal(err)
	}
	auth.CTime, auth.Cusec = f.clientTime, 0
	request, err := messages.NewAPReq(ticket, key, auth)
	if err != nil {
		t.Fatal(err)
	}
	if f.cutTicket > 0 {
		request.Ticket.EncPart.Cipher = request.Ticket.EncPart.Cipher[:f.cutTicket]
	}
	if f.cutAuth > 0 {
		request.EncryptedAuthenticator.Cipher = request.EncryptedAuthenticator.Cipher[:f.cutAuth]
	}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	kerberos5 := []byte("\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")
	inner := application(append(append(kerberos5, 1, 0), body...))
	if f.unwrapped {
		return inner
	}
	var init spnego.NegTokenInit
	init.MechTypes = append(init.MechTypes, []int{1, 2, 840, 113554, 1, 2, 2})
	if f.preferredNTLM {
		init.MechTypes = append(init.MechTypes[:0], []int{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}, init.MechTypes[0])
	}
	init.MechTokenBytes = inner
	token, err := (&spnego.SPNEGOToken{Init: true, NegTokenInit: init}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// application is [APPLICATION 0] around content (RFC 2743 3.1).
func application(content []byte) []byte { return asn1tools.AddASNAppTag(content, 0) }

func TestVerify(t *testing.T) {
	right := newKeytab(t, service, realm, "service secret", etypeID.AES256_CTS_HMAC_SHA1_96)
	host := newKeytab(t, "host/groove.contoso.example", realm, "host secret", etypeID.AES256_CTS_HMAC_SHA1_96)
	rc4 := newKeytab(t, service, realm, "service secret", etypeID.RC4_HMAC)
	other := newKeytab(t, service, realm, "another secret", etypeID.AES256_CTS_HMAC_SHA1_96)
	path := writeKeytab(t, right, host, rc4)
	for name, test := range map[string]struct {
		change func(*forged)
		want   string // of the refusal, "" for none
	}{
		"sound":           {func(f *forged) {}, ""},
		"unwrapped":       {func(f *forged) { f.unwrapped = true }, ""},
		"other key":       {func(f *forged) { f.kt = other }, "does not open"},
		"RC4":             {func(f *forged) { f.kt, f.encryption = rc4, etypeID.RC4_HMAC }, "not AES"},
		"other service":   {func(f *forged) { f.kt, f.spn = host, "host/groove.contoso.example" }, "does not open"},
		"expired":         {func(f *forged) { f.end = time.Now().Add(-time.Hour) }, "expired"},
		"not yet valid":   {func(f *forged) { f.start = time.Now().Add(time.Hour) }, "not yet valid"},
		"clock ahead":     {func(f *forged) { f.clientTime = time.Now().UTC().Add(time.Hour) }, "skew"},
		"clock behind":    {func(f *forged) { f.clientTime = time.Now().UTC().Add(-time.Hour) }, "skew"},
		"clock slightly":  {func(f *forged) { f.clientTime = time.Now().UTC().Add(-DefaultSkew / 2) }, ""},
		"trusted realm":   {func(f *forged) { f.realm, f.authRealm = "PARTNER.EXAMPLE", "PARTNER.EXAMPLE" }, "not one of"},
		"claimed realm":   {func(f *forged) { f.realm = "PARTNER.EXAMPLE" }, "the client says realm"},
		"claimed name":    {func(f *forged) { f.authUser = []string{"boss"} }, "CName"},
		"instance":        {func(f *forged) { f.user, f.authUser = []string{"ann", "admin"}, []string{"ann", "admin"} }, "no person"},
		"name with realm": {func(f *forged) { f.user, f.authUser = []string{`OTHER\ann`}, []string{`OTHER\ann`} }, "no name of a person"},
		"no ticket":       {func(f *forged) { f.cutTicket = 1 }, "cut"},
		"short ticket":    {func(f *forged) { f.cutTicket = minCiphertext }, "does not open"},
		"no auth":         {func(f *forged) { f.cutAuth = 1 }, "cut"},
		"short auth":      {func(f *forged) { f.cutAuth = minCiphertext }, "not valid"},
		"NTLM first":      {func(f *forged) { f.preferredNTLM = true }, "another mechanism"},
	} {
		t.Run(name, func(t *testing.T) {
			f := sound(right)
			test.change(&f)
			s := newService(path)
			token := f.token(t)
			p, reply, err := s.Verify(token, netip.MustParseAddr("192.0.2.1"))
			if test.want != "" {
				if !errors.Is(err, signin.ErrRefused) || !strings.Contains(err.Error(), test.want) || p != (signin.Principal{}) {
					t.Fatalf("%+v, %v; want %q", p, err, test.want)
				}
				if (reply != nil) != (test.want == "another mechanism") {
					t.Errorf("reply %x", reply)
				}
				return
			}
			if err != nil || p != (signin.Principal{User: "ann", Realm: realm}) {
				t.Fatalf("%+v, %v", p, err)
			}
			if (reply != nil) == f.unwrapped {
				t.Errorf("reply %x", reply)
			}
			if _, _, err := s.Verify(token, netip.Addr{}); err == nil || !strings.Contains(err.Error(), "second time") {
				t.Errorf("replay: %v", err)
			}
		})
	}
}

func TestKeytab(t *testing.T) {
	aes := newKeytab(t, service, realm, "x", etypeID.AES128_CTS_HMAC_SHA1_96)
	partner := newKeytab(t, service, "PARTNER.EXAMPLE", "x", etypeID.AES128_CTS_HMAC_SHA1_96)
	host := newKeytab(t, "host/groove.contoso.example", realm, "x", etypeID.AES128_CTS_HMAC_SHA1_96)
	rc4 := newKeytab(t, service, realm, "x", etypeID.RC4_HMAC)
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, []byte("\x05\x02\x7f\xff\xff\xff"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		service *Service
		want    string
	}{
		"good":                 {newService(writeKeytab(t, aes)), ""},
		"RC4 only":             {newService(writeKeytab(t, rc4, host)), "no AES key"},
		"two realms":           {newService(writeKeytab(t, aes, partner)), "the setting realms"},
		"two realms, one said": {newService(writeKeytab(t, aes, partner), realm), ""},
		"missing":              {newService(filepath.Join(t.TempDir(), "none")), "no such file"},
		"garbage":              {newService(garbage), "garbage"},
	} {
		err := test.service.Check()
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if _, _, verify := test.service.Verify([]byte("x"), netip.Addr{}); errors.Is(verify, signin.ErrRefused) != (err == nil) {
			t.Errorf("%s: a token: %v", name, verify)
		}
	}
}

func TestReplaysAreForgottenAndBounded(t *testing.T) {
	now := time.Now()
	r := newReplays(func() time.Time { return now })
	if r.add([]byte("a"), time.Minute) != nil || !errors.Is(r.add([]byte("a"), time.Minute), signin.ErrRefused) {
		t.Fatal("a replay is not noticed")
	}
	now = now.Add(2 * time.Minute)
	if err := r.add([]byte("b"), time.Minute); err != nil || len(r.used) != 1 || r.order.Len() != 1 {
		t.Errorf("%v, %d remembered", err, len(r.used))
	}
	for i := range maxReplays {
		_ = r.add([]byte{byte(i), byte(i >> 8), byte(i >> 16), 0}, time.Minute)
	}
	if err := r.add([]byte("new"), time.Minute); !errors.Is(err, errReplaysFull) || errors.Is(err, signin.ErrRefused) {
		t.Errorf("full: %v", err)
	}
}

// FuzzToken looks for tokens that get past the parsers without being ours.
func FuzzToken(f *testing.F) {
	kt := newKeytab(f, service, realm, "service secret", etypeID.AES256_CTS_HMAC_SHA1_96)
	other := newKeytab(f, service, realm, "another secret", etypeID.AES256_CTS_HMAC_SHA1_96)
	path := writeKeytab(f, kt)
	f.Add([]byte{})
	f.Add([]byte("NTLMSSP\x00\x01"))
	f.Add(replyAccepted)
	f.Add([]byte("\x60\x06\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x04\x30\x02\xa0\x00"))
	foreign := sound(other)
	f.Add(foreign.token(f))
	foreign.unwrapped = true
	f.Add(foreign.token(f))
	foreign.cutTicket, foreign.cutAuth = minCiphertext, minCiphertext
	f.Add(foreign.token(f))
	s := newService(path)
	f.Fuzz(func(t *testing.T, token []byte) {
		if _, _, err := s.Verify(token, netip.Addr{}); !errors.Is(err, signin.ErrRefused) {
			t.Fatalf("%x: %v", token, err)
		}
	})
}
