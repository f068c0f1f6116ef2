package policy

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"furrow/gms/soap"
)

func goldenObjects(t testing.TB) [][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden objects: %v", err)
	}
	var objects [][]byte
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, data)
	}
	return objects
}

// checkParse parses data: what is accepted is an object that, written as Build
// writes it, is read as the same. Nothing is signed, because RSA would take
// nearly all the time of a fuzzer.
func checkParse(t interface{ Fatalf(string, ...any) }, data []byte) {
	s, err := Parse(data)
	if err != nil {
		return
	}
	want := s.Unverified()
	if identity, ok := want.Body.(Identity); ok && identity.hasCertificate() {
		if _, err := contactForm(s.content); err != nil {
			t.Fatalf("contact: %v", err)
		}
	}
	fragment, object := want.wrap(want.Body.encode(&want))
	addSignature(object, s.signature)
	again, err := Parse(soap.Canonical(fragment))
	if err != nil {
		t.Fatalf("%v in what was accepted", err)
	}
	if got := again.Unverified(); !reflect.DeepEqual(got, want) {
		t.Fatalf("got\n%+v\nwant\n%+v", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, data := range goldenObjects(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParse(t, data) })
}

// TestChangedObjects changes whole elements and attributes of objects, which a
// fuzzer of bytes seldom does.
func TestChangedObjects(t *testing.T) {
	objects := goldenObjects(t)
	values := []string{"", "0", "1", "3", "-1", "2147483648", "1E3", "NaN", "AA==", "*", "x", "a,b", "1,2,-1", "\n", "Allow"}
	rapid.Check(t, func(t *rapid.T) {
		root, err := soap.Parse(rapid.SampledFrom(objects).Draw(t, "object"), MaxSize)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			elements := append(root.FindElements(".//*"), root)
			e := rapid.SampledFrom(elements).Draw(t, "element")
			switch rapid.IntRange(0, 4).Draw(t, "change") {
			case 0:
				if e.Parent() != nil {
					e.Parent().RemoveChild(e)
				}
			case 1:
				e.AddChild(rapid.SampledFrom(elements).Draw(t, "copied").Copy())
			case 2:
				if e.Parent() != nil {
					e.Parent().AddChild(e.Copy())
				}
			case 3:
				if len(e.Attr) > 0 {
					at := rapid.IntRange(0, len(e.Attr)-1).Draw(t, "attribute")
					e.Attr = append(e.Attr[:at:at], e.Attr[at+1:]...)
				}
			case 4:
				if len(e.Attr) > 0 {
					a := &e.Attr[rapid.IntRange(0, len(e.Attr)-1).Draw(t, "attribute")]
					a.Value = rapid.SampledFrom(values).Draw(t, "value")
				}
			}
		}
		checkParse(t, soap.Canonical(root))
	})
}
