package spcm

import (
	"bytes"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

func testAccount(t testing.TB, encryption keys.EncryptionKey) *CreateAccount {
	return &CreateAccount{
		DomainGUID:   domainGUID,
		GUID:         accountGUID,
		Created:      1199892192,
		EncryptedKey: []byte{1, 2, 3},
		Certificate:  soap.Certificate{Encryption: encryption, Signature: testSigner(t).Public()},
	}
}

// TestCreateAccount compares with the layout of MS-GRVSPCM 2.2.3.19.1 and
// checks the signature by the letter of 3.2.5.2.2.4 to 3.2.5.2.2.7.
func TestCreateAccount(t *testing.T) {
	signer := testSigner(t)
	for _, encryption := range []keys.EncryptionKey{testElGamal(t).Public(), signer.Public()} {
		m := testAccount(t, encryption)
		m.IsDeviceAccount = encryption.Algorithm() == keys.AlgorithmRSA
		signed, err := m.Encode(signer)
		if err != nil {
			t.Fatal(err)
		}
		header := fragmentStart + `<Event DomainGUID="` + domainGUID + `" Encrypted="1" GUID="` + accountGUID +
			`" IsDeviceAccount="` + soap.FormatBool(m.IsDeviceAccount) + `" created="1199892192"><g:SE CSMKey="AQID">` +
			`<g:Cert EPKAlgo="` + encryption.KeyAlgorithm() + `" EPubKey="` + soap.EncodeBase64(encryption.DER()) +
			`" EncAlgo="` + encryption.Algorithm() + `" SPKAlgo="RSA" SPubKey="` + soap.EncodeBase64(signer.Public().DER()) +
			`" SigAlgo="RSA"/></g:SE></Event></g:fragment>`
		auth := regexp.MustCompile(`<g:Auth Sig="([^"]*)"/>`).FindSubmatch(signed)
		if auth == nil || string(bytes.Replace(signed, auth[0], nil, 1)) != header {
			t.Fatalf("got\n%s\nwant, but for g:Auth,\n%s", signed, header)
		}
		signature, err := soap.DecodeBase64(string(auth[1]))
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.Public().Verify(keys.Sum(2, []byte(header)), signature); err != nil {
			t.Error(err)
		}
		if got, err := DecodeCreateAccount(signed); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestCreateAccountRefuses(t *testing.T) {
	signed, err := testAccount(t, testElGamal(t).Public()).Encode(testSigner(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, from, to string
		code           soap.Code
	}{
		{"no XML", string(signed), "", soap.CodeMalformed},
		{"no event", "Event", "Payload", soap.CodeParameter},
		{"no domain", ` DomainGUID="` + domainGUID + `"`, "", soap.CodeParameter},
		{"no account", ` GUID="` + accountGUID + `"`, "", soap.CodeParameter},
		{"not encrypted", `Encrypted="1"`, `Encrypted="0"`, soap.CodeParameter},
		{"no kind", `IsDeviceAccount="0"`, ``, soap.CodeParameter},
		{"no time", `created`, `made`, soap.CodeParameter},
		{"no key", `CSMKey="AQID"`, ``, soap.CodeParameter},
		{"empty key", `CSMKey="AQID"`, `CSMKey=""`, soap.CodeParameter},
		{"no certificate", `g:Cert`, `g:Cart`, soap.CodeParameter},
		{"no signature", `Sig="`, `MAC="`, soap.CodeParameter},
		{"empty signature", `<g:Auth Sig="`, `<g:Auth Sig="" x="`, soap.CodeSecurity},
		{"another account", accountGUID, strings.ToUpper(accountGUID), soap.CodeSecurity},
		{"another kind", `IsDeviceAccount="0"`, `IsDeviceAccount="1"`, soap.CodeSecurity},
		{"another key", `CSMKey="AQID"`, `CSMKey="AQIE"`, soap.CodeSecurity},
		{"another time", `1199892192`, `1199892193`, soap.CodeSecurity},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(string(signed), test.from) {
				t.Fatalf("%q not in the fragment", test.from)
			}
			m, err := DecodeCreateAccount([]byte(strings.ReplaceAll(string(signed), test.from, test.to)))
			if f := soap.FaultFrom(err); err == nil || f.Code != test.code || m != nil {
				t.Errorf("got %v, %v; want fault %d", m, err, test.code)
			}
		})
	}
}

// TestActivationKeySignature follows MS-GRVSPCM 3.3.5.2.3 to the letter, and
// accepts reading A5.
func TestActivationKeySignature(t *testing.T) {
	const code = "9557EB24-5779-4635-BA83-4C4AD001B4F1"
	signer := testSigner(t)
	signature, err := SignActivationKey(signer, code)
	if err != nil {
		t.Fatal(err)
	}
	text := keys.UTF16LE("Activation Key: 9557EB24-5779-4635-BA83-4C4AD001B4F1")
	if err := signer.Public().Verify(keys.Sum(2, text), signature); err != nil {
		t.Error(err)
	}
	once, err := signer.Sign(keys.Sum(1, text))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range [][]byte{signature, once} {
		if err := VerifyActivationKey(signer.Public(), code, s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range [][]byte{nil, {}, signature[1:]} {
		err := VerifyActivationKey(signer.Public(), code, s)
		if f := soap.FaultFrom(err); err == nil || f.Code != soap.CodeEnrollmentSignature {
			t.Errorf("got %v", err)
		}
	}
	if err := VerifyActivationKey(signer.Public(), strings.ToLower(code), signature); err == nil {
		t.Error("verified for another code")
	}
}
