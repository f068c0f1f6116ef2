package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// maxSocketPath is the longest path the kernel takes for a Unix socket: sun_path holds 108 bytes with its end
// mark (unix(7)). Data directories may lie deeper than that; those sockets are reached through a descriptor of
// their directory.
const maxSocketPath = 107

// UnixListener is a listening Unix socket that removes its file when closed.
type UnixListener struct {
	*net.UnixListener
	path string
}

// ListenUnix makes the socket at path with mode 0600, replacing the file that a killed predecessor left. The
// caller must know that no other process serves it (it holds the data directory's lock).
func ListenUnix(path string) (*UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing the old socket %s: %w", path, err)
	}
	var listener *net.UnixListener
	err := withShortPath(path, func(short string) (err error) {
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", path, err)
	}
	// The short path is only good while its directory is open, so the file is removed by its full one.
	listener.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("restricting %s: %w", path, err), listener.Close())
	}
	return &UnixListener{UnixListener: listener, path: path}, nil
}

// Close stops listening and removes the socket's file.
func (l *UnixListener) Close() error {
	err := l.UnixListener.Close()
	if removed := os.Remove(l.path); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// DialUnix connects to the socket at path.
func DialUnix(ctx context.Context, path string) (net.Conn, error) {
	var conn net.Conn
	err := withShortPath(path, func(short string) (err error) {
		var dialer net.Dialer
		conn, err = dialer.DialContext(ctx, "unix", short)
		return err
	})
	return conn, err
}

// withShortPath calls f with a name of path that fits into a socket address.
func withShortPath(path string, f func(short string) error) error {
	if len(path) <= maxSocketPath {
		return f(path)
	}
	dir, err := os.OpenFile(filepath.Dir(path), syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)))
}
