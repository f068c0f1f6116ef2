package soap

import (
	"bytes"
	"crypto/hmac"
	"crypto/rc4"
	"crypto/sha1"
	"encoding/base64"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"furrow/appliance/keys"
)

func testKey(t testing.TB, size int) keys.SharedKey {
	t.Helper()
	key, err := keys.NewSharedKey([]byte("0123456789abcdefghijklmnopqrstuv")[:size])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testSigner(t testing.TB) *keys.RSAPrivateKey {
	t.Helper()
	text, err := os.ReadFile("testdata/signer.p8")
	if err != nil {
		t.Fatal(err)
	}
	der, err := DecodeBase64(string(text))
	if err != nil {
		t.Fatal(err)
	}
	key, err := keys.ParseRSAPrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testEvent() *Event {
	return &Event{
		DeviceGUID:      "e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s",
		DomainGUID:      "7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i",
		GUID:            "a6afv5ms7sxxpkzpzfvwbra83av34at3mz6ytds",
		GrooveVersion:   "4,2,0,2623",
		IdentityURL:     "grooveIdentity://w7e552zcd2us7uhc7upitakem5j9ezxk@",
		IsDeviceAccount: false,
		UserDeviceGUID:  "e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s",
		UserDeviceName:  "FABRIKAM",
		ID:              286456191,
		Created:         1199892192,
	}
}

// TestSecureKnownAnswer rebuilds a secured fragment by the letter of MS-GRVSPCM
// 3.1.5, with nothing but the standard library.
func TestSecureKnownAnswer(t *testing.T) {
	const header = Prolog + `<g:fragment xmlns:g="urn:groove.net"><PayloadWrapper>` +
		`<g:SE KeyID="AQIDBAUGBwgJCgsMDQ4PEBESExQ="/></PayloadWrapper></g:fragment>`
	const payload = Prolog + `<Payload GrooveVersion="4,2,0,2623"/>`
	key := testKey(t, 20)
	id := keys.Digest{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}
	secured, err := NewFragment(NewElement(WrapperPayload), KeyIDAttr(id)).Secure(key, []byte(payload), MACOverDigest)
	if err != nil {
		t.Fatal(err)
	}
	iv := between(t, secured, ` IV="`, `"/>`)
	mixed := key.Bytes()
	for i := range mixed {
		mixed[i] ^= iv[i]
	}
	stream, err := rc4.NewCipher(mixed)
	if err != nil {
		t.Fatal(err)
	}
	stream.XORKeyStream(make([]byte, 256), make([]byte, 256))
	ciphertext := make([]byte, len(payload))
	stream.XORKeyStream(ciphertext, []byte(payload))

	digest := sha1.Sum([]byte(header + payload))
	mac := hmac.New(sha1.New, key.Bytes())
	mac.Write(digest[:])
	b64 := base64.StdEncoding.EncodeToString
	want := strings.Replace(header, "/></PayloadWrapper>", `><g:Enc EC="`+b64(ciphertext)+`" IV="`+b64(iv)+`"/>`+
		`<g:Auth MAC="`+b64(mac.Sum(nil))+`"/></g:SE></PayloadWrapper>`, 1)
	if string(secured) != want {
		t.Errorf("got\n%s\nwant\n%s", secured, want)
	}

	f, err := ParseFragment(secured, 4096, WrapperPayload)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.KeyID(); got != id || err != nil {
		t.Errorf("KeyID %v, %v", got, err)
	}
	if string(f.Header()) != header {
		t.Errorf("header\n%s\nwant\n%s", f.Header(), header)
	}
}

func between(t *testing.T, b []byte, before, after string) []byte {
	t.Helper()
	_, rest, _ := bytes.Cut(b, []byte(before))
	value, _, ok := bytes.Cut(rest, []byte(after))
	if !ok {
		t.Fatalf("no %s in %s", before, b)
	}
	decoded, err := DecodeBase64(string(value))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// TestSecureOpen: what was secured opens to the same, and tells the reading.
func TestSecureOpen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), keys.MinSharedKeySize, keys.MaxSharedKeySize).Draw(rt, "key")
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(rt, "plaintext")
		reading := rapid.SampledFrom(RelayMACs()).Draw(rt, "reading")
		wrapper := NewElement(WrapperRelay, Attr{"ManagementServer", rapid.String().Draw(rt, "server")}, Attr{"Method", "userAdd"})
		key, err := keys.NewSharedKey(secret)
		if err != nil {
			rt.Fatal(err)
		}
		secured, err := NewFragment(wrapper).Secure(key, plaintext, reading)
		if err != nil {
			rt.Fatal(err)
		}
		f, err := ParseFragment(secured, 64<<10, WrapperRelay)
		if err != nil {
			rt.Fatal(err)
		}
		got, as, err := f.Open(key, ManagementMACs())
		if err != nil || as != reading || !bytes.Equal(got, plaintext) {
			rt.Fatalf("got %x as %d, %v", got, as, err)
		}
	})
}

