package journal

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// socket is where the journal of a system takes records.
const socket = "/run/systemd/journal/socket"

// patience is how long a record waits for a journal that does not keep up. The journal package of go-systemd waits for
// ever, and holds up every goroutine that logs.
const patience = time.Second

// sender sends datagrams to a path. It is safe for concurrent use.
type sender struct {
	path string

	mu   sync.Mutex
	conn *net.UnixConn // guarded by mu; nil before the first, and after a failure
}

func (s *sender) send(datagram []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.try(datagram)
	if err == nil || errors.Is(err, errWaited) {
		return err
	}
	return s.try(datagram) // the journal may have another socket by now
}

// errWaited says that the journal does not keep up.
var errWaited = errors.New("the journal does not keep up")

func (s *sender) try(datagram []byte) (err error) {
	if s.conn == nil {
		if s.conn, err = net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.path, Net: "unixgram"}); err != nil {
			s.conn = nil
			return fmt.Errorf("the journal: %w", err)
		}
	}
	if err = s.conn.SetWriteDeadline(time.Now().Add(patience)); err == nil {
		_, err = s.conn.Write(datagram)
	}
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return errWaited
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("the journal: %w", err), s.conn.Close())
		s.conn = nil
	}
	return err
}
