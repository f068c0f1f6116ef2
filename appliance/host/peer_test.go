package host

import (
	"net"
	"os/user"
	"path/filepath"
	"testing"
)

func TestPeerUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled, err := DialUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer dialled.Close()
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if name, err := PeerUser(accepted.(*net.UnixConn)); err != nil || name != me.Username {
		t.Fatalf("peer %q, %v; want %q", name, err, me.Username)
	}
}
