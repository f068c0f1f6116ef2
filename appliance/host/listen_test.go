package host

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestListenOnATakenPort(t *testing.T) {
	holder, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { holder.Close() })
	_, err = Sockets{}.Listen("sstp", holder.Addr().String())
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{
		"sstp: cannot listen on " + holder.Addr().String(), "address already in use",
		fmt.Sprintf("the port is held by host.test (process %d)", os.Getpid()),
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}

// TestAdviceWithoutPermission cannot be had by listening: many systems let anybody have any port.
func TestAdviceWithoutPermission(t *testing.T) {
	got := advice("gms", ":http", &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)})
	for _, want := range []string{"run as root", "setcap cap_net_bind_service=+ep " + os.Args[0], "FileDescriptorName=gms"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s, want %q in it", got, want)
		}
	}
}

func TestAdviceOnAHolderNotSeen(t *testing.T) {
	// Nobody listens on port 1, so nobody can be seen to.
	if got := advice("sstp", ":tcpmux", syscall.EADDRINUSE); !strings.Contains(got, "ss -ltnp 'sport = :1'") {
		t.Errorf("%q", got)
	}
	if got := advice("sstp", ":1", syscall.EMFILE) + advice("sstp", "nonsense", syscall.EACCES); got != "" {
		t.Errorf("advice on what is not about ports: %q", got)
	}
}

// TestListenOnBothFamilies has one socket serve IPv4 and IPv6.
func TestListenOnBothFamilies(t *testing.T) {
	listener, err := Sockets{}.Listen("gms", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		client, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := server.RemoteAddr().(*net.TCPAddr).IP; !got.Equal(net.ParseIP(host)) {
			t.Errorf("the peer of %s is seen as %s", host, got)
		}
		client.Close()
		server.Close()
	}
	// Of one family, the port of the other is free.
	v4, err := Sockets{}.Listen("gms", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v4.Close() })
	_, port, _ = net.SplitHostPort(v4.Addr().String())
	if client, err := net.Dial("tcp", net.JoinHostPort("::1", port)); err == nil {
		client.Close()
		t.Error("an address of IPv4 answers on IPv6")
	}
}

func TestPortOwner(t *testing.T) {
	proc := t.TempDir()
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:09BC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:0050 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: short
`
	for path, content := range map[string]string{"net/tcp6": table, "12/comm": "squid\n", "13/comm": "other\n"} {
		path = filepath.Join(proc, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for process, socket := range map[string]string{"12": "socket:[4711]", "13": "socket:[4712]"} {
		dir := filepath.Join(proc, process, "fd")
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(socket, filepath.Join(dir, "3"))); err != nil {
			t.Fatal(err)
		}
	}
	for port, want := range map[string]string{
		"2492": "squid (process 12)", "80": "", "1": "", "http": "", "99999": "",
	} {
		if got := portOwner(proc, port); got != want {
			t.Errorf("port %s: %q, want %q", port, got, want)
		}
	}
	if got := portOwner(filepath.Join(proc, "none"), "2492"); got != "" {
		t.Errorf("without proc: %q", got)
	}
}
