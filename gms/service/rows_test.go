package service

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// row is one validation row of a service's section: a request that fails it.
type row struct {
	section string // of MS-GRVSPCM
	name    string
	service string
	request func(t *testing.T, b *box) []byte
	fault   soap.Code
}

// TestRows sends a request for each validation row of the services and checks
// the fault code, and that a refused request has changed nothing. Members and
// accounts that a row needs are made by its request function.
func TestRows(t *testing.T) {
	rows := slices.Concat(
		keyActivationRows(), createAccountRows(), domainEnrollmentRows(), enrollmentRows(),
		accountHeartbeatRows(), managedObjectStatusRows(), managedObjectInstallRows(),
		codeSecuredRows(spcm.ServiceKeyActivation), codeSecuredRows(spcm.ServiceDomainEnrollment),
		accountSecuredRows(spcm.ServiceEnrollment), accountSecuredRows(spcm.ServiceAccountHeartbeat),
		accountSecuredRows(spcm.ServiceManagedObjectStatus), accountSecuredRows(spcm.ServiceManagedObjectInstall),
		accountStoreRows(), accountSecuredRows(spcm.ServiceAccountStore),
		accountSecuredRows(spcm.ServiceAutoActivation),
		contactRows(), resetRows(),
		accountSecuredRows(spcm.ServiceIdentityPublish), accountSecuredRows(spcm.ServiceContactSearch),
		accountSecuredRows(spcm.ServiceContactFetch), accountSecuredRows(spcm.ServicePassphraseResetRequest),
		accountSecuredRows(spcm.ServicePassphraseResetStatus), accountSecuredRows(spcm.ServiceAutomaticPasswordReset),
		auditRows(),
	)
	b := newBox(t)
	var seen []soap.Code
	for i, r := range rows {
		seen = append(seen, r.fault)
		t.Run(r.service+" "+r.section+" "+r.name, func(t *testing.T) {
			b.cast = fmt.Sprint(i)
			request := r.request(t, b)
			before := b.sequence()
			response := b.ask(t, r.service, request)
			if response.Fault == nil || response.Fault.Code != r.fault {
				t.Errorf("fault %v, want %d", response.Fault, r.fault)
			}
			if after := b.sequence(); after != before {
				t.Errorf("the refused request made %d changes", after-before)
			}
		})
	}
	slices.Sort(seen)
	// Every code that a section of these services names, and 105 (tested with
	// malformed envelopes in TestMalformed) or 203 (TestStoreFailure) in the
	// sets of 3.2.5.1.1.1 and 3.2.5.1.2.1.
	want := []soap.Code{200, 204, 205, 207, 209, 210, 212, 215, 216, 218, 401, 402, 403}
	if got := slices.Compact(seen); !slices.Equal(got, want) {
		t.Errorf("rows reach the codes %v, want %v", got, want)
	}
}

// payloadOf returns a payload that the service takes.
func payloadOf(t testing.TB, b *box, a *account, service string) []byte {
	t.Helper()
	switch service {
	case spcm.ServiceKeyActivation:
		return (&spcm.KeyActivation{}).Encode()
	case spcm.ServiceEnrollment:
		return (&spcm.Enrollment{Contact: contact(a.event.IdentityURL, a.signer).Encode()}).Encode()
	case spcm.ServiceAccountHeartbeat:
		return (&spcm.AccountHeartbeat{Version: "4"}).Encode()
	case spcm.ServiceManagedObjectStatus:
		return a.status().Encode()
	case spcm.ServiceAccountStore:
		return []byte("fragment")
	case spcm.ServiceAutoActivation:
		return (&spcm.AutoActivation{AccountGUID: a.event.GUID}).Encode()
	case spcm.ServiceManagedObjectInstall:
		return a.installation(b.member(t, "another").GUID).Encode()
	case spcm.ServiceIdentityPublish:
		return (&spcm.IdentityPublish{VCard: []byte("BEGIN:VCARD")}).Encode()
	case spcm.ServiceContactSearch:
		return (&spcm.ContactSearch{Query: "Alice"}).Encode()
	case spcm.ServiceContactFetch:
		return (&spcm.ContactFetch{Identities: []string{"a member"}}).Encode()
	case spcm.ServicePassphraseResetRequest:
		return b.locked(t, a).manual(t).Encode()
	case spcm.ServicePassphraseResetStatus:
		return (&spcm.PassphraseResetStatus{AccountGUID: a.event.GUID}).Encode()
	case spcm.ServiceAutomaticPasswordReset:
		return b.locked(t, a).automatic(t).Encode()
	}
	return auditPayloadOf(t, service)
}

