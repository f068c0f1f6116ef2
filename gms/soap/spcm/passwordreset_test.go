package spcm

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

var testHash = keys.Sum(1, []byte("key"))

func testResetRequest(t testing.TB, encryption keys.EncryptionKey) *PassphraseResetRequest {
	return &PassphraseResetRequest{
		AccountGUID: accountGUID, RecoveryKeyHash: testHash, MasterKey: []byte{1, 2, 3}, SecretMasterKey: []byte{4, 5, 6},
		Contact: TemporaryContact{
			URL:      identityURL,
			Security: CSecurity{Encryption: encryption, Signature: testSigner(t).Public(), SelfSignature: []byte{1, 2, 3}},
		},
	}
}

func largestResetRequest(t testing.TB) *PassphraseResetRequest {
	m := testResetRequest(t, testElGamal(t).Public())
	m.MasterKey, m.SecretMasterKey = make([]byte, MaxEscrow), make([]byte, MaxEscrow)
	return m
}

func testAutomaticReset() *AutomaticPasswordReset {
	return &AutomaticPasswordReset{
		AccountGUID: accountGUID, IdentityURL: identityURL, RecoveryKeyHash: testHash,
		MasterKey: []byte{1, 2, 3}, SecretMasterKey: []byte{4, 5, 6},
		Subject: "Groove", Salutation: "Hello Ann,", Body: "one\ntwo", DisplayName: "Ann", Email: "ann@contoso.com",
	}
}

func largestAutomaticReset() *AutomaticPasswordReset {
	m := testAutomaticReset()
	m.MasterKey, m.SecretMasterKey = make([]byte, MaxEscrow), make([]byte, MaxEscrow)
	m.Body = strings.Repeat("b", maxMailBody)
	return m
}

func testSealed() *AutomaticPasswordResetResponse {
	return &AutomaticPasswordResetResponse{Email: "ann@contoso.com", IdentityURL: identityURL, Keys: keys.SealedStorageKeys{
		MasterKey: []byte{1}, MasterKeyIV: []byte{2}, SecretMasterKey: []byte{3}, SecretMasterKeyIV: []byte{4}, MAC: []byte{5},
	}}
}

