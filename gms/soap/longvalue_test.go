package soap

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// decodeWhole reads a document with etree alone, long values and all.
func decodeWhole(t *testing.T, data []byte) *etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{PreserveDuplicateAttrs: true, MaxDepth: MaxDepth}
	if err := doc.ReadFromBytes(data); err != nil {
		t.Fatalf("etree refuses what Parse accepts: %v\n%s", err, data)
	}
	return doc.Root()
}

// checkSameTree compares with etree what Parse makes of a document.
func checkSameTree(t *testing.T, data []byte, root *etree.Element) {
	t.Helper()
	whole := etree.NewDocumentWithRoot(decodeWhole(t, data).Copy())
	restored := etree.NewDocumentWithRoot(root.Copy())
	want, err := whole.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := restored.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLongValues(t *testing.T) {
	long := func(c string) string { return strings.Repeat(c, minLongValue) }
	short := strings.Repeat("x", minLongValue-1)
	for name, in := range map[string]string{
		"none":                  "<a b='c'>d</a>",
		"just short of it":      "<a b='" + short + "'>" + short + "</a>",
		"attribute":             "<a b='c' d='" + long("D") + "' e=''/>",
		"text":                  "<a>" + long("T") + "</a>",
		"attribute and text":    "<a b='" + long("B") + "'>" + long("T") + "</a>",
		"several":               "<a b='" + long("B") + "' c='" + long("C") + "'><d e='" + long("E") + "'>" + long("T") + "</d><f/>" + long("G") + "</a>",
		"among short ones":      "<a b='1'>2<c d='" + long("D") + "'>3<e f='4'/>" + long("T") + "</c>5<g h='" + long("H") + "'/></a>",
		"text after white":      " \n<?xml version='1.0'?>\n<a> <b/>\n" + long("T") + "<c/> </a>\n ",
		"values like a digit":   "<a b='B'>T<c d='D'/>T<e f='" + long("B") + "'>" + long("T") + "</e>T</a>",
		"in a later element":    "<a><b c='" + long("=") + "'/><b c='/'/><b c='" + long("+") + "'/></a>",
		"wrapped is not long":   "<a b='" + strings.Repeat("x", 76) + "\n" + strings.Repeat("x", 76) + "'/>",
		"reference is not long": "<a b='" + long("x") + "&amp;" + long("x") + "'>" + long("x") + "&lt;</a>",
		"other quotes":          `<a b="` + long("'") + `" c='` + long(`"`) + `' d="` + long("x") + `"/>`,
		"in an instruction":     "<?a b='" + long("x") + "'?><a b='" + long("y") + "'/>",
		"tag in a value":        "<a b='>" + long("x") + "' c='" + long("y") + "'/>",
	} {
		t.Run(name, func(t *testing.T) {
			root, err := Parse([]byte(in), 16<<10)
			if err != nil {
				t.Fatal(err)
			}
			checkSameTree(t, []byte(in), root)
		})
	}
}

// TestLongValuesAreKept: the strings of the tree do not share memory with the
// body, which its reader may use again.
func TestLongValuesAreKept(t *testing.T) {
	data := []byte("<a b='" + strings.Repeat("x", minLongValue) + "'/>")
	root, err := Parse(data, 4096)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	if got := root.SelectAttrValue("b", ""); got != strings.Repeat("x", minLongValue) {
		t.Errorf("value became %q", got)
	}
}

// FuzzParse: what Parse accepts, etree accepts too, as the same tree.
func FuzzParse(f *testing.F) {
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
	long := strings.Repeat("x", minLongValue)
	f.Add([]byte("<a b='" + long + "' c='d'><e>" + long + "</e>f<g h='" + long + "'/></a>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if root, err := Parse(data, 64<<10); err == nil {
			checkSameTree(t, data, root)
		}
	})
}
