package carrier

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadHead(t *testing.T) {
	tests := []struct {
		name, in string
		want     Head // without Raw, which is in but for empty lines before
	}{
		{
			"a browser's", "GET /gms.dll?x HTTP/1.1\r\nHost: relay.example\r\nAccept:*/*\r\n\r\n",
			Head{Method: "GET", Target: "/gms.dll?x", Proto: "HTTP/1.1", Fields: []Field{{"Host", "relay.example"}, {"Accept", "*/*"}}},
		},
		{
			"the protocol's", "POST http://r/2.0/r/g,ConnType=KeepAlive HTTP/1.0\r\nUserAgent: r\r\nCache-Control: no-cache\r\nExpires: 0\r\nCache-Control: max-age=0\r\n\r\n",
			Head{Method: "POST", Target: "http://r/2.0/r/g,ConnType=KeepAlive", Proto: "HTTP/1.0", Fields: []Field{{"UserAgent", "r"}, {"Cache-Control", "no-cache"}, {"Expires", "0"}, {"Cache-Control", "max-age=0"}}},
		},
		{
			"a space in the target", "GET /2.0/r/g,ConnType=LongLived, ID=x HTTP/1.0\r\n\r\n",
			Head{Method: "GET", Target: "/2.0/r/g,ConnType=LongLived, ID=x", Proto: "HTTP/1.0"},
		},
		{
			"bare line feeds", "GET / HTTP/1.0\nA: b\n\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.0", Fields: []Field{{"A", "b"}}},
		},
		{
			"after the empty line of an old client", "\r\nGET / HTTP/1.0\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.0"},
		},
		{
			"continued and empty values", "GET / HTTP/1.0\r\nA: b\r\n\t c \r\nB:\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.0", Fields: []Field{{"A", "b c"}, {"B", ""}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const body = "\r\nbody"
			for _, src := range []io.Reader{strings.NewReader(tt.in + body), iotest.OneByteReader(strings.NewReader(tt.in + body))} {
				r := bufio.NewReaderSize(src, 16)
				got, err := ReadHead(r)
				if err != nil {
					t.Fatal(err)
				}
				tt.want.Raw = []byte(strings.TrimPrefix(tt.in, "\r\n"))
				if !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got %q\nwant %q", got, tt.want)
				}
				if rest, err := io.ReadAll(r); err != nil || string(rest) != body {
					t.Errorf("left is %q, %v", rest, err)
				}
			}
		})
	}
}

func TestReadHeadRefuses(t *testing.T) {
	tests := []struct {
		name, in string
		want     error
	}{
		{"nothing", "", io.EOF},
		{"half a head", "GET / HTTP/1.0\r\nA: b\r\n", io.ErrUnexpectedEOF},
		{"a name without a colon", "GET / HTTP/1.0\r\nab\r\n\r\n", ErrHead},
		{"a space in a name", "GET / HTTP/1.0\r\nContent-Length : 1\r\n\r\n", ErrHead},
		{"a continuation of nothing", "GET / HTTP/1.0\r\n b\r\n\r\n", ErrHead},
		{"control characters", "GET / HTTP/1.0\r\nA: b\x00c\r\n\r\n", ErrHead},
		{"a carriage return inside", "GET / HTTP/1.0\r\nA: b\rC: d\r\n\r\n", ErrHead},
		{"no version", "GET /\r\n\r\n", ErrHead},
		{"a version of something else", "GET / RTSP/1.0\r\n\r\n", ErrHead},
		{"no target", "GET  HTTP/1.0\r\n\r\n", ErrHead},
		{"SSTP", "\x01\x20\x00 HTTP/1.0\r\n\r\n", ErrHead},
		{"too long a line", "GET /" + strings.Repeat("a", MaxHead) + " HTTP/1.0\r\n\r\n", ErrHead},
		{"too many lines", "GET / HTTP/1.0\r\n" + strings.Repeat("A: b\r\n", maxFields+1) + "\r\n", ErrHead},
		{"empty lines without end", strings.Repeat("\r\n", 100), ErrHead},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ReadHead(bufio.NewReader(strings.NewReader(tt.in))); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestReadHeadTakesNoMoreThanMaxHead(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("GET / HTTP/1.0\r\nA: " + strings.Repeat("a", 1<<20)))
	if _, err := ReadHead(r); !errors.Is(err, ErrHead) {
		t.Error(err)
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) < 1<<20-2*MaxHead {
		t.Errorf("%d octets are left, %v", len(rest), err)
	}
}

func TestGet(t *testing.T) {
	h := Head{Fields: []Field{{"cache-control", "a"}, {"Cache-Control", "b"}}}
	if got := h.Get("Cache-Control"); got != "a" {
		t.Errorf("got %q", got)
	}
	if got := h.Get("Host"); got != "" {
		t.Errorf("got %q of a line that is not there", got)
	}
}

// What ReadHead takes, it takes again from Raw, and the client's reader of
// responses stays within its bounds on the same octets.
func FuzzReadHead(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.0\r\nHost: a\r\n b\r\n\r\nx"))
	f.Add([]byte("\r\nPOST http://a/2.0/a/b,ConnType=LongLived, ID=c HTTP/1.1\nA:\n\n"))
	f.Add([]byte("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\n\r\nabc"))
	f.Fuzz(func(t *testing.T, in []byte) {
		h, err := ReadHead(bufio.NewReader(bytes.NewReader(in)))
		if err == nil {
			if len(h.Raw) > MaxHead || len(h.Fields) > maxFields {
				t.Fatal("too much")
			}
			again, err := ReadHead(bufio.NewReader(bytes.NewReader(h.Raw)))
			if err != nil || !reflect.DeepEqual(again, h) {
				t.Fatalf("read again: %q, %v, was %q", again, err, h)
			}
		}
		r := bufio.NewReader(bytes.NewReader(in))
		if p, err := readReply(r); err == nil {
			if body, err := p.body(r); err == nil && len(body) > maxBody {
				t.Fatalf("a body of %d octets", len(body))
			}
		}
	})
}
