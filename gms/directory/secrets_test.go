package directory

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"furrow/appliance/keys"
)

// TestNoSecretLeaves looks for configuration codes and keys, in each spelling
// that a careless encoder could use, in the store's files, in the log, and in
// what the directory hands out.
func TestNoSecretLeaves(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	m := f.active(t, domain, "Anna", accountA, identityA)
	reg := registration(t, domain)
	reg.Device = true
	account, err := f.RegisterAccount(t.Context(), reg)
	must(t, err)
	device, err := f.Device(domain.GUID, accountA)
	must(t, err)
	objects, err := f.MemberObjects(m.GUID, nil)
	must(t, err)

	code, err := f.ConfigurationCode(m.GUID)
	must(t, err)
	secrets := map[string][]byte{
		"configuration code":           []byte(code),
		"configuration code in UTF-16": keys.UTF16LE(code),
		"key of the code":              keys.CodeKey(code).Bytes(),
		"account key":                  reg.Key.Bytes(),
	}
	for i, set := range testSets() {
		plain, err := set.Marshal()
		must(t, err)
		// The headers of the encoding are no secret, and its end is the last
		// of the numbers that make up a private key.
		secrets[fmt.Sprintf("signature key of set %d", i)] = pkcs8End(t, set.Signature)
		secrets[fmt.Sprintf("encryption key of set %d", i)] = plain[len(plain)-48:]
	}

	places := map[string][]byte{"the log": f.log.Bytes()}
	for name, v := range map[string]any{
		"domain": domain, "member": m, "account": account, "device": device, "objects": objects,
	} {
		text, err := json.Marshal(v)
		must(t, err)
		places[name+" as JSON"] = text
		places[name+" as text"] = fmt.Appendf(nil, "%+v %#v", v, v)
	}
	files := 0
	must(t, filepath.WalkDir(f.stateDir(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		places[entry.Name()], err = os.ReadFile(path)
		return err
	}))
	if files == 0 || !bytes.Contains(bytes.Join(slices.Collect(maps.Values(places)), nil), []byte(m.GUID)) {
		t.Fatal("the places searched do not show the member at all")
	}
	for place, content := range places {
		for name, secret := range secrets {
			for spelling, text := range map[string][]byte{
				"raw":    secret,
				"hex":    []byte(hex.EncodeToString(secret)),
				"HEX":    fmt.Appendf(nil, "%X", secret),
				"base64": base64Core(secret, 0),
				// The other two positions within a longer value.
				"base64 after one byte":  base64Core(secret, 1),
				"base64 after two bytes": base64Core(secret, 2),
			} {
				if bytes.Contains(content, text) {
					t.Errorf("%s shows the %s in %s", place, name, spelling)
				}
			}
		}
	}
}

func pkcs8End(t *testing.T, key *keys.RSAPrivateKey) []byte {
	t.Helper()
	der, err := key.Marshal()
	must(t, err)
	return der[len(der)-48:]
}

// base64Core is the part of secret's base64 form that does not depend on the
// bytes around it, when skip bytes complete a group before it.
func base64Core(secret []byte, skip int) []byte {
	secret = secret[skip:]
	secret = secret[:len(secret)/3*3]
	return []byte(base64.StdEncoding.EncodeToString(secret))
}

// TestSealsAreNotExchangeable: a sealed value in the row of another thing does
// not open.
func TestSealsAreNotExchangeable(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	anna, bert := f.member(t, domain, "Anna"), f.member(t, domain, "Bert")
	a, err := f.memberAt(f.store.Snapshot(), anna.GUID)
	must(t, err)
	b, err := f.memberAt(f.store.Snapshot(), bert.GUID)
	must(t, err)
	if _, err := f.vault.Open(configurationCodePurpose(a.GUID), a.SealedCode); err != nil {
		t.Fatal(err)
	}
	if _, err := f.vault.Open(configurationCodePurpose(a.GUID), b.SealedCode); err == nil {
		t.Error("the code of one member opened as another's")
	}
}