// TestOpenDetectsEveryFlippedBit flips each bit of a secured fragment behind
// the prolog, which is not transported but implied.
func TestOpenDetectsEveryFlippedBit(t *testing.T) {
	key := testKey(t, keys.AccountKeySize)
	secured, err := NewFragment(testEvent().Element()).Secure(key, []byte(Prolog+`<AccountHeartbeat Version="1"/>`), MACOverDigest)
	if err != nil {
		t.Fatal(err)
	}
	open := func(b []byte) error {
		f, err := ParseFragment(b, 4096, WrapperEvent)
		if err != nil {
			return err
		}
		_, _, err = f.Open(key, ManagementMACs())
		return err
	}
	if err := open(secured); err != nil {
		t.Fatal(err)
	}
	for i := len(Prolog); i < len(secured); i++ {
		for bit := range 8 {
			secured[i] ^= 1 << bit
			if err := open(secured); err == nil {
				t.Errorf("opened with bit %d of byte %d flipped:\n%s", bit, i, secured)
			}
			secured[i] ^= 1 << bit
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	key := testKey(t, keys.AccountKeySize)
	secure := func(reading MACReading) string {
		b, err := NewFragment(testEvent().Element()).Secure(key, []byte("payload"), reading)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	good := secure(MACOverDigest)
	_, rest, _ := strings.Cut(good, "<g:Auth")
	auth := "<g:Auth" + strings.TrimSuffix(rest, "</g:SE></Event></g:fragment>")
	enc := good[strings.Index(good, "<g:Enc"):strings.Index(good, "<g:Auth")]
	replace := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("%q not in the fragment", from)
		}
		return strings.Replace(good, from, to, 1)
	}
	for _, test := range []struct {
		name, in string
		code     Code
	}{
		{"no XML", "x", CodeMalformed},
		{"document type", "<!DOCTYPE a>" + good, CodeMalformed},
		{"too large", good + strings.Repeat(" ", 4096), CodeMalformed},
		{"another prefix", strings.NewReplacer("g:", "h:", ":g=", ":h=").Replace(good), CodeParameter},
		{"another namespace", replace("urn:groove.net", "urn:groove.com"), CodeParameter},
		{"another root", strings.ReplaceAll(good, "g:fragment", "g:piece"), CodeParameter},
		{"another wrapper", strings.NewReplacer("<Event", "<Payload", "</Event", "</Payload").Replace(good), CodeParameter},
		{"wrapper with a prefix", strings.NewReplacer("<Event", "<g:Event", "</Event", "</g:Event").Replace(good), CodeParameter},
		{"two wrappers", replace("</Event>", "</Event><Event/>"), CodeParameter},
		{"no wrapper", `<g:fragment xmlns:g="urn:groove.net"/>`, CodeParameter},
		{"no security element", `<g:fragment xmlns:g="urn:groove.net"><Event/></g:fragment>`, CodeParameter},
		{"two security elements", replace("</g:SE>", "</g:SE><g:SE/>"), CodeParameter},
		{"two contents", replace("<g:Enc", enc+"<g:Enc"), CodeParameter},
		{"two authenticators", replace("<g:Auth", auth+"<g:Auth"), CodeParameter},
		{"no content", replace(enc, ""), CodeParameter},
		{"no authenticator", replace(auth, ""), CodeParameter},
		{"no MAC", replace("MAC=", "Sig="), CodeParameter},
		{"no ciphertext", replace("EC=", "CE="), CodeParameter},
		{"no IV", replace("IV=", "VI="), CodeParameter},
		{"MAC not base64", replace(`MAC="`, `MAC="*`), CodeParameter},
		{"MAC cut short", replace(auth, `<g:Auth MAC="AQID"/>`), CodeSecurity},
		{"empty MAC", replace(auth, `<g:Auth MAC=""/>`), CodeSecurity},
		{"IV of another size", replace(`IV="`, `IV="AQID`), CodeSecurity},
		{"one more child", replace("<g:Enc", "<g:Cert/><g:Enc"), CodeSecurity},
		{"one more attribute", replace("<g:SE", `<g:SE x=""`), CodeSecurity},
		{"other text in the header", replace("FABRIKAM", "CONTOSO"), CodeSecurity},
		{"text added to the header", replace("<g:SE>", "x<g:SE>"), CodeSecurity},
		{"reading not accepted", secure(MACOverData), CodeSecurity},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := ParseFragment([]byte(test.in), 4096, WrapperEvent)
			if err == nil {
				var plaintext []byte
				plaintext, _, err = f.Open(key, []MACReading{MACOverDigest, MACOverDoubleDigest})
				if plaintext != nil {
					t.Errorf("plaintext %q", plaintext)
				}
			}
			wantFault(t, err, test.code, "")
		})
	}

	f, err := ParseFragment([]byte(good), 4096, WrapperEvent)
	if err != nil {
		t.Fatal(err)
	}
	other, err := keys.GenerateSharedKey(keys.AccountKeySize)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = f.Open(other, ManagementMACs())
	wantFault(t, err, CodeSecurity, CodeSecurity.String())
	_, _, err = f.Open(testKey(t, 20), ManagementMACs())
	wantFault(t, err, CodeSecurity, CodeSecurity.String())
	if _, _, err := f.Open(key, ManagementMACs()); err != nil {
		t.Errorf("right key after wrong ones: %v", err)
	}
}