// codeRow sends a secured payload of a pending member, which edit may change.
func codeRow(section, name, service string, fault soap.Code, edit func(t *testing.T, b *box, m directory.Member, fragment []byte) []byte) row {
	return row{section, name, service, func(t *testing.T, b *box) []byte {
		m := b.member(t, "Alice")
		code := b.code(t, m)
		payload := payloadOf(t, b, nil, spcm.ServiceKeyActivation)
		if service == spcm.ServiceDomainEnrollment {
			payload = b.account(t, "alice", aliceKey(), false).enrollmentOf(t, code).Encode()
		}
		return envelope(service, edit(t, b, m, codeFragment(t, code, payload)))
	}, fault}
}

// codeSecuredRows are the rows of MS-GRVSPCM 3.2.5.1.1 for one service.
func codeSecuredRows(service string) []row {
	status := func(set func(*directory.Directory, context.Context, string) (directory.Member, error)) func(*testing.T, *box, directory.Member, []byte) []byte {
		return func(t *testing.T, b *box, m directory.Member, f []byte) []byte {
			_, err := set(b.directory, t.Context(), m.GUID)
			must(t, err)
			return f
		}
	}
	attribute := func(attr, value string) func(*testing.T, *box, directory.Member, []byte) []byte {
		return func(t *testing.T, _ *box, _ directory.Member, f []byte) []byte { return with(t, f, attr, value) }
	}
	missing := func(attr string) func(*testing.T, *box, directory.Member, []byte) []byte {
		return func(t *testing.T, _ *box, _ directory.Member, f []byte) []byte { return without(t, f, attr) }
	}
	return []row{
		codeRow("3.2.5.1.1.1", "KeyID missing", service, 204, missing("KeyID")),
		codeRow("3.2.5.1.1.1", "KeyID too long", service, 204, attribute("KeyID", soap.EncodeBase64(make([]byte, 21)))),
		codeRow("3.2.5.1.1.1", "KeyID no base64", service, 204, attribute("KeyID", "?")),
		codeRow("3.2.5.1.1.1", "EC missing", service, 204, missing("EC")),
		codeRow("3.2.5.1.1.1", "IV missing", service, 204, missing("IV")),
		codeRow("3.2.5.1.1.1", "MAC missing", service, 204, missing("MAC")),
		codeRow("3.2.5.1.1.1", "another wrapper", service, 204, func(t *testing.T, _ *box, _ directory.Member, f []byte) []byte {
			return replaced(t, f, "PayloadWrapper", "Event")
		}),
		codeRow("3.2.5.1.1.2", "KeyID unknown", service, 401, attribute("KeyID", soap.EncodeBase64(make([]byte, 20)))),
		codeRow("3.2.5.2.1.1", "KeyID of a disabled member", service, 401, status((*directory.Directory).DisableMember)),
		codeRow("3.2.5.2.1.1", "KeyID of a deleted member", service, 401, status((*directory.Directory).DeleteMember)),
		codeRow("3.2.5.1.1.3", "another MAC", service, 205, attribute("MAC", soap.EncodeBase64(make([]byte, 20)))),
		codeRow("3.2.5.1.1.3", "IV of another length", service, 205, attribute("IV", "AAAA")),
		codeRow("3.2.5.1.1.3", "altered content", service, 205, attribute("EC", soap.EncodeBase64([]byte("<Payload/>")))),
		codeRow("3.2.5.1.1.3", "altered header", service, 205, func(t *testing.T, _ *box, _ directory.Member, f []byte) []byte {
			return replaced(t, f, "<PayloadWrapper>", `<PayloadWrapper x="1">`)
		}),
		codeRow("3.2.5.1.1.3", "key of another member", service, 205, func(t *testing.T, b *box, _ directory.Member, f []byte) []byte {
			id := keys.CodeKey(b.code(t, b.member(t, "Bob"))).ID()
			return with(t, f, "KeyID", soap.EncodeBase64(id[:]))
		}),
	}
}

