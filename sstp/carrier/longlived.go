package carrier

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// ErrSpent is why a LongLived stream ends that has carried all it may. To go on,
// dial again ([MS-GRVHENC] 3.1, 3.2.4.2).
var ErrSpent = errors.New("carrier: the LongLived connection has carried all it may")

// longLived is either end of a LongLived virtual connection, once it stands. Its
// octets go right through.
type longLived struct {
	in, out net.Conn
	budget  int64 // octets in each direction, the echo included

	ahead    *bufio.Reader // what has been read ahead of in; nil once that is used up
	received int64

	writing sync.Mutex
	sent    int64

	idle   *idleWatch
	ending sync.Once
	why    atomic.Pointer[error]
	ended  func(why error) // called once
}

// newLongLived returns a virtual connection of which the echoes have been
// exchanged.
func newLongLived(in, out *exchange, budget int64, ended func(error)) *longLived {
	d := &longLived{
		in: in.conn, out: out.conn, ahead: in.r,
		budget:   budget,
		received: int64(len(echo)),
		sent:     int64(len(echo)),
		ended:    ended,
	}
	d.idle = newIdleWatch(idleTime, func() { d.end(errIdle) })
	return d
}

// Read reads what the peer sends. It is not for concurrent use with itself.
func (d *longLived) Read(p []byte) (int, error) {
	if d.received >= d.budget {
		d.end(ErrSpent)
	}
	if err := d.err(); err != nil {
		return 0, err
	}
	if left := d.budget - d.received; int64(len(p)) > left {
		p = p[:left]
	}
	var n int
	var err error
	if d.ahead != nil && d.ahead.Buffered() > 0 {
		n, err = d.ahead.Read(p)
	} else {
		d.ahead = nil
		n, err = d.in.Read(p)
	}
	d.received += int64(n)
	d.idle.touch()
	if err != nil {
		err = d.fail(err)
	}
	return n, err
}

// Write sends p at once.
func (d *longLived) Write(p []byte) (int, error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := d.err(); err != nil {
		return 0, err
	}
	if d.sent+int64(len(p)) > d.budget {
		return 0, d.fail(ErrSpent)
	}
	n, err := d.out.Write(p)
	d.sent += int64(n)
	d.idle.touch()
	if err != nil {
		err = d.fail(err)
	}
	return n, err
}

// Close ends the virtual connection.
func (d *longLived) Close() error {
	d.end(net.ErrClosed)
	return nil
}

func (d *longLived) resign(why error) { d.end(why) }

// fail ends the virtual connection, and returns why it ended in the first place.
func (d *longLived) fail(why error) error {
	d.end(why)
	return d.err()
}

// end closes both connections.
func (d *longLived) end(why error) {
	d.ending.Do(func() {
		d.why.Store(&why)
		d.idle.stop()
		for _, conn := range []net.Conn{d.in, d.out} {
			_ = conn.Close() // nothing is left to be lost
		}
		d.ended(why)
	})
}

// err returns why the virtual connection has ended, or nil.
func (d *longLived) err() error {
	if why := d.why.Load(); why != nil {
		return *why
	}
	return nil
}

// readEcho reads the echo string that comes first (2.2.2.2.3).
func readEcho(r io.Reader) error {
	var got [len(echo)]byte
	if _, err := io.ReadFull(r, got[:]); err != nil {
		return fmt.Errorf("reading the echo string: %w", err)
	}
	if string(got[:]) != echo {
		return fmt.Errorf("%w: no echo string", errUnfit)
	}
	return nil
}
