package carrier

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// exchange is a connection on which requests are answered.
type exchange struct {
	conn net.Conn
	r    *bufio.Reader
}

const (
	// goodbye is how long, and goodbyeSize how many octets, are read after a
	// refusal, so that the peer gets to read it.
	goodbye     = time.Second
	goodbyeSize = 64 << 10
)

var errLength = errors.New("carrier: length of a body")

// allow limits the time for what is read from now on; 0 takes the limit away. A
// connection that is closed says so when it is read.
func (x *exchange) allow(d time.Duration) {
	var limit time.Time
	if d > 0 {
		limit = time.Now().Add(d)
	}
	_ = x.conn.SetReadDeadline(limit)
}

// allowAll takes away all limits.
func (x *exchange) allowAll() {
	_ = x.conn.SetDeadline(time.Time{}) // as in allow
}

// interrupt makes whoever reads from the connection return at once.
func (x *exchange) interrupt() {
	_ = x.conn.SetReadDeadline(time.Unix(1, 0)) // as in allow
}

// next reads the head of the next request.
func (x *exchange) next() (Head, error) {
	x.allow(idleTime)
	if _, err := x.r.Peek(1); err != nil {
		return Head{}, err
	}
	x.allow(receiveTime)
	return ReadHead(x.r)
}

// body reads the body of a request. What it takes in memory grows with what
// arrives, not with what is announced.
func (x *exchange) body(h Head) ([]byte, error) {
	n, err := contentLength(h.Fields)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, fmt.Errorf("%w: none", errLength)
	}
	return readBody(x.r, n)
}

// contentLength returns the Content-Length of a message, or -1.
func contentLength(fields []Field) (int64, error) {
	if getField(fields, "Transfer-Encoding") != "" {
		return 0, fmt.Errorf("%w: transfer coding", errLength)
	}
	text := getField(fields, "Content-Length")
	if text == "" {
		return -1, nil
	}
	for _, f := range fields {
		if strings.EqualFold(f.Name, "Content-Length") && f.Value != text {
			return 0, fmt.Errorf("%w: several", errLength) // who reads which?
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !isDigits(text) {
		return 0, fmt.Errorf("%w: %.30q", errLength, text)
	}
	return n, nil
}

func readBody(r *bufio.Reader, n int64) ([]byte, error) {
	if n > maxBody {
		return nil, fmt.Errorf("%w: %d octets, at most %d are allowed", errLength, n, maxBody)
	}
	var body bytes.Buffer
	switch got, err := io.CopyN(&body, r, n); {
	case err == io.EOF && got < n:
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	}
	return body.Bytes(), nil
}

// write writes a whole response.
func (x *exchange) write(p []byte) error {
	_ = x.conn.SetWriteDeadline(time.Now().Add(receiveTime)) // as in allow
	_, err := x.conn.Write(p)
	return err
}

// dismiss closes the connection after a refusal has been written.
func (x *exchange) dismiss() {
	half, ok := x.conn.(interface{ CloseWrite() error })
	if ok && half.CloseWrite() == nil {
		x.allow(goodbye)
		_, _ = io.CopyN(io.Discard, x.conn, goodbyeSize) // whatever it is
	}
	x.close()
}

func (x *exchange) close() {
	_ = x.conn.Close() // nothing is left to be lost
}
