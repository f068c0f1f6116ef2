package host

import (
	"errors"
	"fmt"
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// PeerUser is the name of the user whose process opened the other end of a Unix socket (unix(7), SO_PEERCRED), or
// "uid 1000" for one without a name.
func PeerUser(conn *net.UnixConn) (string, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return "", fmt.Errorf("reading the socket's peer: %w", err)
	}
	var peer *unix.Ucred
	var asked error
	err = raw.Control(func(fd uintptr) {
		peer, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, asked); err != nil {
		return "", fmt.Errorf("reading the socket's peer: %w", err)
	}
	uid := strconv.FormatUint(uint64(peer.Uid), 10)
	if known, err := user.LookupId(uid); err == nil {
		return known.Username, nil
	}
	return "uid " + uid, nil
}