func TestKeyIDRefuses(t *testing.T) {
	for _, se := range []string{`<g:SE/>`, `<g:SE KeyID=""/>`, `<g:SE KeyID="AQID"/>`, `<g:SE KeyID="*"/>`} {
		f, err := ParseFragment([]byte(`<g:fragment xmlns:g="urn:groove.net"><PayloadWrapper>`+se+
			`</PayloadWrapper></g:fragment>`), 4096, WrapperPayload)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.KeyID()
		wantFault(t, err, CodeParameter, " SE/@KeyID")
	}
}

// TestSignature makes and checks the signature of CreateAccount in all its
// readings (A4, A7).
func TestSignature(t *testing.T) {
	signer := testSigner(t)
	certificate := &Certificate{signer.Public(), signer.Public()}
	for _, rounds := range []int{1, 2, 3} {
		f := NewFragment(NewElement(WrapperEvent, Attr{"GUID", "x"}), Attr{"CSMKey", "AQID"})
		f.Security().AddChild(certificate.Element())
		signed, err := f.Sign(signer, rounds)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := ParseFragment(signed, 8192, WrapperEvent)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(parsed.Header(), f.Header()) {
			t.Fatalf("headers differ:\n%s\n%s", parsed.Header(), f.Header())
		}
		got, err := DecodeCertificate(parsed.Security())
		if err != nil || !reflect.DeepEqual(got, certificate) {
			t.Fatalf("certificate %v, %v", got, err)
		}
		reading, err := parsed.VerifySignature(got.Signature, CreateAccountSignatures())
		if err != nil || reading != (SignatureReading{rounds, false}) {
			t.Errorf("%d rounds: verified as %v, %v", rounds, reading, err)
		}
		_, err = parsed.VerifySignature(got.Signature, []SignatureReading{{rounds + 1, false}, {rounds, true}})
		wantFault(t, err, CodeSecurity, "")
		_, err = parsed.VerifySignature(got.Signature, CreateAccountSignatures(), []byte("more"))
		wantFault(t, err, CodeSecurity, "")

		changed, err := ParseFragment(bytes.Replace(signed, []byte("AQID"), []byte("AQIE"), 1), 8192, WrapperEvent)
		if err != nil {
			t.Fatal(err)
		}
		_, err = changed.VerifySignature(got.Signature, CreateAccountSignatures())
		wantFault(t, err, CodeSecurity, "")

		unsigned, err := ParseFragment(bytes.Replace(signed, []byte("Sig="), []byte("MAC="), 1), 8192, WrapperEvent)
		if err != nil {
			t.Fatal(err)
		}
		_, err = unsigned.VerifySignature(got.Signature, CreateAccountSignatures())
		wantFault(t, err, CodeParameter, " Auth/@Sig")
	}
}

