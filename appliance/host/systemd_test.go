package host

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNotifyReachesTheServiceManager(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { manager.Close() })
	t.Setenv("NOTIFY_SOCKET", path)

	for _, step := range []struct {
		tell func() error
		want string
	}{
		{func() error { return Ready("serving") }, "READY=1\nSTATUS=serving"},
		{Reloading, "RELOADING=1"},
		{Alive, "WATCHDOG=1"},
		{Stopping, "STOPPING=1"},
	} {
		if err := step.tell(); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 256)
		n, err := manager.Read(buf)
		if err != nil || string(buf[:n]) != step.want {
			t.Fatalf("the service manager read %q, %v; want %q", buf[:n], err, step.want)
		}
	}
}

func TestNotifyWithoutServiceManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	os.Unsetenv("NOTIFY_SOCKET")
	if err := Ready("serving"); err != nil {
		t.Fatal(err)
	}
}

func TestListenPrefersTheInheritedSocket(t *testing.T) {
	inherited, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inherited.Close() })
	sockets := Sockets{"http": {inherited}}
	// A box that opens again asks again, and connections that came in between have waited.
	for range 2 {
		caller, err := net.Dial("tcp", inherited.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { caller.Close() })
		got, err := sockets.Listen("http", "127.0.0.1:0")
		if err != nil || got.Addr().String() != inherited.Addr().String() {
			t.Fatalf("got %v, %v; want the inherited socket", got, err)
		}
		taken, err := got.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(taken.Close(), got.Close()); err != nil {
			t.Fatal(err)
		}
	}
	_, err = sockets.Listen("other", inherited.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "other: cannot listen on "+inherited.Addr().String()) {
		t.Fatalf("a taken port: %v; want an error that names service and address", err)
	}
}
