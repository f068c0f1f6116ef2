package spcm

import (
	"reflect"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

func testContact(t testing.TB, encryption keys.EncryptionKey) *Contact {
	return &Contact{
		SeqNum:          3,
		URL:             identityURL,
		Version:         "1,0,0,0",
		VCard:           []byte("BEGIN:VCARD\r\nEND:VCARD\r\n"),
		DeviceURL:       "dpp:///e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s",
		PlatformVersion: "4,2,0,2623",
		PresenceDevices: []string{"grooveDNS://presence.contoso.com"},
		RelayDevices:    []string{"grooveDNS://relay1.contoso.com", "grooveDNS://relay2.contoso.com"},
		Security:        CSecurity{Encryption: encryption, Signature: testSigner(t).Public(), SelfSignature: []byte{1, 2, 3}},
	}
}

// TestContactLayout compares with MS-GRVSPCM 2.2.2.2.4 and 2.2.2.2.6.
func TestContactLayout(t *testing.T) {
	c := testContact(t, testElGamal(t).Public())
	signature, encryption := soap.EncodeBase64(c.Security.Signature.DER()), soap.EncodeBase64(c.Security.Encryption.DER())
	want := fragmentStart + `<g:Contact SeqNum="3" URL="` + identityURL + `" Version="1,0,0,0">` +
		`<g:vCard Data="` + soap.EncodeBase64(c.VCard) + `"/>` +
		`<g:ClientDevices><g:Device PlatformVersion="4,2,0,2623" URL="dpp:///e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s">` +
		`<g:PresenceDevices><g:Device URL="grooveDNS://presence.contoso.com"/></g:PresenceDevices></g:Device></g:ClientDevices>` +
		`<g:RelayDevices><g:Device URL="grooveDNS://relay1.contoso.com"/><g:Device URL="grooveDNS://relay2.contoso.com"/></g:RelayDevices>` +
		`<g:CSecurity EPubKey="` + encryption + `" SPubKey="` + signature + `" SelfSignature="AQID">` +
		`<g:Algos EncAlgo="ELGAMAL" EncKeyAlgo="DH" SigAlgo="RSA" SigKeyAlgo="RSA"/>` +
		`<g:Settings CipherAlgo="MARC4-BM" DigestAlgo="SHA1" Encrypted="1" SKeyAlgo="ARC4"/>` +
		`</g:CSecurity></g:Contact></g:fragment>`
	if got := string(c.Encode()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestContactReadings(t *testing.T) {
	for _, encryption := range []keys.EncryptionKey{testElGamal(t).Public(), testSigner(t).Public()} {
		want := testContact(t, encryption)
		plain := string(want.Encode())
		variants := map[string]string{
			"as sent":        plain,
			"without prolog": strings.TrimPrefix(plain, soap.Prolog), // reading B5
			"without prefix": strings.NewReplacer("<g:", "<", "</g:", "</", "<g:fragment", "<g:fragment", "</g:fragment", "</g:fragment").Replace(plain),
			"attributes at ClientDevices": strings.NewReplacer(
				`<g:ClientDevices><g:Device PlatformVersion="4,2,0,2623" URL="dpp:///e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s">`,
				`<g:ClientDevices PlatformVersion="4,2,0,2623" URL="dpp:///e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s"><g:Device>`).Replace(plain),
		}
		variants["without prefix"] = strings.NewReplacer("<fragment", "<g:fragment", "</fragment", "</g:fragment").Replace(variants["without prefix"])
		if encryption.Algorithm() == keys.AlgorithmRSA {
			variants["key algorithm RSA"] = strings.ReplaceAll(plain, `EncKeyAlgo="DH"`, `EncKeyAlgo="RSA"`) // reading B3
		}
		for name, in := range variants {
			if got, err := DecodeContact([]byte(in)); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: got %+v, %v", encryption.Algorithm(), name, got, err)
			}
		}
	}

	bare := testContact(t, testElGamal(t).Public())
	bare.PresenceDevices, bare.RelayDevices = nil, nil
	in := strings.NewReplacer("<g:PresenceDevices/>", "", "<g:RelayDevices/>", "").Replace(string(bare.Encode()))
	if got, err := DecodeContact([]byte(in)); err != nil || !reflect.DeepEqual(got, bare) {
		t.Errorf("without servers: got %+v, %v", got, err)
	}
}

func TestContactRefuses(t *testing.T) {
	c := testContact(t, testElGamal(t).Public())
	plain := string(c.Encode())
	relay := `<g:Device URL="grooveDNS://relay1.contoso.com"/>`
	checkRefusals(t, plain, DecodeContact, []refusal{
		{"another root", plain, "<Contact/>", "fragment"},
		{"no contact", plain, `<g:fragment xmlns:g="urn:groove.net"/>`, "fragment/Contact"},
		{"no sequence number", "SeqNum", "Seq", "Contact/@SeqNum"},
		{"no URL", `URL="` + identityURL + `"`, `URL=""`, "Contact/@URL"},
		{"no version", ` Version`, ` V`, "Contact/@Version"},
		{"no vCard", "g:vCard", "g:Card", "Contact/vCard"},
		{"no vCard data", "Data", "Text", "vCard/@Data"},
		{"no devices", plain[strings.Index(plain, "<g:ClientDevices>"):strings.Index(plain, "<g:RelayDevices>")], "", "Contact/ClientDevices"},
		{"two devices", "<g:ClientDevices>", "<g:ClientDevices><g:Device/>", "ClientDevices/Device"},
		{"device without URL", ` URL="dpp:///e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s"`, "", "Device/@URL"},
		{"no platform", "PlatformVersion", "Platform", "Device/@PlatformVersion"},
		{"relay without URL", relay, "<g:Device/>", "Device/@URL"},
		{"two lists of relays", "<g:RelayDevices>", "<g:RelayDevices/><g:RelayDevices>", "Contact/RelayDevices"},
		{"no security", plain[strings.Index(plain, "<g:CSecurity"):strings.Index(plain, "</g:Contact>")], "", "Contact/CSecurity"},
		{"no algorithms", "g:Algos", "g:Algo", "CSecurity/Algos"},
		{"no settings", "g:Settings", "g:Setting", "CSecurity/Settings"},
		{"other encryption", `EncAlgo="ELGAMAL"`, `EncAlgo="AES"`, "Algos/@EncAlgo"},
		{"RSA key for ELGAMAL", `EncKeyAlgo="DH"`, `EncKeyAlgo="RSA"`, "Algos/@EncKeyAlgo"},
		{"DH key for RSA", `EncAlgo="ELGAMAL"`, `EncAlgo="RSA"`, "CSecurity/@EPubKey"},
		{"other signature", `SigAlgo="RSA"`, `SigAlgo="DSA"`, "Algos/@SigAlgo"},
		{"other signature key", `SigKeyAlgo="RSA"`, `SigKeyAlgo="DSA"`, "Algos/@SigKeyAlgo"},
		{"other cipher", `"MARC4-BM"`, `"MARC4"`, "Settings/@CipherAlgo"},
		{"other digest", `"SHA1"`, `"SHA256"`, "Settings/@DigestAlgo"},
		{"not encrypted", `Encrypted="1"`, `Encrypted="0"`, "Settings/@Encrypted"},
		{"other secret key", `"ARC4"`, `"RC4"`, "Settings/@SKeyAlgo"},
		{"no encryption key", "EPubKey", "EKey", "CSecurity/@EPubKey"},
		{"no signature key", "SPubKey", "SKey", "CSecurity/@SPubKey"},
		{"bad signature key", `SPubKey="`, `SPubKey="AQID`, "CSecurity/@SPubKey"},
		{"no self-signature", "SelfSignature", "Self", "CSecurity/@SelfSignature"},
	})
}
