package soap

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	long := strings.Repeat("n", MaxNameSize+1)
	for name, in := range map[string]string{
		"nothing":                   "",
		"no element":                " ",
		"text only":                 "a",
		"two roots":                 "<a/><b/>",
		"text before the root":      "x<a/>",
		"text after the root":       "<a/>x",
		"byte order mark":           "\ufeff<a/>",
		"open element":              "<a>",
		"end without start":         "</a>",
		"crossed elements":          "<a><b></a></b>",
		"ends in a tag":             "<a b='",
		"ends after <":              "<a><",
		"document type":             `<!DOCTYPE a><a/>`,
		"entity":                    `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`,
		"unknown entity":            `<a>&nbsp;</a>`,
		"comment":                   "<a><!-- b --></a>",
		"comment after the root":    "<a/><!-- b -->",
		"CDATA":                     "<a><![CDATA[b]]></a>",
		"instruction in the root":   "<a><?b?></a>",
		"instruction after it":      "<a/><?b?>",
		"many instructions":         strings.Repeat("<?b?>", maxInstructions+1) + "<a/>",
		"open instruction":          "<?b ><a/>",
		"version 1.1":               "<?xml version='1.1'?><a/>",
		"Latin 1":                   "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
		"UTF-16":                    "\xff\xfe<\x00a\x00/\x00>\x00",
		"invalid UTF-8":             "<a>\xc3\x28</a>",
		"invalid UTF-8, attribute":  "<a b='\xff'/>",
		"NUL":                       "<a>\x00</a>",
		"reference to NUL":          "<a>&#0;</a>",
		"attribute twice":           "<a b='1' b='1'/>",
		"prefixed attribute twice":  "<a xmlns:p='u' p:b='1' p:b='2'/>",
		"attribute without quotes":  "<a b=1/>",
		"attribute without value":   "<a b/>",
		"less-than in a value":      "<a b='<'/>",
		"unbound prefix":            "<p:a/>",
		"unbound attribute prefix":  "<a p:b=''/>",
		"prefix of a sibling":       "<a><b xmlns:p='u'/><p:c/></a>",
		"prefix of a child":         "<p:a><b xmlns:p='u'/></p:a>",
		"prefix bound to nothing":   "<a xmlns:p=''><p:b/></a>",
		"binding of xmlns":          "<a xmlns:xmlns='u'><xmlns:b/></a>",
		"binding of xml":            "<a xmlns:xml='u'/>",
		"element with prefix xmlns": "<xmlns:a/>",
		"colon first":               "<:a/>",
		"colon last":                "<a:/>",
		"colon last in attribute":   "<a b:=''/>",
		"two colons":                "<a xmlns:p='u'><p:b:c/></a>",
		"too deep":                  strings.Repeat("<a>", MaxDepth+1) + strings.Repeat("</a>", MaxDepth+1),
		"too many attributes":       "<a" + attributes(MaxElementAttributes+1) + "/>",
		"overlong element name":     "<" + long + "/>",
		"overlong attribute name":   "<a " + long + "=''/>",
		"too many prefixes":         "<a" + declarations(maxPrefixes+1) + "/>",
		"too large":                 "<a>" + strings.Repeat("b", testLimit) + "</a>",
		"too many elements":         "<a>" + strings.Repeat("<b/>", minTokens+testLimit/bytesPerElement) + "</a>",
		"too many attributes in all": "<a>" + strings.Repeat("<b c='' d='' e='' f='' g='' h='' i=''/>",
			(minTokens+testLimit/bytesPerAttribute)/7+1) + "</a>",
	} {
		t.Run(name, func(t *testing.T) {
			root, err := Parse([]byte(in), testLimit)
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v, %v", root, err)
			}
		})
	}
}

const testLimit = 4096

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d=''", i)
	}
	return b.String()
}

func declarations(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " xmlns:a%d='u'", i)
	}
	return b.String()
}

