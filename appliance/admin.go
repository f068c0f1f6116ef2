package appliance

import (
	"context"
	"net"
	"net/http"

	"furrow/appliance/host"
	"furrow/web/access"
)

// startAdmin serves the administration interface on the Unix socket. Whoever can open that may do everything: it is the
// way in that no lockout closes.
func (s *services) startAdmin(listener net.Listener, handler http.Handler) {
	s.run("admin", handler, func(server *http.Server) error {
		server.ConnContext = s.withPeer
		return server.Serve(listener)
	})
}

// announceSetup says in the log how the first administrator is made, while there is none.
func (a *Appliance) announceSetup(ctx context.Context) error {
	if a.Recovery() != nil {
		return nil // nothing may change, and the code may have to be made
	}
	return a.access.AnnounceSetup(ctx)
}

// withPeer puts the user at the other end of a Unix socket into a context as the one who asks.
func (s *services) withPeer(ctx context.Context, conn net.Conn) context.Context {
	local, ok := conn.(*net.UnixConn)
	if !ok {
		return ctx
	}
	name, err := host.PeerUser(local)
	if err != nil {
		s.log.Error("admin socket: nobody knows who asks", "error", err)
		return ctx
	}
	return access.WithActor(ctx, access.Actor{Name: name, Role: access.Server, Origin: access.CommandLine})
}