// TestPasswordResetLayouts compares the messages of password management with
// their sections.
func TestPasswordResetLayouts(t *testing.T) {
	hash := soap.EncodeBase64(testHash[:])
	request := testResetRequest(t, testElGamal(t).Public())
	for _, test := range []struct {
		section string
		message interface{ Encode() []byte }
		decode  func([]byte) (any, error)
		want    string
	}{
		{"2.2.3.42.1", request, erase(DecodePassphraseResetRequest),
			fragmentStart + `<PassphraseResetRequest AccountGUID="` + accountGUID + `" AdminPublicKeyHash="` + hash +
				`" DigestAlgorithm="SHA1" EncryptedMasterKey="AQID" EncryptedSecretMasterKey="BAUG">` +
				`<g:Contact Flags="1" SeqNum="1" URL="` + identityURL + `" Version="0,0,0,0">` +
				`<g:vCard/><g:ClientDevices/><g:RelayDevices/>` +
				`<g:CSecurity EPubKey="` + soap.EncodeBase64(testElGamal(t).Public().DER()) + `" SPubKey="` +
				soap.EncodeBase64(testSigner(t).Public().DER()) + `" SelfSignature="AQID">` +
				`<g:Algos EncAlgo="ELGAMAL" EncKeyAlgo="DH" SigAlgo="RSA" SigKeyAlgo="RSA"/>` +
				`<g:Settings CipherAlgo="MARC4-BM" DigestAlgo="SHA1" Encrypted="1" SKeyAlgo="ARC4"/>` +
				`</g:CSecurity></g:Contact></PassphraseResetRequest></g:fragment>`},
		{"2.2.3.44.1", &PassphraseResetStatus{accountGUID}, erase(DecodePassphraseResetStatus),
			soap.Prolog + `<PassphraseResetStatus AccountGUID="` + accountGUID + `"/>`},
		{"2.2.3.45.1, pending", &PassphraseResetStatusResponse{AccountGUID: accountGUID, Status: ResetPending},
			erase(DecodePassphraseResetStatusResponse),
			inLayer(`<PassphraseResetStatus AccountGUID="` + accountGUID + `" Status="2"/>`)},
		{"2.2.3.45.1, approved", &PassphraseResetStatusResponse{accountGUID, ResetApproved, []byte{1, 2, 3}, []byte{4, 5, 6}},
			erase(DecodePassphraseResetStatusResponse),
			inLayer(`<PassphraseResetStatus AccountGUID="` + accountGUID +
				`" EncryptedMasterKey="AQID" EncryptedSecretMasterKey="BAUG" Status="0"/>`)},
		{"2.2.3.13.1", testAutomaticReset(), erase(DecodeAutomaticPasswordReset),
			fragmentStart + `<g:AutomaticPasswordResetRequest AutoPasswordResetBody="one&#10;two" AutoPasswordResetSalutation="Hello Ann,"` +
				` AutoPasswordResetSubject="Groove" CertificatePublicKeyHash="` + hash + `" ContactDisplayName="Ann" DigestAlgorithm="SHA1"` +
				` EmailAddress="ann@contoso.com" EncryptedMasterKey="AQID" EncryptedSecretMasterKey="BAUG" GUID="` + accountGUID +
				`" URL="` + identityURL + `"/></g:fragment>`},
		{"2.2.3.14.1", testSealed(), erase(DecodeAutomaticPasswordResetResponse),
			fragmentStart + `<g:AutomaticPasswordResetRequest EmailAddress="ann@contoso.com" EncryptedMasterKey="AQ==" EncryptedMasterKeyIV="Ag=="` +
				` EncryptedSecretMasterKey="Aw==" EncryptedSecretMasterKeyIV="BA==" MAC="BQ==" URL="` + identityURL + `"/></g:fragment>`},
	} {
		t.Run(test.section, func(t *testing.T) {
			encoded := test.message.Encode()
			if string(encoded) != test.want {
				t.Errorf("got\n%s\nwant\n%s", encoded, test.want)
			}
			got, err := test.decode(encoded)
			if err != nil || !reflect.DeepEqual(got, test.message) {
				t.Errorf("decoded %+v, %v\nwant %+v", got, err, test.message)
			}
		})
	}
}

