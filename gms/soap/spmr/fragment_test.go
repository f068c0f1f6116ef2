package spmr

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"furrow/gms/soap"
)

// TestExamples compares with the fragments that section 4 prints, as far as they
// came through undamaged. Nobody has their keys; but MARC4 keeps the length, so
// that of the ciphertext shows how the plaintext was serialized.
func TestExamples(t *testing.T) {
	for _, test := range []struct {
		section, file string
		method        string
		plaintext     []byte
	}{
		{"4.1 and 4.2 step 4", "registration-response", MethodRegistration, (&RegistrationResponse{3}).Encode()},
		{"4.3 step 1", "quiescent-request", MethodRelayQuiescent, (&RelayQuiescent{true}).Encode()},
		{"4.3 step 2", "quiescent-response", MethodRelayQuiescent, (&Response{MethodRelayQuiescent, 3}).Encode()},
		{"4.3 step 4", "useradd-response", MethodUserAdd, (&Response{MethodUserAdd, 4}).Encode()},
		{"4.4.2 step 2", "accountmodify-response", MethodAccountModify, (&Response{MethodAccountModify, 2}).Encode()},
	} {
		t.Run(test.section, func(t *testing.T) {
			data := example(t, test.file)
			f, err := ParseFragment(data, MaxResponseSize)
			must(t, err)
			if want := (Header{"Testserver/gms.dll", test.method}); f.Header != want {
				t.Errorf("header %+v, want %+v", f.Header, want)
			}
			if len(f.IV) != SharedKeySize {
				t.Errorf("IV of %d bytes", len(f.IV))
			}
			root, err := soap.Parse(data, MaxResponseSize)
			must(t, err)
			if again := soap.Canonical(root); !bytes.Equal(again, data) {
				t.Errorf("serialized again:\n%s\nprinted:\n%s", again, data)
			}
			ec, err := base64.StdEncoding.DecodeString(root.FindElement("//g:Enc").SelectAttrValue("EC", ""))
			must(t, err)
			if len(ec) != len(test.plaintext) {
				t.Errorf("%d bytes are encrypted, %s has %d", len(ec), test.plaintext, len(test.plaintext))
			}
			if _, _, err := f.Open(sharedKey(t)); code(err) != CodeDecryption {
				t.Errorf("opened under another key: %v", err)
			}
			own, err := Secure(f.Header, sharedKey(t), test.plaintext, soap.RelayMACs()[0])
			must(t, err)
			if len(own) != len(data) {
				t.Errorf("ours has %d bytes, the printed one %d:\n%s\n%s", len(own), len(data), own, data)
			}
		})
	}
	// The ciphertext of 4.3 step 3 has 293 bytes, its IV was damaged in print.
	if got := len((&UserAdd{exampleUsers}).Encode()); got != 293 {
		t.Errorf("userAdd of 4.3 has %d bytes, want 293", got)
	}
	// The ciphertexts of 4.4 have been exchanged: that of 4.4.2 is as long as the
	// message of 4.4.1 (reading F8).
	m := &AccountModify{}
	for _, user := range exampleUsers {
		m.Users = append(m.Users, UserLockout{user, true})
	}
	if got := len(m.Encode()); got != 353 {
		t.Errorf("accountModify of 4.4.1 has %d bytes, want 353", got)
	}
}

func TestOpen(t *testing.T) {
	h := Header{"host/gms.dll", MethodUserAdd}
	payload := (&UserAdd{exampleUsers}).Encode()
	key := sharedKey(t)
	for _, reading := range soap.RelayMACs() { // readings A2, A6
		data, err := Secure(h, key, payload, reading)
		must(t, err)
		f, err := ParseFragment(data, MaxRequestSize)
		must(t, err)
		got, as, err := f.Open(key)
		if err != nil || !bytes.Equal(got, payload) || as != reading {
			t.Errorf("reading %d: opened %q as %d, %v", reading, got, as, err)
		}
	}
	data, err := Secure(h, key, payload, soap.RelayMACs()[0])
	must(t, err)
	for _, change := range [][2]string{{"host/", "most/"}, {`Method="userAdd"`, `Method="userPurge"`}} {
		f, err := ParseFragment([]byte(strings.Replace(string(data), change[0], change[1], 1)), MaxRequestSize)
		must(t, err)
		if _, _, err := f.Open(key); code(err) != CodeDecryption {
			t.Errorf("3.1.2.3.8: opened with %s: %v", change[1], err)
		}
	}
}

