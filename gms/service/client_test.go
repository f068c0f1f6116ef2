package service

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// clientGUID makes a GUID as clients do, the same for the same name.
func clientGUID(name string) string {
	return (strings.ToLower(name) + strings.Repeat("abcdefghijkmnpqrstuvwxyz23456789", 2))[:39]
}

func identityURL(name string) string { return "grooveIdentity://" + clientGUID(name)[:32] + "@" }

// envelope packs a fragment into the request of a service.
func envelope(service string, fragment []byte) []byte {
	messages, ok := spcm.LookupService(service)
	if !ok {
		panic("no service " + service)
	}
	request := soap.Request{Service: service, Payload: fragment, Version: 4}
	return request.Encode(messages.Request)
}

// account is a client's account in a domain.
type account struct {
	event  soap.Event // of its messages
	signer *keys.RSAPrivateKey
	key    keys.SharedKey
	domain *keys.Certificate
}

func (b *box) account(t testing.TB, name string, signer *keys.RSAPrivateKey, device bool) *account {
	t.Helper()
	key, err := keys.GenerateSharedKey(keys.AccountKeySize)
	must(t, err)
	certificate, err := keys.ParseCertificate(b.domain.Certificate)
	must(t, err)
	name = b.cast + name
	return &account{
		event: soap.Event{
			DomainGUID: b.domain.GUID, GUID: clientGUID(name), GrooveVersion: "4,2,0,2623",
			IdentityURL: identityURL(name), IsDeviceAccount: device,
			UserDeviceGUID: clientGUID("device"), UserDeviceName: "FABRIKAM", ID: 286456191, Created: 1199892192,
		},
		signer: signer, key: key, domain: certificate,
	}
}

// creation returns the message that registers the account.
func (a *account) creation(t testing.TB) *spcm.CreateAccount {
	t.Helper()
	encrypted, err := a.domain.EncryptionKey().Encrypt(a.key.Bytes())
	must(t, err)
	return &spcm.CreateAccount{
		DomainGUID: a.event.DomainGUID, GUID: a.event.GUID, IsDeviceAccount: a.event.IsDeviceAccount,
		Created: a.event.Created, EncryptedKey: encrypted,
		Certificate: soap.Certificate{Encryption: a.signer.EncryptionKey(), Signature: a.signer.Public()},
	}
}

func (a *account) createRequest(t testing.TB) []byte {
	t.Helper()
	fragment, err := a.creation(t).Encode(a.signer)
	must(t, err)
	return envelope(spcm.ServiceCreateAccount, fragment)
}

// created returns an account that the server has registered.
func (b *box) created(t testing.TB, name string, signer *keys.RSAPrivateKey, device bool) *account {
	t.Helper()
	a := b.account(t, name, signer, device)
	b.succeed(t, spcm.ServiceCreateAccount, a.createRequest(t))
	return a
}

// fragment returns a payload secured with the account's key.
func (a *account) fragment(t testing.TB, payload []byte) []byte {
	t.Helper()
	secured, err := soap.NewFragment(a.event.Element()).Secure(a.key, payload, soap.MACOverDigest)
	must(t, err)
	return secured
}

func (a *account) request(t testing.TB, service string, payload []byte) []byte {
	t.Helper()
	return envelope(service, a.fragment(t, payload))
}

// open reads the payload of a response to the account.
func (a *account) open(t testing.TB, r *soap.Response, wrapper string) []byte {
	t.Helper()
	return openWith(t, a.key, r, wrapper)
}

func openWith(t testing.TB, key keys.SharedKey, r *soap.Response, wrapper string) []byte {
	t.Helper()
	if r.Fault != nil {
		t.Fatalf("%s: %v", r.Service, r.Fault)
	}
	f, err := soap.ParseFragment(r.Payload, spcm.MaxResponseSize, wrapper)
	must(t, err)
	payload, _, err := f.Open(key, []soap.MACReading{soap.MACOverDigest})
	must(t, err)
	return payload
}

// codeFragment returns a payload secured with the key of a configuration code.
func codeFragment(t testing.TB, code string, payload []byte) []byte {
	t.Helper()
	key := keys.CodeKey(code)
	id := key.ID()
	f := soap.NewFragment(soap.NewElement(soap.WrapperPayload), soap.Attr{Name: "KeyID", Value: soap.EncodeBase64(id[:])})
	secured, err := f.Secure(key, payload, soap.MACOverDigest)
	must(t, err)
	return secured
}

func codeRequest(t testing.TB, service, code string, payload []byte) []byte {
	t.Helper()
	return envelope(service, codeFragment(t, code, payload))
}

