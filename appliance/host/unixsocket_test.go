package host

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnixSocket(t *testing.T) {
	for name, depth := range map[string]int{"short path": 0, "path longer than a socket address": 10} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "s")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			path := filepath.Join(dir, strings.Repeat("a-deep-folder/", depth), "admin.sock")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			// What a killed process leaves behind.
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}

			listener, err := ListenUnix(path)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
				t.Fatalf("mode %v, %v", info.Mode(), err)
			}
			echoed := make(chan error, 1)
			go func() {
				conn, err := listener.Accept()
				if err == nil {
					_, err = io.WriteString(conn, "hello")
					err = errors.Join(err, conn.Close())
				}
				echoed <- err
			}()
			conn, err := DialUnix(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if err := errors.Join(err, conn.Close(), <-echoed); err != nil {
				t.Fatal(err)
			}
			if string(got) != "hello" {
				t.Fatalf("read %q", got)
			}
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("the socket's file stays behind: %v", err)
			}
		})
	}
}

func TestDialUnixWithoutServer(t *testing.T) {
	if _, err := DialUnix(context.Background(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want fs.ErrNotExist", err)
	}
}
