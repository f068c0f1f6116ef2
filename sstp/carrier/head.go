package carrier

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// MaxHead bounds the head of a request or response, in octets: as much as
	// common servers take, for proxies add to it.
	MaxHead = 16 << 10

	// maxFields bounds the header lines in it.
	maxFields = 128

	// maxEmptyLines is how many empty lines may come before a request: old
	// clients send one after a body.
	maxEmptyLines = 4
)

// ErrHead is the error of a head that is not HTTP, or too long.
var ErrHead = errors.New("carrier: not the head of an HTTP message")

// Field is one header line.
type Field struct{ Name, Value string }

// Head is the head of one HTTP request as it came, read leniently: HTTP/1.0,
// no Host, several lines of one name, absolute URIs, bare line feeds and spaces
// in the target are all in use.
type Head struct {
	Method, Target, Proto string
	// Fields are the header lines in their order, as spelt, without the white
	// space around values.
	Fields []Field
	// Raw are the octets of the head, so that it can be replayed.
	Raw []byte
}

// ReadHead reads the head of a request. The error is io.EOF if there is none,
// ErrHead if what comes is no head or longer than MaxHead, and otherwise the
// connection's. Deadlines are the caller's.
func ReadHead(r *bufio.Reader) (Head, error) {
	raw, err := readRawHead(r)
	if err != nil {
		return Head{}, err
	}
	line, rest, _ := bytes.Cut(raw, []byte{'\n'})
	h := Head{Raw: raw}
	request := string(trimLineEnd(line))
	first, last := strings.IndexByte(request, ' '), strings.LastIndexByte(request, ' ')
	if first < 1 || last <= first+1 {
		return Head{}, fmt.Errorf("%w: request line", ErrHead)
	}
	h.Method, h.Target, h.Proto = request[:first], request[first+1:last], request[last+1:]
	if !isToken(h.Method) || !isVersion(h.Proto) || !isPrintable(h.Target) {
		return Head{}, fmt.Errorf("%w: request line", ErrHead)
	}
	h.Fields, err = parseFields(rest)
	return h, err
}

// Get returns the value of the first header line of a name, spelt in any case, or
// "".
func (h Head) Get(name string) string { return getField(h.Fields, name) }

func getField(fields []Field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// readRawHead reads up to the empty line that ends a head. Empty lines before it
// are left out.
func readRawHead(r *bufio.Reader) ([]byte, error) {
	var raw []byte
	begin, skipped := 0, 0 // of the line being read; empty lines before the head
	for {
		piece, err := r.ReadSlice('\n')
		if len(raw)+len(piece) > MaxHead {
			return nil, fmt.Errorf("%w: more than %d octets", ErrHead, MaxHead)
		}
		raw = append(raw, piece...)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(raw) > 0:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		empty := len(trimLineEnd(raw[begin:])) == 0
		switch {
		case empty && begin > 0:
			return raw, nil
		case empty && skipped == maxEmptyLines:
			return nil, fmt.Errorf("%w: empty lines", ErrHead)
		case empty:
			raw = raw[:0]
			skipped++
		default:
			begin = len(raw)
		}
	}
}

func trimLineEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
}

// parseFields takes apart the header lines of a raw head.
func parseFields(raw []byte) ([]Field, error) {
	var fields []Field
	for line := range bytes.Lines(raw) {
		line = trimLineEnd(line)
		if len(line) == 0 {
			break
		}
		if len(fields) == maxFields {
			return nil, fmt.Errorf("%w: more than %d header lines", ErrHead, maxFields)
		}
		text := string(line)
		if !isPrintable(text) {
			return nil, fmt.Errorf("%w: control characters", ErrHead)
		}
		if text[0] == ' ' || text[0] == '\t' { // a continuation line
			if len(fields) == 0 {
				return nil, fmt.Errorf("%w: header line", ErrHead)
			}
			last := &fields[len(fields)-1]
			last.Value = strings.TrimSpace(last.Value + " " + strings.TrimSpace(text))
			continue
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok || !isToken(name) {
			return nil, fmt.Errorf("%w: header line", ErrHead)
		}
		fields = append(fields, Field{name, strings.TrimSpace(value)})
	}
	return fields, nil
}

// isToken reports whether s is a token of HTTP.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("()<>@,;:\\\"/[]?={}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// isPrintable reports whether s is without control characters other than tabs.
func isPrintable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func isVersion(s string) bool {
	number, ok := strings.CutPrefix(s, "HTTP/")
	if !ok {
		return false
	}
	major, minor, ok := strings.Cut(number, ".")
	return ok && isDigits(major) && isDigits(minor)
}

// isDigits reports whether s is 1*DIGIT.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
