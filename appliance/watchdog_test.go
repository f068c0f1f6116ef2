package appliance

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSignsOfLife is what furrow.service asks for: ready first, then signs of life that follow durable writes.
func TestSignsOfLife(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { manager.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "20000")

	a, _, stop := run(t, options(filepath.Join(t.TempDir(), "var")))
	read := func() string {
		if err := manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		message := make([]byte, 256)
		n, err := manager.Read(message)
		if err != nil {
			t.Fatal(err)
		}
		return string(message[:n])
	}
	// A sign is read some time after it was given, when the next write may have come already; the socket holds fewer than
	// these.
	const most = 1000
	var first, written time.Time
	for signs, ready := 0, false; !ready || !written.After(first); {
		switch message := read(); {
		case strings.HasPrefix(message, "READY=1"):
			ready = true
		case message == "WATCHDOG=1":
			row, ok := a.lifeSign.Get(a.store.Snapshot(), "last")
			if signs++; !ok || signs > most {
				t.Fatalf("sign of life %d without a write: %+v", signs, row)
			}
			if first.IsZero() {
				first = row.At
			}
			written = row.At
		default:
			t.Fatalf("told the service manager %q", message)
		}
	}
	stop()
	for message := read(); message != "STOPPING=1"; message = read() {
		if message != "WATCHDOG=1" {
			t.Fatalf("told the service manager %q", message)
		}
	}
}
