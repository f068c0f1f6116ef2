package carrier

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
)

// ServerConfig is what a Server needs to know. It is not changed afterwards.
type ServerConfig struct {
	// Adopt takes a stream as the relay's own, and returns at once. It is to
	// close the stream in the end.
	Adopt func(io.ReadWriteCloser)

	// Names reports whether a name that a client calls the relay by is the
	// relay's; case does not matter in it. Nil takes any ([MS-GRVHENC] 3.2.5.1.1,
	// note <19>).
	Names func(host string) bool

	// Other takes a connection on which, after requests of an encapsulation,
	// another one has come: proxies use connections for several clients. Nil
	// answers such a request with 400.
	Other func(conn net.Conn, r *bufio.Reader, h Head)

	// Product is the Server header, product/version; "" is "Furrow/1".
	Product string

	// MaxConnections bounds the virtual connections; 0 is 10,000. Beyond it new
	// ones are refused.
	MaxConnections int

	// MaxWaiting bounds those that are not complete yet; 0 is 1,024. Beyond it
	// the one that has waited longest makes room, for the two halves of an
	// honest client meet at once.
	MaxWaiting int

	// Log receives what is worth knowing about single connections; nil means
	// nobody does.
	Log *slog.Logger
}

// Stats are numbers about a Server.
type Stats struct {
	LongLived, KeepAlive, Polling int    // virtual connections that stand
	Waiting                       int    // virtual connections not complete yet
	Opened                        uint64 // that ever stood
	Refused                       uint64 // requests refused
	TimedOut                      uint64 // virtual connections dropped because nothing, or no other half, came
}

// Server is the relay's end of the encapsulations. It is safe for concurrent use.
type Server struct {
	cfg ServerConfig
}

// NewServer returns a Server.
func NewServer(cfg ServerConfig) *Server { return &Server{cfg: cfg} }

// Claims reports whether a request belongs to an encapsulation.
func (s *Server) Claims(h Head) bool { return false }

// Serve answers the request whose head has been read from conn by way of r, and
// those that follow on conn. It takes conn over, whose deadlines it sets itself,
// and returns when done with it or when a virtual connection has taken it.
func (s *Server) Serve(conn net.Conn, r *bufio.Reader, h Head) { _ = conn.Close() }

// Shutdown ends all virtual connections and waits until nothing of the server is
// left, or ctx ends. What the relay has closed before, it still delivers.
func (s *Server) Shutdown(ctx context.Context) error { return nil }

// Stats returns the numbers of now.
func (s *Server) Stats() Stats { return Stats{} }
