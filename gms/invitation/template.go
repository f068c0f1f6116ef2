package invitation

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode"
	"unicode/utf8"
)

const (
	// maxSubject and maxBody bound the parts of a template, in octets: a page or three.
	maxSubject = 200
	maxBody    = 16 << 10
	// maxLine bounds a line of the settings, in octets.
	maxLine = 500
	// maxWrittenSubject is where a subject with long names in it is cut off, and maxWrittenBody what a body with the longest
	// names may have, in octets; both are below what the outbox takes.
	maxWrittenSubject = 240
	maxWrittenBody    = 60 << 10
)

// Fields are what a template can show of a member, and what a welcome sheet shows.
type Fields struct {
	Name         string `json:"name"`  // full name
	FirstName    string `json:"first"` // or the full name of a member without one
	Email        string `json:"email"`
	Login        string `json:"login,omitempty"` // of automatic activation
	Code         string `json:"code"`            // account configuration code
	Server       string `json:"server"`          // what the client asks for with the code
	Domain       string `json:"domain"`
	Organization string `json:"organization"`       // of the domain
	Download     string `json:"download,omitempty"` // of the settings
	Help         string `json:"help,omitempty"`
}

// Text is a template, not yet filled in.
type Text struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// Check says what is wrong with a template. One that passes can be filled in for every member.
func (t Text) Check() error {
	if t.Subject == "" || len(t.Subject) > maxSubject || !utf8.ValidString(t.Subject) {
		return invalid("subject", "must be one line of UTF-8 of 1 to %d octets", maxSubject)
	}
	if strings.ContainsFunc(t.Subject, unicode.IsControl) {
		return invalid("subject", "must be one line, without control characters")
	}
	if t.Body == "" || len(t.Body) > maxBody || !utf8.ValidString(t.Body) {
		return invalid("body", "must have 1 to %d octets of UTF-8", maxBody)
	}
	if strings.ContainsFunc(t.Body, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t", r) }) {
		return invalid("body", "must not have control characters")
	}
	for _, sample := range samples() {
		written, err := t.Fill(sample)
		if err != nil {
			return err
		}
		for _, needed := range []struct{ name, value string }{{"Code", sample.Code}, {"Server", sample.Server}} {
			if !strings.Contains(written.Body, needed.value) {
				return invalid("body", "must show {{.%s}} to every member", needed.name)
			}
		}
	}
	return nil
}

// Sample is a member to show a template with.
func Sample() Fields {
	return Fields{
		Name: "Ann Smith", FirstName: "Ann", Email: "ann@example.com", Login: "ann",
		Code: "abcd-efgh-ijkm-npqr", Server: "http://groove.example.com/gms.dll", Domain: "Office", Organization: "Contoso",
		Download: "https://intranet.example.com/groove", Help: "Bob, room 12, telephone 34",
	}
}

// samples are members to try a template on: one with all fields, one with those only that all have, and one with the
// longest that can be.
func samples() []Fields {
	full := Sample()
	bare := full
	bare.Login, bare.Download, bare.Help = "", "", ""
	const longest = 256 * utf8.UTFMax // of a member's details, in octets; a domain's names are shorter
	name, line := strings.Repeat("N", longest), strings.Repeat("L", maxLine)
	return []Fields{full, bare, {
		Name: name, FirstName: name, Email: name, Login: name, Code: full.Code, Server: strings.Repeat("S", 512), Domain: name,
		Organization: name, Download: line, Help: line,
	}}
}

// Fill fills in a template.
func (t Text) Fill(f Fields) (Text, error) {
	subject, err := fill("subject", t.Subject, f, maxWrittenBody)
	if err != nil {
		return Text{}, err
	}
	body, err := fill("body", t.Body, f, maxWrittenBody)
	if err != nil {
		return Text{}, err
	}
	return Text{oneLine(subject), body}, nil
}

// oneLine is a subject that is a subject and nothing else, whatever is in the fields.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if len(s) <= maxWrittenSubject {
		return s
	}
	s = s[:maxWrittenSubject]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// fill fills in one part of a template.
func fill(part, text string, f Fields, limit int) (string, error) {
	parsed, err := template.New(part).Parse(text)
	if err != nil {
		return "", invalid(part, "is not understood: %s", reason(err))
	}
	if len(parsed.Templates()) > 1 {
		return "", invalid(part, "must not define templates")
	}
	if parsed.Tree == nil {
		return "", invalid(part, "is empty")
	}
	if err := checkNodes(part, parsed.Root); err != nil {
		return "", err
	}
	w := &bounded{limit: limit}
	if err := parsed.Execute(w, f); errors.Is(err, errTooLong) {
		return "", invalid(part, "becomes longer than %d octets for somebody with a long name", limit)
	} else if err != nil {
		return "", invalid(part, "is not understood: %s", reason(err))
	}
	return w.text.String(), nil
}

// reason is an error of text/template without the name of its package.
func reason(err error) string { return strings.TrimPrefix(err.Error(), "template: ") }

// checkNodes allows text, fields, and parts that are there if a field is.
func checkNodes(part string, list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		var err error
		switch node := node.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			err = checkField(part, node.Pipe)
		case *parse.IfNode:
			if err = checkField(part, node.Pipe); err == nil {
				err = checkNodes(part, node.List)
			}
			if err == nil {
				err = checkNodes(part, node.ElseList)
			}
		default:
			err = invalid(part, "has %s, which is none of {{.Field}} and {{if .Field}}", node)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkField allows nothing but one field.
func checkField(part string, pipe *parse.PipeNode) error {
	if len(pipe.Decl) == 0 && len(pipe.Cmds) == 1 && len(pipe.Cmds[0].Args) == 1 {
		if field, ok := pipe.Cmds[0].Args[0].(*parse.FieldNode); ok && len(field.Ident) == 1 {
			if slices.Contains(FieldNames(), field.Ident[0]) {
				return nil
			}
			return invalid(part, "has {{%s}}; there are: %s", field, strings.Join(FieldNames(), ", "))
		}
	}
	return invalid(part, "has {{%s}}, which is none of {{.Field}} and {{if .Field}}", pipe)
}

// FieldNames are the names of the fields in templates.
func FieldNames() []string {
	return []string{"Name", "FirstName", "Email", "Login", "Code", "Server", "Domain", "Organization", "Download", "Help"}
}

func checkLine(what, s string) error {
	if len(s) > maxLine || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return invalid(what, "must be one line of at most %d octets of UTF-8", maxLine)
	}
	return nil
}

var errTooLong = errors.New("too long")

// bounded takes text up to a limit in octets.
type bounded struct {
	text  strings.Builder
	limit int
}

var _ io.Writer = (*bounded)(nil)

func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > b.limit {
		return 0, fmt.Errorf("%w", errTooLong)
	}
	return b.text.Write(p)
}
