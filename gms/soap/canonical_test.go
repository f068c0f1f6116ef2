package soap

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// TestCanonicalExamples takes the published examples apart into another
// spelling of the same XML and expects the published bytes back.
func TestCanonicalExamples(t *testing.T) {
	files, err := filepath.Glob("testdata/examples/*.xml")
	if err != nil || len(files) < 12 {
		t.Fatalf("found %d examples: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			root, err := Parse(respell(t, want), 16<<10)
			if err != nil {
				t.Fatal(err)
			}
			got := AppendCanonical(nil, root)
			if bytes.HasPrefix(want, []byte(Prolog)) {
				got = Canonical(root)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// respell returns the document with its attributes in reverse order, in single
// quotes, and indented.
func respell(t *testing.T, document []byte) []byte {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		t.Fatal(err)
	}
	var reverse func(e *etree.Element)
	reverse = func(e *etree.Element) {
		slices.Reverse(e.Attr)
		for _, c := range e.ChildElements() {
			reverse(c)
		}
	}
	reverse(doc.Root())
	doc.WriteSettings = etree.WriteSettings{AttrSingleQuote: true, CanonicalEndTags: true}
	doc.Indent(2)
	b, err := doc.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(b, document) {
		t.Fatal("respelling changed nothing")
	}
	return b
}

// TestCanonicalPayloadLengths compares the size of serialized payloads with the
// size of the published ciphertexts, which MARC4 leaves as it is. The examples
// whose plaintext does not belong to their ciphertext (reading F8) are left
// out, as are those with a digit missing in print.
func TestCanonicalPayloadLengths(t *testing.T) {
	for _, test := range []struct {
		section, payload string
		size             int // of EC, base64 removed
	}{
		{"SPCM 4.2.1", `<AccountHeartbeat Version="4,2,0,2623"/>`, 89},
		{"SPMR 4.2, response", `<Registration epoch="3"> <Registration Status="0" ErrorMessage="Success Registration."/></Registration>`, 151},
		{"SPMR 4.2, request", `<Payload></Payload>`, 59},
		{"SPMR 4.3, step 1", `<RelayQuiescent><relay status="1"/></RelayQuiescent>`, 101},
		{"SPMR 4.3, step 2", `<RelayQuiescent epoch="3"/>`, 76},
		{"SPMR 4.3, step 3", `<userAdd rowCount="4">` +
			`<user userId="0C68C31C-7EB1-43DA-8B20-B9CF1F604EB0"/>` +
			`<user userId="05A8DAC9-28EA-457B-8A2E-E1939A72D9B1" />` +
			`<user userId="1AD36E9A-DDC5-4368-89F5-4C9F9FC1150D"/>` +
			`<user userId="695ACC95-1E8A-46C2-ACF0-A6AC3E63E024"></user></userAdd>`, 293},
		{"SPMR 4.3, step 4", `<userAdd epoch="4"/>`, 69},
	} {
		root, err := Parse([]byte(test.payload), 4096)
		if err != nil {
			t.Fatalf("%s: %v", test.section, err)
		}
		if got := len(Canonical(root)); got != test.size {
			t.Errorf("%s: %d bytes, published %d", test.section, got, test.size)
		}
	}
}

func TestCanonical(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"attributes by code point of the whole name",
			`<a b="1" B="2" _c="3" xmlns:x="u" x:a="4" y-z="5" yz="6" é="7"/>`,
			`<a B="2" _c="3" b="1" x:a="4" xmlns:x="u" y-z="5" yz="6" é="7"/>`},
		{"order of the examples",
			`<a EncAlgo="1" EPubKey="2" created="3" _EventID="4" GrooveVersion="5" GUID="6"/>`,
			`<a EPubKey="2" EncAlgo="1" GUID="6" GrooveVersion="5" _EventID="4" created="3"/>`},
		{"escapes in attributes",
			`<a b='&amp;&lt;&gt;"&apos;&#9;&#10;&#13;'/>`,
			`<a b="&amp;&lt;&gt;&quot;'&#9;&#10;&#13;"/>`},
		{"escapes in text",
			"<a>&amp;&lt;&gt;\"'\t\n&#13;.</a>",
			"<a>&amp;&lt;&gt;\"'\t\n&#13;.</a>"},
		{"white space between tags", "<a> \r\n<b/>\t<c> </c></a>", "<a><b/><c/></a>"},
		{"white space in text stays", "<a> b <c/> d</a>", "<a> b <c/> d</a>"},
		{"empty element", "<a ></a >", "<a/>"},
		{"beyond ASCII", "<é ö='ü€𝄞'>&#x20AC;</é>", `<é ö="ü€𝄞">€</é>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			root, err := Parse([]byte(test.in), 4096)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(AppendCanonical(nil, root)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestCanonicalUnspeakable gives it what no XML can carry.
func TestCanonicalUnspeakable(t *testing.T) {
	e := NewElement("a", Attr{"b", "x\x00\xff\ufffey"})
	e.SetText("\x1f")
	got := AppendCanonical(nil, e)
	if want := "<a b=\"x\ufffd\ufffd\ufffdy\">\ufffd</a>"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := Parse(got, 4096); err != nil {
		t.Errorf("result does not parse: %v", err)
	}
}

// TestCanonicalDoesNotSortInPlace: the order of a peer's attributes is left to
// him.
func TestCanonicalDoesNotSortInPlace(t *testing.T) {
	e := NewElement("a", Attr{"c", ""}, Attr{"b", ""})
	AppendCanonical(nil, e)
	if e.Attr[0].Key != "c" {
		t.Error("attributes were reordered")
	}
}

func FuzzCanonical(f *testing.F) {
	files, err := filepath.Glob("testdata/examples/*.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("<a b=' &#13;&#x9;'>x&#10;<c/> y&gt;</a>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 64 << 10
		root, err := Parse(data, limit)
		if err != nil {
			return
		}
		once := Canonical(root)
		again, err := Parse(once, 8*limit) // escapes may make it longer
		if err != nil {
			t.Fatalf("canonical form does not parse: %v\n%s", err, once)
		}
		if twice := Canonical(again); !bytes.Equal(once, twice) {
			t.Fatalf("not a fixed point:\n%s\n%s", once, twice)
		}
		if strings.Contains(string(once), "<!") {
			t.Fatalf("declaration in\n%s", once)
		}
	})
}
