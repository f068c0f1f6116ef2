package spmr

import (
	"bytes"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

const managerName = "groove.example.com/gms.dll"

func sealed(t testing.TB, key keys.SharedKey) []byte {
	t.Helper()
	data, err := SealRegistration(managerName, managerKeys(), relayKeys().Encryption.Public(), key)
	must(t, err)
	return data
}

func TestRegistration(t *testing.T) {
	key := sharedKey(t)
	data := sealed(t, key)
	m, err := DecodeRegistration(data)
	must(t, err)
	if m.ManagementServer != managerName || !m.Certificate.Signature.Equal(managerKeys().Signature.Public()) ||
		!bytes.Equal(m.Certificate.Encryption.DER(), managerKeys().Encryption.Public().DER()) {
		t.Errorf("read %+v", m)
	}
	got, err := relayKeys().Encryption.DecryptSharedKey(m.EncryptedKey, SharedKeySize)
	if err != nil || !got.Equal(key) {
		t.Errorf("another shared key, %v", err)
	}
	must(t, m.Verify(key))
	if err := m.Verify(sharedKey(t)); code(err) != CodeDecryption {
		t.Errorf("verified with another key: %v", err)
	}
	// Reading F5 and the template of 3.2.4.1.1.
	order := []string{`<g:SE EncryptedKey="`, `<g:Cert EPKAlgo="RSA" EPubKey="`, `<g:Enc EC="`, `<g:Auth Sig="`}
	at := -1
	for _, part := range order {
		next := strings.Index(string(data), part)
		if next < at {
			t.Errorf("%s is not where it belongs in\n%s", part, data)
		}
		at = next
	}
}

// TestRegistrationReadings accepts a signature over the doubled digest, which the
// text could also mean (reading A3).
func TestRegistrationReadings(t *testing.T) {
	key := sharedKey(t)
	encrypted, err := relayKeys().Encryption.Public().Encrypt(key.Bytes())
	must(t, err)
	for rounds := 1; rounds <= 3; rounds++ {
		f := soap.NewFragment(Header{managerName, MethodRegistration}.element(), soap.Attr{Name: "EncryptedKey", Value: soap.EncodeBase64(encrypted)})
		c := certificateOf(managerKeys())
		f.Security().AddChild(c.Element())
		payload := []byte(soap.Prolog + `<Payload/>`)
		must(t, f.Encrypt(key, payload))
		data, err := f.Sign(managerKeys().Signature, rounds, payload)
		must(t, err)
		m, err := DecodeRegistration(data)
		must(t, err)
		if err := m.Verify(key); (err == nil) != (rounds <= 2) {
			t.Errorf("%d rounds: %v", rounds, err)
		}
	}
}

// TestRegistrationRefusals changes a sound message.
func TestRegistrationRefusals(t *testing.T) {
	key := sharedKey(t)
	data := string(sealed(t, key))
	other := soap.EncodeBase64(relayKeys().Signature.Public().DER())
	for _, test := range []struct {
		section  string
		old, new string
		want     soap.Code // of DecodeRegistration; 0 if Verify is to refuse
	}{
		{"3.2.4.1.3.1 no fragment", "g:fragment", "g:fragmend", CodeInvalidInput},
		{"2.2.3.4.1 no ManagementServer", "ManagementServer=", "Server=", CodeMissingInput},
		{"2.2.3.4.1 Method", `Method="Registration"`, `Method="userAdd"`, CodeMethod},
		{"2.2.3.4.1 no EncryptedKey", "EncryptedKey=", "Key=", CodeMissingInput},
		{"2.2.3.4.1 EncryptedKey no base64", `EncryptedKey="`, `EncryptedKey="?`, CodeInvalidInput},
		{"2.2.3.4.1 no Cert", "g:Cert", "g:Cerd", CodeMissingInput},
		{"2.2.3.4.1 no SPubKey", "SPubKey=", "SPubKex=", CodeMissingInput},
		{"2.2.3.4.1 EPKAlgo", `EPKAlgo="RSA"`, `EPKAlgo="DH"`, CodeInvalidInput},
		{"2.2.3.4.1 EncAlgo", `EncAlgo="RSA"`, `EncAlgo="ELGAMAL"`, CodeInvalidInput},
		{"2.2.3.4.1 SigAlgo", `SigAlgo="RSA"`, `SigAlgo="DSA"`, CodeInvalidInput},
		{"2.2.3.4.1 EPubKey no key", `EPubKey="`, `EPubKey="AAAA`, CodeInvalidInput},
		{"3.2.4.1.3.8 another manager", "groove.example", "grove.example", 0},
		{"3.2.4.1.3.8 another signature key", soap.EncodeBase64(managerKeys().Signature.Public().DER()), other, 0},
		{"3.2.4.1.3.8 another encryption key", soap.EncodeBase64(managerKeys().Encryption.Public().DER()), other, 0},
		{"3.2.4.1.3.8 no signature", "g:Auth", "g:Auht", 0},
		{"3.2.4.1.3.6 no content", "g:Enc", "g:Ecn", 0},
	} {
		t.Run(test.section, func(t *testing.T) {
			changed := strings.ReplaceAll(data, test.old, test.new)
			if changed == data {
				t.Fatal("nothing was changed")
			}
			m, err := DecodeRegistration([]byte(changed))
			if test.want != 0 {
				if err == nil || code(err) != test.want {
					t.Errorf("refused with %v, want fault %d", err, test.want)
				}
				return
			}
			must(t, err)
			if err := m.Verify(key); code(err) != CodeDecryption {
				t.Errorf("verified: %v", err)
			}
		})
	}
}
