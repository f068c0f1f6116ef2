// Package sockettest stands in for systemd where a test's program meets a unix socket whose connections are each served by
// a process of their own (Accept=yes).
package sockettest

import (
	"net"
	"sync"
	"testing"
)

// Serve has a new unix socket at path serve each connection, one after the other, until the test ends.
func Serve(t testing.TB, path string, serve func(net.Conn)) {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn)
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		work.Wait()
	})
}