func TestParseAccepts(t *testing.T) {
	for name, in := range map[string]string{
		"prolog":             Prolog + "<a/>",
		"UTF-8 declared":     "<?xml version='1.0' encoding='utf-8'?><a/>",
		"white space":        " \r\n<?xml version='1.0'?> \n<a > \n</a >\n",
		"line breaks in tag": "<a\nb='1'\r\n\tc='2'\n/>",
		"quotes in values":   `<a b='>"' c=">'/>"/>`,
		"question mark":      "<a b='?>'/>",
		"xml prefix":         "<a xml:lang='en'/>",
		"prefix from above":  "<p:a xmlns:p='u'><b><p:c p:d=''/></b></p:a>",
		"default namespace":  "<a xmlns='u'/>",
		"deepest":            strings.Repeat("<a>", MaxDepth) + strings.Repeat("</a>", MaxDepth),
		"most attributes":    "<a" + attributes(MaxElementAttributes) + "/>",
		"longest name":       "<" + strings.Repeat("n", MaxNameSize) + "/>",
		"most prefixes":      "<a" + declarations(maxPrefixes) + "/>",
		"largest":            "<a>" + strings.Repeat("b", testLimit-len("<a></a>")) + "</a>",
		"most elements":      "<a>" + strings.Repeat("<b/>", minTokens+testLimit/bytesPerElement-1) + "</a>",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(in), testLimit); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestParseAllocation holds Parse to AllocationFactor with inputs that are made
// to allocate much for their size.
func TestParseAllocation(t *testing.T) {
	for _, limit := range []int{16 << 10, 128 << 10} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) { checkAllocation(t, limit) })
	}
}

func checkAllocation(t *testing.T, limit int) {
	elements, attrs := minTokens+limit/bytesPerElement, minTokens+limit/bytesPerAttribute
	fill := func(s string) string { return strings.Repeat(s, limit/len(s)) }
	cut := func(s string, n int) string { return strings.Repeat(s, min(n, limit/len(s))-1) }
	full := attributes(MaxElementAttributes)
	tests := map[string]string{
		"empty elements":            "<a>" + cut("<a/>", elements) + "</a>",
		"more empty elements":       "<a>" + fill("<a/>"),
		"elements with text":        "<a>" + cut("<a>x</a>y", elements) + "</a>",
		"elements with attribute":   "<a>" + cut("<a b=''/>c", elements) + "</a>",
		"elements with attributes":  "<a>" + cut("<a b='' c=''/>d", min(elements, attrs/2)) + "</a>",
		"elements with three":       "<a>" + cut("<a b='' c='' d=''/>", attrs/3) + "</a>",
		"elements with five":        "<a>" + cut("<a b='' c='' d='' e='' f=''/>", attrs/5) + "</a>",
		"elements with nine":        "<a>" + cut("<a b='' c='' d='' e='' f='' g='' h='' i='' j=''/>", attrs/9) + "</a>",
		"elements full":             "<a>" + cut("<a"+full+"/>", attrs/MaxElementAttributes) + "</a>",
		"elements overfull":         "<a>" + fill("<a"+attributes(MaxElementAttributes+1)+"/>"),
		"one long text":             "<a>" + strings.Repeat("x", limit-7) + "</a>",
		"one long value":            "<a b='" + strings.Repeat("x", limit-9) + "'/>",
		"many long values":          "<a>" + cut("<a b='"+strings.Repeat("x", minLongValue)+"'/>", elements) + "</a>",
		"many long texts":           "<a>" + cut("<a>"+strings.Repeat("x", minLongValue)+"</a>", elements) + "</a>",
		"long values, end missing":  "<a b='" + strings.Repeat("x", limit/2) + "' c='" + strings.Repeat("x", limit/2-20) + "'><b",
		"references":                "<a>" + strings.Repeat("&#9;", (limit-7)/4) + "</a>",
		"references in a value":     "<a b='" + strings.Repeat("&lt;", (limit-9)/4) + "'/>",
		"white space":               strings.Repeat(" ", limit-4) + "<a/>",
		"texts":                     "<a>" + cut("<a/>x", elements) + "</a>",
		"depth":                     strings.Repeat("<a>", limit/3),
		"end tags":                  "<a>" + fill("</a>"),
		"instructions":              fill("<?a?>"),
		"long instruction":          "<?a " + strings.Repeat("x", limit-10) + "?><a/>",
		"declarations":              fill("<!a>"),
		"only less-than":            fill("<"),
		"only quotes":               "<a " + fill("'"),
		"quote never closed":        "<a b='" + fill("<a>"),
		"attributes without values": "<a " + fill("b "),
		"equal attributes":          "<a>" + cut("<a"+strings.Repeat(" b=''", MaxElementAttributes)+"/>", attrs/MaxElementAttributes),
		"name never ending":         "<" + fill("a"),
		"not UTF-8":                 fill("\xff"),
		"too large":                 fill("<a/>") + "<a/>",
	}
	worst := 0.0
	for name, in := range tests {
		data := []byte(in)
		allocated := allocation(func() { _, _ = Parse(data, limit) })
		factor := float64(allocated) / float64(limit)
		worst = max(worst, factor)
		if factor > AllocationFactor {
			t.Errorf("%s: %d bytes of input allocate %d, %.1f times the limit", name, len(in), allocated, factor)
		}
	}
	t.Logf("worst: %.1f times the limit", worst)
}

// allocation returns the bytes that f allocates, freed or not.
func allocation(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