func TestFragmentRefusals(t *testing.T) {
	const start, end = soap.Prolog + `<g:fragment xmlns:g="urn:groove.net">`, `</g:fragment>`
	const enc, auth = `<g:Enc EC="AA==" IV="AA=="/>`, `<g:Auth MAC="AA=="/>`
	for _, test := range []struct {
		section, data string
		want          soap.Code
	}{
		{"2.2.2.1.2 no XML", `<`, CodeInvalidInput},
		{"2.2.2.1.2 another root", `<fragment/>`, CodeInvalidInput},
		{"2.2.2.1.2 no Payload", start + end, CodeInvalidInput},
		{"2.2.2.1.2 no SE", start + `<Payload ManagementServer="a" Method="b"/>` + end, CodeInvalidInput},
		{"3.1.2.2.2 Payload with a prefix (reading F6)", start + `<g:Payload ManagementServer="a" Method="b"><g:SE>` + enc + auth + `</g:SE></g:Payload>` + end, CodeInvalidInput},
		{"2.2.2.1.2 no ManagementServer", start + `<Payload Method="b"><g:SE>` + enc + auth + `</g:SE></Payload>` + end, CodeMissingInput},
		{"2.2.2.1.2 no Method", start + `<Payload ManagementServer="a"><g:SE>` + enc + auth + `</g:SE></Payload>` + end, CodeMissingInput},
		{"2.2.2.1.2 empty ManagementServer", start + `<Payload ManagementServer="" Method="b"><g:SE>` + enc + auth + `</g:SE></Payload>` + end, CodeInvalidInput},
		{"2.2.2.1.2 no Enc", start + `<Payload ManagementServer="a" Method="b"><g:SE>` + auth + `</g:SE></Payload>` + end, CodeMissingInput},
		{"2.2.2.1.2 no IV", start + `<Payload ManagementServer="a" Method="b"><g:SE><g:Enc EC="AA=="/>` + auth + `</g:SE></Payload>` + end, CodeMissingInput},
		{"2.2.2.1.2 IV no base64", start + `<Payload ManagementServer="a" Method="b"><g:SE><g:Enc EC="AA==" IV="?"/>` + auth + `</g:SE></Payload>` + end, CodeInvalidInput},
	} {
		t.Run(test.section, func(t *testing.T) {
			if _, err := ParseFragment([]byte(test.data), MaxRequestSize); err == nil || code(err) != test.want {
				t.Errorf("refused with %v, want fault %d", err, test.want)
			}
		})
	}
	f, err := ParseFragment([]byte(start+`<Payload ManagementServer="a" Method="b"><g:SE>`+enc+`</g:SE></Payload>`+end), MaxRequestSize)
	must(t, err)
	if _, _, err := f.Open(sharedKey(t)); code(err) != CodeDecryption {
		t.Errorf("opened without Auth: %v", err)
	}
}

func TestOpenResponse(t *testing.T) {
	h, key := Header{"host/gms.dll", MethodUserAdd}, sharedKey(t)
	payload := (&Response{MethodUserAdd, 4}).Encode()
	data, err := Secure(h, key, payload, soap.RelayMACs()[1])
	must(t, err)
	if got, err := OpenResponse(data, h, key); err != nil || !bytes.Equal(got, payload) {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, err := OpenResponse(data, h, sharedKey(t)); err == nil {
		t.Error("opened under another key")
	}
	// 3.2.4.2.4: the values must be those of the request.
	if _, err := OpenResponse(data, Header{"host/gms.dll", MethodUserPurge}, key); err == nil {
		t.Error("opened as the response to another method")
	}
	if _, err := OpenResponse(data, Header{"other/gms.dll", MethodUserAdd}, key); err == nil {
		t.Error("opened as the response to another manager")
	}
}