func TestCertificateRefuses(t *testing.T) {
	signer := testSigner(t)
	good := string(AppendCanonical(nil, (&Certificate{signer.Public(), signer.Public()}).Element()))
	key := EncodeBase64(signer.Public().DER())
	for _, test := range []struct{ name, from, to, want string }{
		{"none", "g:Cert", "g:Cart", "SE/Cert"},
		{"unknown encryption", `EncAlgo="RSA"`, `EncAlgo="AES"`, "Cert/@EncAlgo"},
		{"unknown encryption key", `EPKAlgo="RSA"`, `EPKAlgo="EC"`, "Cert/@EPKAlgo"},
		{"ELGAMAL beside RSA", `EncAlgo="RSA"`, `EncAlgo="ELGAMAL"`, "Cert/@EPKAlgo"},
		{"unknown signature", `SigAlgo="RSA"`, `SigAlgo="DSA"`, "Cert/@SigAlgo"},
		{"unknown signature key", `SPKAlgo="RSA"`, `SPKAlgo="DSA"`, "Cert/@SPKAlgo"},
		{"no signature key", `SPubKey=`, `SKey=`, "Cert/@SPubKey"},
		{"broken encryption key", `EPubKey="` + key, `EPubKey="AQID`, "Cert/@EPubKey"},
		{"broken signature key", `SPubKey="` + key, `SPubKey="AQID`, "Cert/@SPubKey"},
	} {
		if !strings.Contains(good, test.from) {
			t.Fatalf("%s: %q not in the element", test.name, test.from)
		}
		root, err := Parse([]byte(`<g:SE xmlns:g="urn:groove.net">`+strings.ReplaceAll(good, test.from, test.to)+`</g:SE>`), 16<<10)
		if err != nil {
			t.Fatal(err)
		}
		_, err = DecodeCertificate(root)
		wantFault(t, err, CodeParameter, test.want)
	}
	// Reading B3: the schema fixes EPKAlgo to DH, whatever EncAlgo is.
	root, err := Parse([]byte(`<g:SE xmlns:g="urn:groove.net">`+strings.Replace(good, `EPKAlgo="RSA"`, `EPKAlgo="DH"`, 1)+`</g:SE>`), 16<<10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeCertificate(root); err != nil {
		t.Error(err)
	}
}

func FuzzFragment(f *testing.F) {
	key := testKey(f, keys.AccountKeySize)
	for _, wrapper := range []string{WrapperEvent, WrapperRelay} {
		for _, r := range ManagementMACs() {
			b, err := NewFragment(NewElement(wrapper, Attr{"a", "b"})).Secure(key, []byte(Prolog+"<Payload/>"), r)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	b, err := NewFragment(testEvent().Element()).Secure(key, []byte("x"), MACOverDigest)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(example(f, "spmr-4.2-registration"))
	pub := testSigner(f).Public()
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, wrapper := range []string{WrapperEvent, WrapperRelay} {
			fragment, err := ParseFragment(data, 16<<10, wrapper)
			if err != nil {
				continue
			}
			_, _ = fragment.KeyID()
			_, _ = DecodeCertificate(fragment.Security())
			_, _ = DecodeEvent(fragment.Wrapper())
			if _, err := fragment.VerifySignature(pub, CreateAccountSignatures()); err == nil {
				t.Fatal("forged signature")
			}
			header := bytes.Clone(fragment.Header())
			plaintext, reading, err := fragment.Open(key, ManagementMACs())
			if err != nil {
				continue
			}
			// It opened, so securing it again must give the same but for the IV.
			again, err := fragment.Secure(key, plaintext, reading)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := ParseFragment(again, 32<<10, wrapper)
			if err != nil || !bytes.Equal(parsed.Header(), header) {
				t.Fatalf("header changed: %v\n%s\n%s", err, parsed.Header(), header)
			}
		}
	})
}
