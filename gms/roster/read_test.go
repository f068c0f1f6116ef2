package roster

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"furrow/gms/sheet"
)

// values are the records without their lines.
func values(f File) (all []map[string]string) {
	for _, r := range f.Records {
		m := map[string]string{}
		for attribute, v := range r.Values {
			m[attribute] = v.Text
		}
		all = append(all, m)
	}
	return all
}

func sameValues(a, b []map[string]string) bool { return slices.EqualFunc(a, b, maps.Equal) }

func utf16(t *testing.T, text string, order unicode.Endianness) string {
	t.Helper()
	encoded, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestReadForms(t *testing.T) {
	want := []map[string]string{
		{FullName: "Jörg Müller", Email: "joerg@example.com", Login: "", Phone: "+49 221 1"},
		{FullName: "Smith, Ann", Email: "ann@example.com", Login: "ann", Phone: ""},
	}
	const (
		comma = "full_name,E-Mail,LOGIN,Phone\nJörg Müller,joerg@example.com,,'+49 221 1\n\"Smith, Ann\",ann@example.com,ann,\n"
		tree  = `<!-- ours --><members><member><fullName>Jörg Müller</fullName><email>joerg@example.com</email><login/>` +
			`<phone>+49 221 1</phone></member>
<member><email>ann@example.com</email><fullName><![CDATA[Smith, ]]>A&#110;n</fullName><login>ann</login><phone></phone></member></members>`
	)
	// A comma separates nothing in these, and needs no quotation marks.
	semicolon := strings.NewReplacer(`"Smith, Ann"`, "Smith, Ann", ",", ";").Replace(comma)
	tab := strings.NewReplacer(`"Smith, Ann"`, "Smith, Ann", ",", "\t").Replace(comma)
	for name, test := range map[string]struct {
		text   string
		format Format
	}{
		"comma":               {comma, CSV},
		"carriage returns":    {strings.ReplaceAll(comma, "\n", "\r\n"), CSV},
		"byte order mark":     {byteOrderMark + comma, CSV},
		"semicolon":           {semicolon, CSV},
		"tab":                 {tab, CSV},
		"UTF-16LE":            {utf16(t, tab, unicode.LittleEndian), CSV},
		"UTF-16BE":            {utf16(t, comma, unicode.BigEndian), CSV},
		"empty lines at end":  {comma + ",,,\n\n , ,,\n", CSV},
		"XML":                 {tree, XML},
		"XML with mark":       {byteOrderMark + tree, XML},
		"XML in UTF-16":       {utf16(t, `<?xml version="1.0" encoding="UTF-16"?>`+tree, unicode.LittleEndian), XML},
		"XML with namespaces": {strings.Replace(tree, "<members>", `<members xmlns="http://example.com/m">`, 1), XML},
	} {
		f, err := Read(strings.NewReader(test.text), ReadOptions{Format: test.format})
		if err != nil || f.Bad != 0 {
			t.Errorf("%s: %v, %+v", name, err, f.Problems)
			continue
		}
		got := values(f)
		if !sameValues(got, want) {
			t.Errorf("%s: read %v", name, got)
		}
	}
}

func TestUnknownNamesAreRefusedUnlessIgnored(t *testing.T) {
	for format, text := range map[Format]string{
		CSV: "fullName,Shoe Size,email\nAnn,44,ann@example.com\n",
		XML: "<members><member><fullName>Ann</fullName>\n<shoeSize>44</shoeSize><email>ann@example.com</email></member></members>",
	} {
		var problem *Problem
		_, err := Read(strings.NewReader(text), ReadOptions{Format: format})
		if !errors.As(err, &problem) || !strings.EqualFold(strings.ReplaceAll(problem.Attribute, " ", ""), "shoesize") {
			t.Errorf("%s: %v", format, err)
		}
		f, err := Read(strings.NewReader(text), ReadOptions{Format: format, Ignore: []string{"shoe-size"}})
		want := []map[string]string{{FullName: "Ann", Email: "ann@example.com"}}
		if err != nil || !sameValues(values(f), want) {
			t.Errorf("%s: %v, %v", format, values(f), err)
		}
	}
}

// endless is a line that does not end.
type endless struct {
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.read += len(p)
	return len(p), nil
}

func TestHostileFilesAreRefusedWithTheirLine(t *testing.T) {
	many := "fullName,email\n" + strings.Repeat("Ann,ann@example.com\n", MaxMembers+1)
	for name, test := range map[string]struct {
		text   string
		format Format
		line   int
		what   string
	}{
		"empty":              {"", CSV, 1, "empty"},
		"column twice":       {"email,E-Mail\n", CSV, 1, "two columns"},
		"quotation mark":     {"fullName,email\nAnn,\"ann\nBob,bob\n", CSV, 2, "quotation mark"},
		"Latin-1":            {"fullName,email\nAnn,a\nJ\xf6rg,j\n", CSV, 3, "UTF-8"},
		"too many members":   {many, CSV, MaxMembers + 2, "more than 20000"},
		"empty XML":          {"", XML, 1, "too early"},
		"other root":         {"<people/>", XML, 1, "begin with <members>"},
		"other element":      {"<members>\n<group/></members>", XML, 2, "not <member>"},
		"text outside":       {"<members>\n\n hello <member/></members>", XML, 3, "text outside"},
		"nested":             {"<members><member>\n<title>" + strings.Repeat("<a>", 1<<20), XML, 2, "within the value"},
		"unclosed":           {"<members><member>\n\n", XML, 3, "this is no XML"},
		"something after":    {"<members/>\n<members/>", XML, 2, "follows"},
		"twice":              {"<members><member><title>a</title>\n<title>b</title></member></members>", XML, 2, "twice"},
		"attributes":         {"<members><member><title x='1'>a</title></member></members>", XML, 1, "attributes"},
		"entity expansion":   {bomb, XML, 2, "document type"},
		"undeclared entity":  {"<members><member>\n<title>&a;</title></member></members>", XML, 2, "this is no XML"},
		"external entity":    {`<!DOCTYPE m SYSTEM "file:///etc/passwd"><members/>`, XML, 1, "document type"},
		"other encoding":     {`<?xml version="1.0" encoding="ISO-8859-1"?><members/>`, XML, 1, "ISO-8859-1"},
		"element that lasts": {"<members><member><title>" + strings.Repeat("a", MaxBytes), XML, 1, "MB"},
	} {
		var problem *Problem
		_, err := Read(strings.NewReader(test.text), ReadOptions{Format: test.format})
		if !errors.As(err, &problem) || problem.Line != test.line || !strings.Contains(problem.What, test.what) || problem.Mend == "" {
			t.Errorf("%s: %v, want line %d: ...%s", name, err, test.line, test.what)
		}
	}
	for _, format := range []Format{CSV, XML} {
		line := &endless{}
		_, err := Read(io.LimitReader(line, 1<<30), ReadOptions{Format: format})
		var problem *Problem
		if !errors.As(err, &problem) || line.read > 2*MaxBytes {
			t.Errorf("%s with a line of a gigabyte: %v after %d octets", format, err, line.read)
		}
	}
}

const bomb = `<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<members><member><fullName>&lol2;</fullName></member></members>`

func TestShortLineIsAProblemOfThatLine(t *testing.T) {
	const text = "fullName,email,title\nAnn,ann@example.com\n\"Bob\nB\",bob@example.com,\nCarl,carl@example.com,x,y\n"
	f, err := Read(strings.NewReader(text), ReadOptions{Format: CSV})
	if err != nil || f.Bad != 2 || len(f.Records) != 1 || f.Records[0].Line != 3 ||
		f.Problems[0].Line != 2 || f.Problems[1].Line != 5 {
		t.Errorf("%+v, %v", f, err)
	}
}

// anyText has what values may have: no control characters.
func anyText() *rapid.Generator[string] {
	return rapid.StringOf(rapid.OneOf(
		rapid.RuneFrom([]rune("=+-@',;\"\\ aäß|%<>&]_\uFEFF\uFFFD")),
		rapid.Rune().Filter(func(r rune) bool {
			return r >= ' ' && r != 0x7F && (r < 0x80 || r > 0x9F) && r != 0xFFFE && r != 0xFFFF
		}),
	))
}

func TestWriteThenReadIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records []Record
		for range rapid.IntRange(0, 5).Draw(t, "members") {
			r := Record{Values: map[string]Value{}}
			for _, attribute := range Attributes() {
				r.Values[attribute] = Value{Text: anyText().Draw(t, attribute)}
			}
			if r.text(FullName) == "" { // a member has one
				r.Values[FullName] = Value{Text: "Ann"}
			}
			records = append(records, r)
		}
		for _, o := range []WriteOptions{{Format: CSV}, {Format: CSV, Separator: ';'}, {Format: CSV, Separator: '\t'}, {Format: XML}} {
			var text bytes.Buffer
			if err := Write(&text, records, o); err != nil {
				t.Fatal(err)
			}
			f, err := Read(bytes.NewReader(text.Bytes()), ReadOptions{Format: o.Format})
			if err != nil || f.Bad != 0 || !sameValues(values(f), values(File{Records: records})) {
				t.Fatalf("%v: %v %v, read %v of\n%s", o, err, f.Problems, values(f), text.Bytes())
			}
		}
	})
}

