package web

import (
	"net/url"
	"strings"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/soap/spcm"
)

// office sets the box up with a domain and three members.
func (b *box) office() {
	b.t.Helper()
	b.setUp()
	b.post("/setup/domain", url.Values{"domainName": {"Office"}, "organization": {"Contoso"}})
	b.post("/setup/members", url.Values{"people": {"Ann Smith, ann@example.com\nBob Jones, bob@example.com\nEva Köhler, eva@example.com"}})
}

// link is where a link in a page leads, by its text.
func (b *box) link(page, text string) string {
	b.t.Helper()
	before, _, found := strings.Cut(page, ">"+text+"</a>")
	i := strings.LastIndex(before, `href="`)
	if !found || i < 0 {
		b.t.Fatalf("there is no link %q in\n%s", text, page)
	}
	path, _, _ := strings.Cut(before[i+len(`href="`):], `"`)
	return path
}

// Bob Jones's client, as the office's server knows it.
const (
	bobsAccount, bobsIdentity, bobsDevice = "account", "grooveIdentity://bob@", "device"
)

// joined has Bob Jones join with a computer called LAPTOP, which fails to take the policies, and ask for a new passphrase.
// It returns the paths of his page and of the computer's.
func (b *box) joined() (member, device string) {
	b.t.Helper()
	ctx := b.t.Context()
	must := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	bob := b.Directory.Members(directory.MemberFilter{Text: "bob"})[0]
	domain, err := b.Directory.Domain(bob.Domain)
	must(err)
	certificate, err := keys.ParseCertificate(domain.RecoveryCertificate)
	must(err)
	key := certificate.EncryptionKey()
	ofDomain, err := keys.ParseCertificate(domain.Certificate)
	must(err)
	signature := ofDomain.SignatureKey().DER() // any will do
	for guid, isDevice := range map[string]bool{bobsAccount: false, bobsDevice: true} {
		_, err := b.Directory.RegisterAccount(ctx, directory.Registration{
			Domain: domain.GUID, Account: guid, Key: keys.CodeKey("code"), SignatureKey: signature, Device: isDevice,
		})
		must(err)
	}
	_, err = b.Directory.InstallIdentity(ctx, domain.GUID, bob.GUID, bobsAccount, bobsIdentity)
	must(err)
	_, err = b.Directory.EnrollByCode(ctx, bob.GUID, bobsAccount, directory.Contact{
		URL: bobsIdentity, Data: []byte("<fragment/>"), Security: []byte("<CSecurity/>"), SignatureKey: signature,
	})
	must(err)
	must(b.Directory.ReportFailures(ctx, directory.FailureReport{
		Domain: domain.GUID, Account: bobsAccount, IdentityURL: bobsIdentity, Device: bobsDevice, DeviceName: "LAPTOP",
		Subtypes: []spcm.FailureSubtype{spcm.FailurePolicies}, ID: 1, Signed: 100,
	}))
	escrowed, err := keys.GenerateStorageKey().Escrow(key, bobsAccount)
	must(err)
	_, err = b.Directory.RequestPasswordReset(ctx, directory.ResetRequest{
		Domain: domain.GUID, Account: bobsAccount, Requester: bobsDevice, DeviceName: "LAPTOP", KeyHash: key.Hash(),
		MasterKey: escrowed, SecretMasterKey: escrowed, AnswerKey: key,
	})
	must(err)
	return memberPath(bob.GUID), "/devices/" + domain.GUID + "/" + bobsDevice
}
