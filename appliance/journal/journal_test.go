package journal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/coreos/go-systemd/v22/journal"
)

// sent is a record as the journal gets it.
type sent struct {
	message  string
	priority journal.Priority
	fields   map[string]string
}

// logTo returns a log whose records come into what is returned, and the fallback's text.
func logTo(err error) (log *slog.Logger, all *[]sent, fallback *bytes.Buffer) {
	all, fallback = new([]sent), new(bytes.Buffer)
	text := slog.NewTextHandler(fallback, &slog.HandlerOptions{Level: slog.LevelDebug})
	return slog.New(handler(text, func(message string, p journal.Priority, fields map[string]string) error {
		if err == nil {
			*all = append(*all, sent{message, p, fields})
		}
		return err
	})), all, fallback
}

func TestRecords(t *testing.T) {
	log, all, fallback := logTo(nil)
	log.Debug("begun")
	log.Info("member joined", "member", "Ann Ång", "relay-url", "grooveDNS://box")
	log.With("relay", 1).WithGroup("sstp").Warn("closed", slog.Group("peer", "address", "192.0.2.1"), "error", errors.New("line one\nline two"))
	log.Error("two\nlines", "a.b", "", "a-b", `say "x"`)
	want := []sent{
		{"begun", journal.PriDebug, nil},
		{`member joined member="Ann Ång" relay-url=grooveDNS://box`, journal.PriInfo,
			map[string]string{"FURROW_MEMBER": "Ann Ång", "FURROW_RELAY_URL": "grooveDNS://box"}},
		{`closed relay=1 sstp.peer.address=192.0.2.1 sstp.error="line one\nline two"`, journal.PriWarning,
			map[string]string{"FURROW_RELAY": "1", "FURROW_SSTP_PEER_ADDRESS": "192.0.2.1", "FURROW_SSTP_ERROR": "line one\nline two"}},
		{`"two\nlines" a.b="" a-b="say \"x\""`, journal.PriErr, map[string]string{"FURROW_A_B": "\nsay \"x\""}},
	}
	for i, w := range want {
		if w.fields == nil {
			w.fields = map[string]string{}
		}
		w.fields["SYSLOG_IDENTIFIER"] = "furrow"
		if got := (*all)[i]; got.message != w.message || got.priority != w.priority || !maps.Equal(got.fields, w.fields) {
			t.Errorf("got  %+v\nwant %+v", got, w)
		}
	}
	if len(*all) != len(want) || fallback.Len() != 0 {
		t.Errorf("%d records, and past the journal %q", len(*all), fallback)
	}
}

// What the journal does not take is not lost, and what is not to be logged is not.
func TestFallback(t *testing.T) {
	log, _, fallback := logTo(errors.New("no such socket"))
	log.With("relay", 1).Warn("closed", "error", "reset")
	if got := fallback.String(); !strings.Contains(got, "level=WARN msg=closed relay=1 error=reset") {
		t.Errorf("%q", got)
	}
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	quiet := slog.New(handler(slog.NewTextHandler(fallback, &slog.HandlerOptions{Level: level}), func(string, journal.Priority, map[string]string) error {
		t.Error("sent below the level")
		return nil
	}))
	quiet.Info("nothing")
}

// A record with what peers may send stays within a datagram, with names that the journal takes.
func TestBounds(t *testing.T) {
	log, all, _ := logTo(nil)
	var attrs []any
	for i := range 64 {
		attrs = append(attrs, fmt.Sprintf("näme %d\n%s", i, strings.Repeat("x", i*4)), strings.Repeat("\x00\xff", 1<<16))
	}
	log.Info(strings.Repeat("m", 1<<16), attrs...)
	got := (*all)[0]
	size := len(got.message)
	valid := regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
	for name, value := range got.fields {
		if size += len(name) + len(value); !valid.MatchString(name) {
			t.Errorf("a field %q", name)
		}
	}
	if len(got.fields) < 8 || size > maxMessage+maxValues+100 {
		t.Errorf("%d fields, %d octets", len(got.fields), size)
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