func keyActivationRows() []row {
	const service, section = spcm.ServiceKeyActivation, "3.2.5.2.1.1"
	return []row{
		{section, "KeyID of an active member", service, func(t *testing.T, b *box) []byte {
			m, _ := b.active(t, "alice", aliceKey())
			return codeRequest(t, service, b.code(t, m), payloadOf(t, b, nil, service))
		}, 402},
		{section, "active member without the code", service, func(t *testing.T, b *box) []byte {
			m, _ := b.active(t, "alice", aliceKey())
			f := codeFragment(t, b.code(t, m), payloadOf(t, b, nil, service))
			return envelope(service, with(t, f, "MAC", soap.EncodeBase64(make([]byte, 20))))
		}, 205},
		{section, "payload of another form", service, func(t *testing.T, b *box) []byte {
			return codeRequest(t, service, b.code(t, b.member(t, "Alice")), []byte("<Other/>"))
		}, 204},
	}
}

// creationRow sends a CreateAccount that edit has changed after it was signed.
func creationRow(section, name string, fault soap.Code, edit func(t *testing.T, fragment []byte) []byte) row {
	return row{section, name, spcm.ServiceCreateAccount, func(t *testing.T, b *box) []byte {
		fragment, err := b.account(t, "alice", aliceKey(), false).creation(t).Encode(aliceKey())
		must(t, err)
		return envelope(spcm.ServiceCreateAccount, edit(t, fragment))
	}, fault}
}

// signedRow sends a CreateAccount that edit has changed before it was signed.
func signedRow(section, name string, fault soap.Code, edit func(t *testing.T, b *box, m *spcm.CreateAccount)) row {
	return row{section, name, spcm.ServiceCreateAccount, func(t *testing.T, b *box) []byte {
		m := b.account(t, "alice", aliceKey(), false).creation(t)
		edit(t, b, m)
		fragment, err := m.Encode(aliceKey())
		must(t, err)
		return envelope(spcm.ServiceCreateAccount, fragment)
	}, fault}
}

func createAccountRows() []row {
	rows := []row{
		signedRow("3.2.5.2.2", "DomainGUID unknown", 209, func(_ *testing.T, _ *box, m *spcm.CreateAccount) { m.DomainGUID = "other" }),
		signedRow("3.2.5.2.2", "CSMKey of another length", 205, func(_ *testing.T, _ *box, m *spcm.CreateAccount) { m.EncryptedKey = m.EncryptedKey[1:] }),
		signedRow("3.2.5.2.2", "CSMKey empty", 204, func(_ *testing.T, _ *box, m *spcm.CreateAccount) { m.EncryptedKey = nil }),
		signedRow("3.2.5.2.2", "account of another signature key", 205, func(t *testing.T, b *box, _ *spcm.CreateAccount) {
			b.created(t, "alice", bobKey(), false)
		}),
		signedRow("3.2.5.2.2", "older than the account", 204, func(t *testing.T, b *box, m *spcm.CreateAccount) {
			b.created(t, "alice", aliceKey(), false)
			m.Created--
		}),
		signedRow("3.2.5.2.2.1", "GUID longer than any", 204, func(_ *testing.T, _ *box, m *spcm.CreateAccount) {
			m.GUID = string(bytes.Repeat([]byte("a"), 200))
		}),
		creationRow("3.2.5.2.2.7", "another signature", 205, func(t *testing.T, f []byte) []byte {
			return with(t, f, "Sig", soap.EncodeBase64(make([]byte, 256)))
		}),
		creationRow("3.2.5.2.2.7", "altered header", 205, func(t *testing.T, f []byte) []byte { return with(t, f, "IsDeviceAccount", "1") }),
		creationRow("3.2.5.2.2.1", "Encrypted 0", 204, func(t *testing.T, f []byte) []byte { return with(t, f, "Encrypted", "0") }),
		creationRow("3.2.5.2.2.2", "RSA key beside ELGAMAL", 204, func(t *testing.T, f []byte) []byte {
			return with(t, with(t, f, "EncAlgo", "ELGAMAL"), "EPKAlgo", "RSA")
		}),
		creationRow("3.2.5.2.2.2", "signature algorithm DSA", 204, func(t *testing.T, f []byte) []byte { return with(t, f, "SigAlgo", "DSA") }),
		creationRow("3.2.5.2.2.2", "signature key no key", 204, func(t *testing.T, f []byte) []byte { return with(t, f, "SPubKey", "AAAA") }),
		creationRow("3.2.5.2.2.2", "Cert missing", 204, func(t *testing.T, f []byte) []byte { return replaced(t, f, `<g:Cert [^>]*/>`, "") }),
		creationRow("3.2.5.2.2.3", "Auth missing", 204, func(t *testing.T, f []byte) []byte { return replaced(t, f, `<g:Auth [^>]*/>`, "") }),
	}
	for _, attr := range []string{
		"DomainGUID", "Encrypted", "GUID", "IsDeviceAccount", "created",
		"CSMKey", "EPKAlgo", "EPubKey", "EncAlgo", "SPKAlgo", "SPubKey", "SigAlgo", "Sig",
	} {
		rows = append(rows, creationRow("3.2.5.2.2.1", attr+" missing", 204,
			func(t *testing.T, f []byte) []byte { return without(t, f, attr) }))
	}
	return rows
}

