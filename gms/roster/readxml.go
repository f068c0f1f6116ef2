package roster

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The elements around the attributes.
const (
	rootElement   = "members"
	memberElement = "member"
)

// xmlReader reads the elements of a file one after the other, without a tree of them: the deepest ones are the third.
type xmlReader struct {
	tokens *xml.Decoder
	names  names
	file   File
}

func readXML(text []byte, n names) (File, error) {
	x := xmlReader{tokens: xml.NewDecoder(bytes.NewReader(text)), names: n}
	x.tokens.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
		if strings.EqualFold(label, "utf-16") { // has been decoded, or is not valid UTF-8
			return r, nil
		}
		return nil, fmt.Errorf("the encoding %q is not read; save the file as UTF-8", shorten(label))
	}
	root, err := x.next(false)
	if err != nil {
		return File{}, err
	}
	if root == nil || root.Name.Local != rootElement || len(others(root.Attr)) > 0 {
		return File{}, x.problem("", "the file does not begin with <members>", "put all members into this element")
	}
	for {
		member, err := x.next(false)
		if err != nil {
			return File{}, err
		}
		if member == nil {
			break
		}
		if err := x.member(member); err != nil {
			return File{}, err
		}
	}
	after, err := x.next(true)
	if err != nil {
		return File{}, err
	}
	if after != nil {
		return File{}, x.problem("", "something follows </members>", "remove it")
	}
	return x.file, nil
}

// member reads one member, up to the end of its element. Where the elements are not those of a member, the reader cannot
// know what else is meant otherwise, and the file is refused.
func (x *xmlReader) member(start *xml.StartElement) error {
	if start.Name.Local != memberElement || len(others(start.Attr)) > 0 {
		return x.problem(start.Name.Local, "this is not <member>", "<members> has elements <member> without attributes, and nothing else")
	}
	record := Record{Line: x.line(), Values: map[string]Value{}}
	for {
		element, err := x.next(false)
		if err != nil {
			return err
		}
		if element == nil {
			return x.file.add(record)
		}
		name, line := element.Name.Local, x.line()
		attribute, err := x.names.find(name, line)
		if err != nil {
			return err
		}
		if len(others(element.Attr)) > 0 {
			return x.problem(name, "the element has attributes", "write the value as its text")
		}
		text, err := x.leaf(name)
		if err != nil {
			return err
		}
		switch _, twice := record.Values[attribute]; {
		case attribute == "":
		case twice:
			return &Problem{line, attribute, "the member has this twice", "remove one of them"}
		default:
			record.Values[attribute] = Value{text, line}
		}
	}
}

// next returns the next start of an element, or nil for the end of the one around it, or of the file if that is expected.
func (x *xmlReader) next(last bool) (*xml.StartElement, error) {
	for {
		token, err := x.tokens.Token()
		if last && errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, x.unreadable(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			return &token, nil
		case xml.EndElement:
			return nil, nil
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return nil, x.problem("", "there is text outside of the values", "remove it")
			}
		case xml.Directive:
			return nil, x.problem("", "a document type is not read", "remove the line with <!DOCTYPE")
		}
	}
}

// leaf reads the text of an element up to its end.
func (x *xmlReader) leaf(name string) (string, error) {
	var text strings.Builder
	for {
		token, err := x.tokens.Token()
		if err != nil {
			return "", x.unreadable(err)
		}
		switch token := token.(type) {
		case xml.EndElement:
			return text.String(), nil
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			return "", x.problem(name, "there is an element within the value", "write text only")
		case xml.Directive:
			return "", x.problem(name, "there is a <! within the value", "write &lt; for <")
		}
	}
}

// others are the attributes of an element that are not about namespaces.
func others(attributes []xml.Attr) (rest []xml.Attr) {
	for _, a := range attributes {
		if a.Name.Local != "xmlns" && a.Name.Space != "xmlns" {
			rest = append(rest, a)
		}
	}
	return rest
}

func (x *xmlReader) line() int {
	line, _ := x.tokens.InputPos()
	return line
}

func (x *xmlReader) problem(name, what, mend string) error {
	return &Problem{x.line(), shorten(name), what, mend}
}

// unreadable says what the XML decoder does not understand. It reads from memory, so that is all that can go wrong.
func (x *xmlReader) unreadable(err error) error {
	what := err.Error()
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		what = syntax.Msg
	}
	if errors.Is(err, io.EOF) {
		what = "the file ends too early"
	}
	return x.problem("", "this is no XML: "+shortenTo(what, maxReason), "check that each element has its end, and that & is written &amp;")
}
