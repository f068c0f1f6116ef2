package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// secrets returns one value of each type that holds a secret, with the secret.
func secrets(t *testing.T) map[string]struct {
	value  any
	secret []byte
} {
	shared := mustSharedKey(t, AccountKeySize)
	vault := testVault(t, 0x5a)
	set, elGamal := keySet(t), mustElGamal(t)
	return map[string]struct {
		value  any
		secret []byte
	}{
		"SharedKey":          {shared, shared.Bytes()},
		"*SharedKey":         {&shared, shared.Bytes()},
		"*RSAPrivateKey":     {set.Signature, set.Signature.key().D.Bytes()},
		"RSAPrivateKey":      {*set.Signature, set.Signature.key().D.Bytes()},
		"*ElGamalPrivateKey": {elGamal, elGamal.x().Bytes()},
		"ElGamalPrivateKey":  {*elGamal, elGamal.x().Bytes()},
		"*KeySet":            {set, set.Encryption.key().D.Bytes()},
		"KeySet":             {*set, set.Encryption.key().D.Bytes()},
		"*Vault":             {vault, vault.master()[:]},
		"Vault":              {*vault, vault.master()[:]},
	}
}

func TestSecretsPrintRedacted(t *testing.T) {
	for name, s := range secrets(t) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08v"} {
			if got := fmt.Sprintf(verb, s.value); got != redactedText {
				t.Errorf("%s prints with %s as %q", name, verb, got)
			}
		}
		if got := fmt.Sprint(s.value) + fmt.Sprintln(s.value); got != redactedText+redactedText+"\n" {
			t.Errorf("%s prints as %q", name, got)
		}
		if got := s.value.(fmt.Stringer).String(); got != redactedText {
			t.Errorf("%s is %q as a string", name, got)
		}
		if got := fmt.Errorf("using %v", s.value).Error(); got != "using "+redactedText {
			t.Errorf("%s in an error: %q", name, got)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", s.value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "key", s.value)
		if strings.Count(log.String(), redactedText) != 2 {
			t.Errorf("%s is logged as %q", name, log.String())
		}
	}
}

// fmt calls no methods on what sits in unexported fields; nothing may show
// there either, in any writing of the bytes.
func TestSecretsHideInUnexportedFields(t *testing.T) {
	for name, s := range secrets(t) {
		holder := struct {
			label string
			inner any
		}{"holder", s.value}
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%p", "%t"} {
			assertHidden(t, name, fmt.Sprintf(verb, holder), s.secret)
			assertHidden(t, name, fmt.Sprintf(verb, &holder), s.secret)
		}
	}
	// The same without an interface between.
	shared := mustSharedKey(t, AccountKeySize)
	direct := struct{ key SharedKey }{shared}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
		assertHidden(t, "SharedKey in a field", fmt.Sprintf(verb, direct), shared.Bytes())
	}
}

func assertHidden(t *testing.T, name, text string, secret []byte) {
	t.Helper()
	part := secret[:8]
	for _, form := range []string{
		hex.EncodeToString(part),
		strings.ToUpper(hex.EncodeToString(part)),
		base64.StdEncoding.EncodeToString(part)[:8],
		strings.Trim(fmt.Sprint(part), "[]"),
		strings.Trim(strings.ReplaceAll(fmt.Sprintf("%#v", part), "[]byte", ""), "{}"),
		string(part),
	} {
		if strings.Contains(text, form) {
			t.Errorf("%s shows as %s", name, text)
		}
	}
}

func TestSecretsRefuseEncoding(t *testing.T) {
	for name, s := range secrets(t) {
		if b, err := json.Marshal(s.value); err == nil {
			t.Errorf("%s became JSON: %s", name, b)
		}
		if b, err := json.Marshal(map[string]any{"row": []any{s.value}}); err == nil {
			t.Errorf("%s became part of JSON: %s", name, b)
		}
		if b, err := xml.Marshal(s.value); err == nil {
			t.Errorf("%s became XML: %s", name, b)
		}
	}
}