// enrollmentRow sends a DomainEnrollment of a pending member.
func enrollmentRow(name string, fault soap.Code, edit func(t *testing.T, b *box, m *spcm.DomainEnrollment)) row {
	return row{"3.2.5.2.3", name, spcm.ServiceDomainEnrollment, func(t *testing.T, b *box) []byte {
		code := b.code(t, b.member(t, "Alice"))
		m := b.account(t, "alice", aliceKey(), false).enrollmentOf(t, code)
		edit(t, b, m)
		return codeRequest(t, spcm.ServiceDomainEnrollment, code, m.Encode())
	}, fault}
}

func domainEnrollmentRows() []row {
	const service, section = spcm.ServiceDomainEnrollment, "3.2.5.2.3"
	return []row{
		{section, "payload no XML", service, func(t *testing.T, b *box) []byte {
			return codeRequest(t, service, b.code(t, b.member(t, "Alice")), []byte("Payload"))
		}, 205},
		enrollmentRow("AccountGuid empty", 205, func(_ *testing.T, _ *box, m *spcm.DomainEnrollment) { m.AccountGUID = "" }),
		enrollmentRow("contact no XML", 205, func(_ *testing.T, _ *box, m *spcm.DomainEnrollment) { m.Contact = []byte("contact") }),
		enrollmentRow("contact without CSecurity", 205, func(t *testing.T, _ *box, m *spcm.DomainEnrollment) {
			m.Contact = replaced(t, m.Contact, "CSecurity", "Security")
		}),
		enrollmentRow("signature of another key", 403, func(t *testing.T, b *box, m *spcm.DomainEnrollment) {
			m.Contact = contact(identityURL(b.cast+"alice"), bobKey()).Encode()
		}),
		enrollmentRow("signature of another code", 403, func(t *testing.T, b *box, m *spcm.DomainEnrollment) {
			var err error
			m.ActivationKeySignature, err = spcm.SignActivationKey(aliceKey(), b.code(t, b.member(t, "Bob")))
			must(t, err)
		}),
		enrollmentRow("no signature", 403, func(_ *testing.T, _ *box, m *spcm.DomainEnrollment) { m.ActivationKeySignature = nil }),
		enrollmentRow("identity of another member", 204, func(t *testing.T, b *box, _ *spcm.DomainEnrollment) {
			b.active(t, "alice", aliceKey())
		}),
		{section, "active with another contact key", service, func(t *testing.T, b *box) []byte {
			m, a := b.active(t, "alice", aliceKey())
			a.signer = bobKey()
			code := b.code(t, m)
			return codeRequest(t, service, code, a.enrollmentOf(t, code).Encode())
		}, 402},
	}
}

