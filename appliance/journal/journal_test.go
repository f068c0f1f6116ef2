package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// receiver is a journal's socket.
type receiver struct {
	t    *testing.T
	path string
	conn *net.UnixConn
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, path: filepath.Join(t.TempDir(), "socket")}
	r.open()
	return r
}

func (r *receiver) open() {
	r.t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: r.path, Net: "unixgram"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.conn = conn
	r.t.Cleanup(func() { _ = conn.Close() }) // it may have been closed by the test
}

// next is a record that has come: lines of fields, values with lines of their own in quotes.
func (r *receiver) next() (fields []string, size int) {
	r.t.Helper()
	if err := r.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		r.t.Fatal(err)
	}
	datagram := make([]byte, 1<<20)
	size, err := r.conn.Read(datagram)
	if err != nil {
		r.t.Fatal(err)
	}
	for rest := datagram[:size]; len(rest) > 0; {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			r.t.Fatalf("the end of %q", rest)
		}
		if bytes.Contains(line, []byte("=")) {
			fields, rest = append(fields, string(line)), after
			continue
		}
		length := binary.LittleEndian.Uint64(after)
		fields = append(fields, fmt.Sprintf("%s=%q", line, after[8:8+length]))
		if after[8+length] != '\n' {
			r.t.Fatalf("%s does not end", line)
		}
		rest = after[8+length+1:]
	}
	return fields, size
}

// logTo is a log to a journal, and the text that goes past it.
func logTo(path string) (*slog.Logger, *bytes.Buffer) {
	past := new(bytes.Buffer)
	return slog.New(handler(slog.NewTextHandler(past, &slog.HandlerOptions{Level: slog.LevelDebug}), path)), past
}

func TestRecords(t *testing.T) {
	journal := newReceiver(t)
	log, past := logTo(journal.path)
	log.Debug("begun")
	log.Info("member joined", "member", "Ann Ång", "relay-url", "grooveDNS://box")
	log.With("relay", 1).WithGroup("sstp").Warn("closed", slog.Group("peer", "address", "192.0.2.1"), "error", errors.New("line one\nline two"))
	log.Error("two\nlines", "a.b", "", "a-b", `say "x"`)
	for _, want := range [][]string{
		{"PRIORITY=7", "SYSLOG_IDENTIFIER=furrow", "MESSAGE=begun"},
		{
			"PRIORITY=6", "SYSLOG_IDENTIFIER=furrow", `MESSAGE=member joined member="Ann Ång" relay-url=grooveDNS://box`,
			"FURROW_MEMBER=Ann Ång", "FURROW_RELAY_URL=grooveDNS://box",
		},
		{
			"PRIORITY=4", "SYSLOG_IDENTIFIER=furrow", `MESSAGE=closed relay=1 sstp.peer.address=192.0.2.1 sstp.error="line one\nline two"`,
			"FURROW_RELAY=1", "FURROW_SSTP_PEER_ADDRESS=192.0.2.1", `FURROW_SSTP_ERROR="line one\nline two"`,
		},
		{
			"PRIORITY=3", "SYSLOG_IDENTIFIER=furrow", `MESSAGE="two\nlines" a.b="" a-b="say \"x\""`,
			"FURROW_A_B=", `FURROW_A_B=say "x"`,
		},
	} {
		if got, _ := journal.next(); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	if past.Len() != 0 {
		t.Errorf("past the journal went %q", past)
	}
}

// What the journal does not take is not lost, and goes there again once it does.
func TestFallback(t *testing.T) {
	journal := newReceiver(t)
	log, past := logTo(journal.path)
	log.Info("first")
	journal.next()
	if err := journal.conn.Close(); err != nil {
		t.Fatal(err)
	}
	log.With("relay", 1).Warn("closed", "error", "reset")
	if got := past.String(); !strings.Contains(got, "level=WARN msg=closed relay=1 error=reset") {
		t.Errorf("past the journal went %q", got)
	}
	past.Reset()
	if err := os.Remove(journal.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	journal.open() // as when it is started anew
	log.Info("second")
	if got, _ := journal.next(); !slices.Contains(got, "MESSAGE=second") || past.Len() != 0 {
		t.Errorf("%q, and past the journal %q", got, past)
	}
}

// A journal that has stopped holds nobody up for long.
func TestStuck(t *testing.T) {
	journal := newReceiver(t)
	log, past := logTo(journal.path)
	for range 10_000 { // until it is full
		if log.Info("more"); past.Len() > 0 {
			return
		}
	}
	t.Error("nothing has gone past a journal that reads nothing")
}

func TestLevel(t *testing.T) {
	journal := newReceiver(t)
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	log := slog.New(handler(slog.NewTextHandler(new(bytes.Buffer), &slog.HandlerOptions{Level: level}), journal.path))
	log.Info("nothing")
	log.Warn("something")
	if got, _ := journal.next(); !slices.Contains(got, "MESSAGE=something") {
		t.Errorf("%q", got)
	}
}

// A record with what peers may send stays within a datagram, with names that the journal takes.
func TestBounds(t *testing.T) {
	journal := newReceiver(t)
	log, past := logTo(journal.path)
	var attrs []any
	for i := range 64 {
		attrs = append(attrs, fmt.Sprintf("näme %d\n%s", i, strings.Repeat("x", i*4)), strings.Repeat("\x00\xff", 1<<16))
	}
	log.Info(strings.Repeat("m", 1<<16), attrs...)
	fields, size := journal.next()
	valid := regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
	for _, field := range fields {
		if name, _, _ := strings.Cut(field, "="); !valid.MatchString(name) {
			t.Errorf("a field %q", name)
		}
	}
	if len(fields) < 8 || size > maxMessage+maxFields+100 || past.Len() > 0 {
		t.Errorf("%d fields, %d octets, and past the journal %.100q", len(fields), size, past)
	}
}

func TestConnected(t *testing.T) {
	var stderr syscall.Stat_t
	if err := syscall.Fstat(int(os.Stderr.Fd()), &stderr); err != nil {
		t.Fatal(err)
	}
	for stream, want := range map[string]bool{
		fmt.Sprintf("%d:%d", stderr.Dev, stderr.Ino): true, fmt.Sprintf("%d:%d", stderr.Dev, stderr.Ino+1): false, "": false, "x": false,
	} {
		t.Setenv("JOURNAL_STREAM", stream)
		if got := Connected(); got != want {
			t.Errorf("%q: %v", stream, got)
		}
	}
}