func TestNoFormulaIsWritten(t *testing.T) {
	for value, want := range map[string]string{
		"=1+1":              "'=1+1",
		"@SUM(A1)":          "'@SUM(A1)",
		"+49 221 1":         "'+49 221 1",
		"-1":                "'-1",
		"'=1":               "''=1",
		"Ann":               "Ann",
		"Main Street 5-7":   "Main Street 5-7",
		"O'Brien":           "O'Brien",
		"a;=HYPERLINK(1),+": "a;'=HYPERLINK(1),'+",
		"|calc":             "'|calc",
		" =1, %2":           "' =1,' %2",
		"＝1":                "'＝1",
		" '=1":              " '=1",
	} {
		if got := guard(value); got != want || unguard(got) != value {
			t.Errorf("%q: %q, back %q", value, got, unguard(got))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		guarded := guard(value)
		if unguard(guarded) != value {
			t.Fatalf("%q, %q, %q", value, guarded, unguard(guarded))
		}
		for _, cell := range strings.FieldsFunc(guarded, func(r rune) bool { return strings.ContainsRune(cellEnds, r) }) {
			if sheet.BeginsFormula(cell) {
				t.Fatalf("%q begins a formula in %q", cell, guarded)
			}
		}
	})
}

func FuzzReadCSV(f *testing.F) { fuzzRead(f, CSV, "fullName,email\n\"Ann\",'=x\n", "email;login\n;\n") }

func FuzzReadXML(f *testing.F) {
	fuzzRead(f, XML, "<members><member><fullName>Ann</fullName></member></members>", bomb)
}

// fuzzRead looks for panics, for problems without a line, and for records that do not come back when they are written.
func fuzzRead(f *testing.F, format Format, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Read(bytes.NewReader(text), ReadOptions{Format: format})
		var problem *Problem
		if err != nil && (!errors.As(err, &problem) || problem.Line < 1) {
			t.Fatalf("%v", err)
		}
		for _, r := range file.Records {
			if r.Line < 1 || len(r.Values) > len(Attributes()) {
				t.Fatalf("%+v", r)
			}
		}
		if err := Write(io.Discard, file.Records, WriteOptions{Format: format}); err != nil {
			t.Fatal(err)
		}
	})
}