// accountSecuredRows are the rows of MS-GRVSPCM 3.2.5.1.2 for one service, with
// the first two of its own table, which are the same for all. They come before
// anybody looks for a member.
func accountSecuredRows(service string) []row {
	at := func(section, name string, fault soap.Code, edit func(t *testing.T, a *account, fragment func() []byte) []byte) row {
		return row{section, name, service, func(t *testing.T, b *box) []byte {
			a := b.created(t, "alice", aliceKey(), false)
			payload := payloadOf(t, b, a, service)
			return envelope(service, edit(t, a, func() []byte { return a.fragment(t, payload) }))
		}, fault}
	}
	attribute := func(attr, value string) func(*testing.T, *account, func() []byte) []byte {
		return func(t *testing.T, _ *account, f func() []byte) []byte { return with(t, f(), attr, value) }
	}
	rows := []row{
		at("3.2.5.1.2.1", "domain unknown", 209, func(_ *testing.T, a *account, f func() []byte) []byte {
			a.event.DomainGUID = "other"
			return f()
		}),
		at("3.2.5.1.2.1", "account unknown", 200, func(_ *testing.T, a *account, f func() []byte) []byte {
			a.event.GUID = clientGUID("other")
			return f()
		}),
		at("3.2.5.1.2.2", "another key", 205, func(t *testing.T, a *account, f func() []byte) []byte {
			var err error
			a.key, err = keys.GenerateSharedKey(keys.AccountKeySize)
			must(t, err)
			return f()
		}),
		at("3.2.5.1.2.2", "altered header", 205, attribute("UserDeviceName", "CONTOSO")),
		at("3.2.5.1.2.2", "altered content", 205, attribute("EC", soap.EncodeBase64([]byte("<Payload/>")))),
		at("3.2.5.1.2.2", "IV of another length", 205, attribute("IV", "AAAA")),
		at("3.2.5.1.2.2", "MAC empty", 205, attribute("MAC", "")),
		at("3.2.5.1.2.1", "created no number", 204, attribute("created", "now")),
		at("3.2.5.1.2.1", "another wrapper", 204, func(t *testing.T, _ *account, f func() []byte) []byte {
			return replaced(t, f(), `\bEvent\b`, "Other")
		}),
		{"3.2.5.1.2.3", "payload of another form", service, func(t *testing.T, b *box) []byte {
			a := b.created(t, "alice", aliceKey(), false)
			return a.request(t, service, []byte("<Other/>"))
		}, 204},
	}
	for _, attr := range []string{
		"DomainGUID", "GUID", "GrooveVersion", "IdentityURL", "IsDeviceAccount", "UserDeviceGuid",
		"UserDeviceName", "_EventID", "created", "EC", "IV", "MAC",
	} {
		rows = append(rows, at("3.2.5.1.2.1", attr+" missing", 204,
			func(t *testing.T, _ *account, f func() []byte) []byte { return without(t, f(), attr) }))
	}
	return rows
}

// ofInstalled sends what an account that a pending member is bound to asks,
// after set has changed the member.
func ofInstalled(section, name, service string, fault soap.Code, set func(t *testing.T, b *box, m directory.Member, a *account)) row {
	return row{section, name, service, func(t *testing.T, b *box) []byte {
		m, a := b.installed(t, "alice", aliceKey())
		set(t, b, m, a)
		return a.request(t, service, payloadOf(t, b, a, service))
	}, fault}
}

func disabled(t *testing.T, b *box, m directory.Member, _ *account) {
	_, err := b.directory.DisableMember(t.Context(), m.GUID)
	must(t, err)
}

func deleted(t *testing.T, b *box, m directory.Member, _ *account) {
	_, err := b.directory.DeleteMember(t.Context(), m.GUID)
	must(t, err)
}

func unchanged(*testing.T, *box, directory.Member, *account) {}

func otherIdentity(_ *testing.T, _ *box, _ directory.Member, a *account) {
	a.event.IdentityURL = identityURL("other")
}

func enrollmentRows() []row {
	const service, section = spcm.ServiceEnrollment, "3.2.5.2.5"
	return []row{
		ofInstalled(section, "no member with this identity", service, 200, otherIdentity),
		ofInstalled(section, "member disabled", service, 200, disabled),
		ofInstalled(section, "member deleted", service, 200, deleted),
		{section, "contact missing", service, func(t *testing.T, b *box) []byte {
			_, a := b.installed(t, "alice", aliceKey())
			return a.request(t, service, []byte("<Payload/>"))
		}, 204},
		{section, "contact of another identity", service, func(t *testing.T, b *box) []byte {
			_, a := b.installed(t, "alice", aliceKey())
			other := contact(identityURL("other"), aliceKey())
			return a.request(t, service, (&spcm.Enrollment{Contact: other.Encode()}).Encode())
		}, 204},
	}
}

func accountHeartbeatRows() []row {
	const service, section = spcm.ServiceAccountHeartbeat, "3.2.5.3.2"
	return []row{
		ofInstalled(section, "member pending", service, 210, unchanged),
		ofInstalled(section, "member disabled", service, 210, disabled),
		ofInstalled(section, "member deleted", service, 210, deleted),
		ofInstalled(section, "no member with this identity", service, 210, otherIdentity),
		{"2.2.3.1.1", "Version missing", service, func(t *testing.T, b *box) []byte {
			return b.created(t, "laptop", aliceKey(), true).request(t, service, []byte("<AccountHeartbeat/>"))
		}, 204},
	}
}

