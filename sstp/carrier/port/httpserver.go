package port

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"

	"furrow/sstp/carrier"
)

// Configure prepares an http.Server, before it serves, for connections from the
// virtual listeners of ports; it serves others as before. A connection is proven
// by a complete request, and waits to be so again when it is idle. Plain HTTP
// connections go back to their port when an encapsulated request comes.
func Configure(server *http.Server) {
	server.Handler = handler{server.Handler}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if own := ownOf(c); own != nil {
			return context.WithValue(ctx, connKey{}, own)
		}
		return ctx
	}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if own := ownOf(c); own != nil && state == http.StateIdle {
			own.port.waiting.enter(own)
		}
	}
}

// connKey is the key of a connection in the context of its requests.
type connKey struct{}

// ownOf returns the connection of a port that c is, with or without TLS; nil if it
// is none.
func ownOf(c net.Conn) *conn {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	own, _ := c.(*conn)
	return own
}

// handler stands before the handler of a server.
type handler struct{ next http.Handler }

// ServeHTTP implements [http.Handler].
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(connKey{}).(*conn)
	switch {
	case !ok:
	case r.TLS == nil && c.port.takeBack(c, w, r):
		return
	case r.Body == http.NoBody:
		c.Proven()
	default:
		r.Body = &provingBody{ReadCloser: r.Body, conn: c}
	}
	h.next.ServeHTTP(w, r)
}

// provingBody proves a connection by its end.
type provingBody struct {
	io.ReadCloser
	conn *conn
}

// Read implements [io.Reader].
func (b *provingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.conn.Proven()
	}
	return n, err
}

// takeBack takes a connection out of the hands of net/http if a request on it is
// encapsulated, with all that follows the request's head.
func (p *Port) takeBack(c *conn, w http.ResponseWriter, r *http.Request) bool {
	head := headOf(r)
	if !p.claims(head) {
		return false
	}
	_, in, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2, which no encapsulation has
		http.Error(w, "SSTP is not carried this way.", http.StatusBadRequest)
		return true
	}
	c.unread = slices.Concat(buffered(in.Reader), c.unread)
	p.hold(c, func(c *conn) { p.serveHTTP(c, bufio.NewReader(c), head) })
	return true
}

// headOf is the head of a request, as net/http has left it.
func headOf(r *http.Request) carrier.Head {
	h := carrier.Head{Method: r.Method, Target: r.RequestURI, Proto: r.Proto}
	if r.Host != "" {
		h.Fields = append(h.Fields, carrier.Field{Name: "Host", Value: r.Host})
	}
	for name, values := range r.Header {
		for _, value := range values {
			h.Fields = append(h.Fields, carrier.Field{Name: name, Value: value})
		}
	}
	return h
}