// contact returns the contact of an identity with a signature key.
func contact(url string, signer *keys.RSAPrivateKey) *spcm.Contact {
	return &spcm.Contact{
		URL: url, Version: "1", VCard: []byte("BEGIN:VCARD\r\nEND:VCARD\r\n"),
		DeviceURL: "dpp:///device", PlatformVersion: "4,2,0,2623",
		Security: spcm.CSecurity{Encryption: signer.EncryptionKey(), Signature: signer.Public()},
	}
}

// enrollmentOf returns the payload by which an account enrolls with a code.
func (a *account) enrollmentOf(t testing.TB, code string) *spcm.DomainEnrollment {
	t.Helper()
	signature, err := spcm.SignActivationKey(a.signer, code)
	must(t, err)
	return &spcm.DomainEnrollment{
		AccountGUID: a.event.GUID, ActivationKeySignature: signature,
		Contact: contact(a.event.IdentityURL, a.signer).Encode(), GrooveVersion: a.event.GrooveVersion,
	}
}

func (a *account) installation(object string) *spcm.ManagedObjectInstall {
	return &spcm.ManagedObjectInstall{
		Domain: a.event.DomainGUID, ID: object, IdentityURL: a.event.IdentityURL,
		Type: spcm.TypeIdentityTemplate, UserName: "Alice",
	}
}

// status returns a status request that names the objects the client has.
func (a *account) status(held ...spcm.InstalledObject) *spcm.ManagedObjectStatus {
	return &spcm.ManagedObjectStatus{
		DomainGUID:   a.event.DomainGUID,
		Consistency:  spcm.Consistency{Digest: "AQIDBA==", DomainGUID: "any domain", IdentityURL: "any identity"},
		DomainMember: !a.event.IsDeviceAccount,
		IdentityURL:  a.event.IdentityURL, Name: "Alice", UserGUID: a.event.GUID, UserName: "Alice",
		Objects: held,
	}
}

// objects asks for the managed objects that the account lacks.
func (b *box) objects(t testing.TB, a *account, held ...spcm.InstalledObject) []spcm.ManagedObject {
	t.Helper()
	r := b.succeed(t, spcm.ServiceManagedObjectStatus,
		a.request(t, spcm.ServiceManagedObjectStatus, a.status(held...).Encode()))
	if r.Payload == nil {
		return nil
	}
	answer, err := spcm.DecodeManagedObjectStatusResponse(a.open(t, r, soap.WrapperManagedObjects))
	must(t, err)
	if want := a.status().Consistency; answer.Consistency != want || answer.IdentityURL != a.event.IdentityURL {
		t.Fatalf("answer has %+v and identity %q", answer.Consistency, answer.IdentityURL)
	}
	return answer.Objects
}

// heldOf returns what a client says that has installed these objects.
func heldOf(objects []spcm.ManagedObject, issued int64) []spcm.InstalledObject {
	var held []spcm.InstalledObject
	for _, o := range objects {
		held = append(held, spcm.InstalledObject{ID: o.GUID, IssuedTime: issued, Name: o.Name})
	}
	return held
}

// installed returns a pending member that is bound to an account.
func (b *box) installed(t testing.TB, name string, signer *keys.RSAPrivateKey) (directory.Member, *account) {
	t.Helper()
	m, a := b.member(t, name), b.created(t, name, signer, false)
	b.succeed(t, spcm.ServiceManagedObjectInstall,
		a.request(t, spcm.ServiceManagedObjectInstall, a.installation(m.GUID).Encode()))
	return m, a
}

// active returns a member that has joined.
func (b *box) active(t testing.TB, name string, signer *keys.RSAPrivateKey) (directory.Member, *account) {
	t.Helper()
	m, a := b.installed(t, name, signer)
	code := b.code(t, m)
	b.succeed(t, spcm.ServiceDomainEnrollment,
		codeRequest(t, spcm.ServiceDomainEnrollment, code, a.enrollmentOf(t, code).Encode()))
	return b.reread(t, m), a
}

// without removes an attribute from a text that has it.
func without(t testing.TB, text []byte, attr string) []byte {
	t.Helper()
	return replaced(t, text, regexp.QuoteMeta(" "+attr)+`="[^"]*"`, "")
}

// with gives an attribute of a text another value.
func with(t testing.TB, text []byte, attr, value string) []byte {
	t.Helper()
	return replaced(t, text, regexp.QuoteMeta(" "+attr)+`="[^"]*"`, fmt.Sprintf(` %s="%s"`, attr, value))
}

func replaced(t testing.TB, text []byte, pattern, by string) []byte {
	t.Helper()
	found := regexp.MustCompile(pattern)
	if !found.Match(text) {
		t.Fatalf("no %s to replace", pattern)
	}
	return found.ReplaceAllLiteral(text, []byte(by))
}