func managedObjectStatusRows() []row {
	const service, section = spcm.ServiceManagedObjectStatus, "3.2.5.3.3"
	rows := []row{
		ofInstalled(section, "member pending", service, 210, unchanged),
		ofInstalled(section, "member disabled", service, 210, disabled),
		ofInstalled(section, "no member with this identity", service, 210, otherIdentity),
		{section, "no member, DomainMember 0", service, func(t *testing.T, b *box) []byte {
			a := b.created(t, "alice", aliceKey(), false)
			m := a.status()
			m.DomainMember = false
			return a.request(t, service, m.Encode())
		}, 200},
		{section, "no device of this account", service, func(t *testing.T, b *box) []byte {
			a := b.created(t, "alice", aliceKey(), false)
			a.event.IsDeviceAccount = true
			return a.request(t, service, a.status().Encode())
		}, 200},
		{"2.2.3.40.1", "element of another domain", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			m := a.status()
			m.DomainGUID = clientGUID("other")
			return a.request(t, service, m.Encode())
		}, 204},
	}
	for _, attr := range []string{
		"ConsistencyDigest", "ConsistencyDomainGUID", "ConsistencyIdentityURL", "DomainMember",
		"IdentityURL", "UserGUID", "UserName", "ID", "IssuedTime",
	} {
		rows = append(rows, row{"2.2.3.40.1", attr + " missing", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			payload := a.status(spcm.InstalledObject{ID: "object", IssuedTime: 1}).Encode()
			return a.request(t, service, without(t, payload, attr))
		}, 204})
	}
	return rows
}

func managedObjectInstallRows() []row {
	const service, section = spcm.ServiceManagedObjectInstall, "3.2.5.3.4"
	install := func(name string, edit func(t *testing.T, b *box, m *spcm.ManagedObjectInstall)) row {
		return row{section, name, service, func(t *testing.T, b *box) []byte {
			a := b.created(t, "alice", aliceKey(), false)
			m := a.installation(b.member(t, "Alice").GUID)
			edit(t, b, m)
			return a.request(t, service, m.Encode())
		}, 204}
	}
	rows := []row{
		install("identity object unknown", func(_ *testing.T, _ *box, m *spcm.ManagedObjectInstall) { m.ID = "unknown" }),
		install("identity object of a disabled member", func(t *testing.T, b *box, m *spcm.ManagedObjectInstall) {
			disabled(t, b, directory.Member{GUID: m.ID}, nil)
		}),
		install("identity object of a deleted member", func(t *testing.T, b *box, m *spcm.ManagedObjectInstall) {
			deleted(t, b, directory.Member{GUID: m.ID}, nil)
		}),
		install("identity object of another domain", func(t *testing.T, b *box, m *spcm.ManagedObjectInstall) {
			other, err := b.directory.CreateDomain(t.Context(), "Fabrikam", "")
			must(t, err)
			member, err := b.directory.CreateMember(t.Context(), other.GUID,
				directory.MemberDetails{FullName: "Bob", Email: "bob@example.com"})
			must(t, err)
			m.ID = member.GUID
		}),
		install("Domain of another", func(_ *testing.T, _ *box, m *spcm.ManagedObjectInstall) { m.Domain = "other" }),
		install("IdentityURL empty", func(_ *testing.T, _ *box, m *spcm.ManagedObjectInstall) { m.IdentityURL = "" }),
		{section, "member enrolled with another account", service, func(t *testing.T, b *box) []byte {
			m, _ := b.active(t, "alice", aliceKey())
			a := b.created(t, "eve", bobKey(), false)
			return a.request(t, service, a.installation(m.GUID).Encode())
		}, 204},
	}
	for _, attr := range []string{"Domain", "ID", "IdentityURL", "Type", "UserNAME"} {
		rows = append(rows, row{"2.2.3.38.1", attr + " missing", service, func(t *testing.T, b *box) []byte {
			a := b.created(t, "alice", aliceKey(), false)
			return a.request(t, service, without(t, a.installation(b.member(t, "Alice").GUID).Encode(), attr))
		}, 204})
	}
	return rows
}
