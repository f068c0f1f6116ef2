package sstp

import (
	"bytes"
	"context"
	"io"
)

// Dial makes a connection over a transport that stands, as the end that dialled.
// target is the device URL that is expected of the peer, token the one for
// Connect. It returns when the peer has answered Ok; whether the token in that
// answer is a challenge, or the wish for a registration, is for the security
// layer to say.
//
// The error is a [*ConnectRefusedError] if the peer answers otherwise, a
// [*ConnError] if the connection ends before, or ctx's. The transport is closed
// then. ctx has no part in the connection once it stands. Close of the transport
// must make its Read and Write return.
func Dial(ctx context.Context, transport io.ReadWriteCloser, cfg Config, target string, token []byte, handler Handler) (*Conn, *ConnectResponse, error) {
	c := newConn(transport, cfg, true)
	c.answered = make(chan *ConnectResponse, 1)
	c.handler = handler
	c.peer.DeviceURLs = []string{target}
	err := c.connect(&Connect{
		Version:             c.cfg.Version,
		TargetDeviceURL:     target,
		SourceDeviceURLs:    c.cfg.LocalDeviceURLs,
		AuthenticationToken: token,
		PeerProductVersion:  c.cfg.ProductVersion,
	})
	if err != nil {
		return nil, nil, err
	}
	select {
	case answer := <-c.answered:
		if answer.Response == ResponseOk {
			return c, answer, nil
		}
		<-c.done
		return nil, nil, &ConnectRefusedError{answer}
	case <-c.done:
		return nil, nil, c.Err()
	case <-ctx.Done():
		c.mu.Lock()
		c.lose(context.Cause(ctx))
		c.mu.Unlock()
		<-c.done
		return nil, nil, context.Cause(ctx)
	}
}

// connect starts the connection with a Connect.
func (c *Conn) connect(m *Connect) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = stateConnecting
	if err := c.send(m); err != nil {
		c.hangUp()
		return err
	}
	c.start()
	return nil
}

// connected takes the answer to Connect.
func (c *Conn) connected(r *Reader, m *ConnectResponse) error {
	m.AuthenticationToken = bytes.Clone(m.AuthenticationToken)
	c.mu.Lock()
	c.peer.Version = m.Version
	c.peer.ProductVersion = m.PeerProductVersion
	c.peer.ProductCapabilities = m.PeerProductCapabilities
	c.mu.Unlock()
	if m.Response != ResponseOk {
		c.mu.Lock()
		c.refuse(&ConnError{Remote: true, Err: &ConnectRefusedError{m}})
		c.hangUp()
		c.mu.Unlock()
		c.answered <- m
		return nil
	}
	version, ok := c.cfg.Version.Settle(m.Version)
	if !ok {
		return violation(ReasonProtocolError, "Ok with version %v", m.Version)
	}
	r.SetVersion(version)
	c.mu.Lock()
	if c.end == nil {
		c.version, c.state, c.served = version, stateEstablished, true
		c.setPhase(0)
	}
	c.mu.Unlock()
	c.answered <- m
	c.call(c.handler.Established)
	return nil
}