func TestPasswordResetReadings(t *testing.T) {
	// Reading E5: both values of pending.
	in := `<PassphraseResetStatus AccountGUID="a" Status="3"/>`
	if got, err := DecodePassphraseResetStatusResponse([]byte(in)); err != nil || got.Status != ResetPending {
		t.Errorf("got %+v, %v", got, err)
	}
	// Reading B4: no prefix in payloads.
	for _, m := range []interface{ Encode() []byte }{testResetRequest(t, testSigner(t).Public()), testAutomaticReset()} {
		in := bytes.ReplaceAll(bytes.ReplaceAll(m.Encode(), []byte("<g:"), []byte("<")), []byte("</g:"), []byte("</"))
		var err error
		if bytes.Contains(in, []byte("Automatic")) {
			_, err = DecodeAutomaticPasswordReset(in)
		} else {
			_, err = DecodePassphraseResetRequest(in)
		}
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestPasswordResetRefuses(t *testing.T) {
	hash := soap.EncodeBase64(testHash[:])
	large := soap.EncodeBase64(make([]byte, MaxEscrow+1))
	element := "PassphraseResetRequest"
	checkRefusals(t, string(testResetRequest(t, testSigner(t).Public()).Encode()), DecodePassphraseResetRequest, []refusal{
		{"given twice", "<PassphraseResetRequest", "<PassphraseResetRequest/><PassphraseResetRequest", "fragment/" + element},
		{"no account", accountGUID, "", element + "/@AccountGUID"},
		{"short hash", hash, "AQID", element + "/@AdminPublicKeyHash"},
		{"no hash", "AdminPublicKeyHash", "Hash", element + "/@AdminPublicKeyHash"},
		{"other digest", `DigestAlgorithm="SHA1"`, `DigestAlgorithm="MD5"`, element + "/@DigestAlgorithm"},
		{"no master key", "AQID", "", element + "/@EncryptedMasterKey"},
		{"large master key", "AQID", large, element + "/@EncryptedMasterKey"},
		{"no secret master key", "BAUG", "", element + "/@EncryptedSecretMasterKey"},
		{"no contact", "g:Contact", "g:Person", "payload"},
		{"other flags", `Flags="1"`, `Flags="2"`, "Contact/@Flags"},
		{"other number", `SeqNum="1"`, `SeqNum="2"`, "Contact/@SeqNum"},
		{"other version", `"0,0,0,0"`, `"1,0,0,0"`, "Contact/@Version"},
		{"no identity", identityURL, "", "Contact/@URL"},
		{"no security", "g:Algos", "g:Algo", "CSecurity/Algos"},
	})
	checkRefusals(t, string((&PassphraseResetStatus{"a"}).Encode()), DecodePassphraseResetStatus, []refusal{
		{"another root", "PassphraseResetStatus", "Status", "PassphraseResetStatus"},
		{"no account", `"a"`, `""`, "PassphraseResetStatus/@AccountGUID"},
	})
	checkRefusals(t, `<PassphraseResetStatus AccountGUID="a" EncryptedMasterKey="AQID" EncryptedSecretMasterKey="BAUG" Status="0"/>`,
		DecodePassphraseResetStatusResponse, []refusal{
			{"no account", `"a"`, `""`, "PassphraseResetStatus/@AccountGUID"},
			{"other status", `Status="0"`, `Status="4"`, "PassphraseResetStatus/@Status"},
			{"approved without key", `EncryptedMasterKey="AQID"`, ``, "PassphraseResetStatus/@EncryptedMasterKey"},
			{"approved without the other", `EncryptedSecretMasterKey="BAUG"`, ``, "PassphraseResetStatus/@EncryptedSecretMasterKey"},
		})
	element = "AutomaticPasswordResetRequest"
	checkRefusals(t, string(testAutomaticReset().Encode()), DecodeAutomaticPasswordReset, []refusal{
		{"another element", element, "Request", "fragment/" + element},
		{"no account", accountGUID, "", element + "/@GUID"},
		{"no identity", identityURL, "", element + "/@URL"},
		{"short hash", hash, "AQID", element + "/@CertificatePublicKeyHash"},
		{"other digest", `"SHA1"`, `"MD5"`, element + "/@DigestAlgorithm"},
		{"no master key", "AQID", "", element + "/@EncryptedMasterKey"},
		{"large secret master key", "BAUG", large, element + "/@EncryptedSecretMasterKey"},
		{"line break in the subject", `"Groove"`, `"a&#10;Bcc: b"`, element + "/@AutoPasswordResetSubject"},
		{"line break in the salutation", `"Hello Ann,"`, `"&#13;"`, element + "/@AutoPasswordResetSalutation"},
		{"delete character in the body", "one&#10;", "&#127;", element + "/@AutoPasswordResetBody"},
		{"long body", "one&#10;", strings.Repeat("b", maxMailBody), element + "/@AutoPasswordResetBody"},
		{"no display name", "ContactDisplayName", "Name", element + "/@ContactDisplayName"},
		{"no address", "EmailAddress", "Address", element + "/@EmailAddress"},
	})
	checkRefusals(t, string(testSealed().Encode()), DecodeAutomaticPasswordResetResponse, []refusal{
		{"another element", element, "Request", "fragment/" + element},
		{"no address", "EmailAddress", "Address", element + "/@EmailAddress"},
		{"no MAC", "MAC", "Mac", element + "/@MAC"},
		{"bad counter", `"Ag=="`, `"Ag"`, element + "/@EncryptedMasterKeyIV"},
	})
}
