package policy

import (
	"bytes"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

var update = flag.Bool("update", false, "write the golden objects anew")

func TestGoldenObjects(t *testing.T) {
	key := testKey(t)
	for name, body := range fullBodies() {
		t.Run(name, func(t *testing.T) {
			object := testObject(body)
			got := mustBuild(t, object, key)
			path := filepath.Join("testdata", name+".xml")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("got\n%s\nwant\n%s", got, want)
			}

			parsed, err := mustParse(t, want).Verify(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(parsed, object) {
				t.Errorf("parsed\n%+v\nwant\n%+v", parsed, object)
			}
		})
	}
}

// TestSignatureByHand checks the domain's signature on the text alone: what
// remains after cutting out the Signatures element, prolog included (reading
// E1), is what was signed.
func TestSignatureByHand(t *testing.T) {
	key := testKey(t)
	signatures := regexp.MustCompile(`<g:Signatures><g:Signature Fingerprint="0" Value="([^"]+)"/></g:Signatures>`)
	for name, body := range fullBodies() {
		data := string(mustBuild(t, testObject(body), key))
		if !strings.HasPrefix(data, soap.Prolog+`<g:fragment xmlns:g="urn:groove.net"><g:ManagedObject Version="0,0,0,0"><g:Header `) {
			t.Errorf("%s begins otherwise: %.200s", name, data)
		}
		match := signatures.FindStringSubmatch(data)
		if match == nil {
			t.Errorf("%s has no signature", name)
			continue
		}
		rest := strings.Replace(data, match[0], "", 1)
		if err := key.Public().Verify(keys.Sum(1, []byte(rest)), fromBase64(t, match[1])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestContactSignatureByHand puts the signed form of reading E2 together from
// the text of an identity object.
func TestContactSignatureByHand(t *testing.T) {
	key := testKey(t)
	data := string(mustBuild(t, testObject(testIdentity()), key))
	cut := func(pattern string) string {
		t.Helper()
		found := regexp.MustCompile(pattern).FindString(data)
		if found == "" {
			t.Fatalf("no %s in %s", pattern, data)
		}
		return found
	}
	signature := regexp.MustCompile(` Signature="([^"]+)"`).FindStringSubmatch(data)
	if signature == nil {
		t.Fatalf("no contact signature in %s", data)
	}
	form := soap.Prolog + `<g:Contact xmlns:g="urn:groove.net">` +
		cut(`<g:vCard [^>]*/>`) +
		cut(`<g:CustomFields [^>]*/>`) +
		cut(`<g:Origin .*</g:Origin>`) +
		strings.Replace(cut(`<g:Certificate>.*</g:Certificate>`), signature[0], "", 1) +
		`</g:Contact>`
	if err := key.Public().Verify(keys.Sum(1, []byte(form)), fromBase64(t, signature[1])); err != nil {
		t.Error(err)
	}
	hash := key.Public().Hash()
	if want := ` SignerKeyHash="` + base64.StdEncoding.EncodeToString(hash[:]) + `"`; !strings.Contains(data, want) {
		t.Errorf("no %s in %s", want, data)
	}
}

func fromBase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
