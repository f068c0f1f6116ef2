package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// Connect has the proxy make a tunnel to host:port. The error is a [*StatusError]
// if the proxy does not want to, or wraps [ErrUserWanted], [ErrRejected] or
// [ErrScheme]. ctx has no part in the tunnel once it stands.
func (p *Proxy) Connect(ctx context.Context, hostport string) (net.Conn, error) {
	if err := checkAuthority(hostport); err != nil {
		return nil, fmt.Errorf("proxy %s: %w", p, err)
	}
	s, answer, _, err := p.converse(ctx, http.MethodConnect, hostport, hostport)
	if err != nil {
		return nil, err
	}
	if !isSuccess(answer) {
		return nil, errors.Join(&StatusError{
			Proxy: p.address, Request: "CONNECT " + hostport, Code: answer.StatusCode, Status: answer.Status,
		}, s.Close())
	}
	return s.conn(), nil
}

// checkAuthority refuses what would not stand in a request line as one word.
func checkAuthority(authority string) error {
	if authority == "" || strings.ContainsFunc(authority, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) {
		return fmt.Errorf("%.100q is not a host and port", authority)
	}
	return nil
}
