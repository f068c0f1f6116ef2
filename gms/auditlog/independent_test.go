package auditlog

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"testing"

	"furrow/appliance/keys"
)

// TestIndependentDerivation makes a log with nothing of this package, letter by
// letter as the package comment has it, and opens it.
func TestIndependentDerivation(t *testing.T) {
	der, err := domainKey().Marshal()
	must(t, err)
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	must(t, err)
	public := &parsed.(*rsa.PrivateKey).PublicKey

	const prolog = `<?xml version='1.0'?><?groove.net version='1.0'?>`
	b64 := base64.StdEncoding.EncodeToString
	toDomain := func(key []byte) string {
		//lint:ignore SA1019 MS-GRVSPCM has PKCS #1 encryption
		c, err := rsa.EncryptPKCS1v15(rand.Reader, public, key)
		must(t, err)
		return b64(c)
	}
	mac := func(key []byte, header, content string) string {
		digest := sha1.Sum([]byte(prolog + header + content))
		h := hmac.New(sha1.New, key)
		h.Write(digest[:])
		return b64(h.Sum(nil))
	}
	lock, session := make([]byte, 24), make([]byte, 24)
	rand.Read(lock)
	rand.Read(session)
	// entry has its attributes in code point order: _body, _iv, _key, _mac.
	entry := func(name, keyAttr, body string) string {
		iv := make([]byte, 16)
		rand.Read(iv)
		block, err := aes.NewCipher(session)
		must(t, err)
		sealed := make([]byte, len(body))
		cipher.NewCTR(block, iv).XORKeyStream(sealed, []byte(body))
		header := fmt.Sprintf(`<%s _iv="%s"%s/>`, name, b64(iv), keyAttr)
		return fmt.Sprintf(`<%s _body="%s" _iv="%s"%s _mac="%s"/>`, name, b64(sealed), b64(iv), keyAttr, mac(session, header, body))
	}
	var wide []byte
	for _, c := range []byte(device) {
		wide = append(wide, c, 0)
	}
	hash := sha1.Sum(wide)
	list := "<L>" + entry("BH", ` _key="`+toDomain(session)+`"`, "<Begin/>") + entry("E", "", `<Opened name="plan"/>`) +
		entry("EH", "", "<End/>") + `<UM _dt="03/14/2026 15:09:26" _q="41"/></L>`
	start := fmt.Sprintf(`<LU _dg="%s" _dgh="%s" _iv="%s" _lok="%s"`, device, b64(hash[:]), b64(make([]byte, 16)), toDomain(lock))
	whole := start + ` _v="1,0">` + list + "</LU>"
	log := prolog + start + ` _mac="` + mac(lock, whole, "") + `" _v="1,0">` + list + "</LU>"

	l := parse(t, []byte(log))
	if l.Sequence != 41 || !l.Marked.Equal(marked) {
		t.Errorf("sequence %d at %v", l.Sequence, l.Marked)
	}
	key, err := l.LockOnKey(domainKey())
	must(t, err)
	if !l.Verify(key) || string(key.Bytes()) != string(lock) {
		t.Fatal("the MAC does not fit")
	}
	opened, _ := l.Open(domainKey(), keys.SharedKey{})
	for i, want := range []string{"<Begin/>", `<Opened name="plan"/>`, "<End/>"} {
		if string(opened[i].Body) != want {
			t.Errorf("entry %d is %q, want %q", i, opened[i].Body, want)
		}
	}
}
