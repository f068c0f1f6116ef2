package carrier

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// reply is a response as a client gets it. LongLived's never ends, so the body is
// read apart.
type reply struct {
	code   int
	phrase string
	fields []Field
	length int64 // of the body; -1 if it ends with the connection
	keep   bool  // the connection may be used again
}

// maxInterim bounds the interim responses before the one that counts.
const maxInterim = 4

// readReply reads the head of a response.
func readReply(r *bufio.Reader) (*reply, error) {
	for range maxInterim {
		p, err := readReplyHead(r)
		if err != nil {
			return nil, err
		}
		if p.code >= 200 {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: interim responses", ErrHead)
}

func readReplyHead(r *bufio.Reader) (*reply, error) {
	raw, err := readRawHead(r)
	if err != nil {
		return nil, err
	}
	line, rest, _ := bytes.Cut(raw, []byte{'\n'})
	proto, status, _ := strings.Cut(string(trimLineEnd(line)), " ")
	code, phrase, _ := strings.Cut(status, " ")
	if !isVersion(proto) || len(code) != 3 || !isDigits(code) || !isPrintable(phrase) {
		return nil, fmt.Errorf("%w: status line", ErrHead)
	}
	p := &reply{phrase: phrase}
	p.code, err = strconv.Atoi(code)
	if err != nil {
		return nil, fmt.Errorf("%w: status line: %w", ErrHead, err)
	}
	if p.fields, err = parseFields(rest); err != nil {
		return nil, err
	}
	if p.length, err = contentLength(p.fields); err != nil {
		return nil, err
	}
	p.keep = p.length >= 0 && p.persistent(proto)
	return p, nil
}

// persistent reports whether the other end keeps the connection open.
func (p *reply) persistent(proto string) bool {
	keep := proto != "HTTP/1.0"
	for _, f := range p.fields {
		if strings.EqualFold(f.Name, "Connection") || strings.EqualFold(f.Name, "Proxy-Connection") {
			switch {
			case strings.EqualFold(f.Value, "close"):
				return false
			case strings.EqualFold(f.Value, keepAliveValue):
				keep = true
			}
		}
	}
	return keep
}

// challenges returns the values of Proxy-Authenticate.
func (p *reply) challenges() []string {
	var values []string
	for _, f := range p.fields {
		if strings.EqualFold(f.Name, "Proxy-Authenticate") {
			values = append(values, f.Value)
		}
	}
	return values
}

// body reads the body of a response that ends.
func (p *reply) body(r *bufio.Reader) ([]byte, error) {
	if p.length >= 0 {
		return readBody(r, p.length)
	}
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("%w: more than %d octets", errLength, maxBody)
	}
	return body, err
}

// A StatusError is a response that a client takes as failure ([MS-GRVHENC]
// 2.2.1.4).
type StatusError struct {
	Code   int
	Phrase string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("carrier: the answer is %d %.100s", e.Code, e.Phrase)
}

// check returns an error unless the response is a success.
func (p *reply) check() error {
	if p.code == http.StatusOK {
		return nil
	}
	return &StatusError{p.code, p.phrase}
}
