package sstp

import (
	"io"
	"slices"
)

// Admission is what the accepting end decides about a Connect whose target and
// version are right ([MS-GRVSSTP] 3.1.5.1).
type Admission struct {
	// Response is ResponseOk, ResponseConnectRejected if a source device is
	// locked out, or ResponseTryLater.
	Response ResponseID
	// RetryTime, in seconds, goes with ResponseTryLater, also with that of Gate.
	RetryTime uint32
	// TooMany says that the device has as many connections as it may have. The
	// answer is Ok, and ConnectClose with ReasonCrossedConnections after it.
	TooMany bool
	// Gate judges the tokens of the connection; nil if there is no security.
	Gate Gate
	// Handler is the layer above, needed if Response is ResponseOk. It is told of
	// the end of the connection even if that is not established.
	Handler Handler
}

// Accept takes the accepting end of a connection whose transport stands, and
// returns at once. The first command is awaited, checked and handed to admit.
//
// Close of the transport must make its Read and Write return.
func Accept(transport io.ReadWriteCloser, cfg Config, admit func(*Conn, *Connect) Admission) *Conn {
	c := newConn(transport, cfg, false)
	c.admit = admit
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start()
	return c
}

// accept answers a Connect, in the order of [MS-GRVSSTP] 3.1.5.1 and 3.3.5.1.
func (c *Conn) accept(r *Reader, m *Connect) error {
	c.mu.Lock()
	c.state = stateConnecting
	c.peer = Peer{
		DeviceURLs:          m.SourceDeviceURLs,
		Version:             m.Version,
		ProductVersion:      m.PeerProductVersion,
		ProductCapabilities: m.PeerProductCapabilities,
	}
	c.mu.Unlock()
	if !c.cfg.isLocal(m.TargetDeviceURL) {
		return c.refuseConnect(ResponseWrongDevice)
	}
	version, ok := c.cfg.Version.Settle(m.Version)
	if !ok {
		return c.refuseConnect(c.cfg.Version.refusal(m.Version))
	}
	admission := c.admitConnect(m)
	answer := &ConnectResponse{Response: admission.Response}
	switch {
	case answer.Response == ResponseOk && admission.TooMany:
	case answer.Response == ResponseOk && c.gate != nil:
		verdict := c.gate.Connect(m.SourceDeviceURLs, m.AuthenticationToken)
		c.logVerdict(m, verdict)
		if verdict.Action != ActAnswer {
			return &ConnError{Reason: verdict.Reason, Err: verdict.Err}
		}
		answer.Response, answer.AuthenticationToken = verdict.Response, verdict.Token
	}
	if answer.Response == ResponseTryLater {
		answer.RetryTime = admission.RetryTime
	}
	if answer.Response != ResponseOk {
		return c.answerConnect(answer)
	}
	return c.establish(r, version, answer, admission.TooMany)
}

func (c *Conn) admitConnect(m *Connect) Admission {
	c.calls.Lock()
	defer c.calls.Unlock()
	// The Reader uses the memory again.
	own := *m
	own.AuthenticationToken = slices.Clone(m.AuthenticationToken)
	a := c.admit(c, &own)
	c.gate, c.handler = a.Gate, a.Handler
	return a
}

// establish sends Ok, from where on both ends speak the version settled.
func (c *Conn) establish(r *Reader, version Version, answer *ConnectResponse, tooMany bool) error {
	r.SetVersion(version)
	c.mu.Lock()
	if err := c.sendConnectResponse(answer); err != nil {
		c.mu.Unlock()
		return &ConnError{Reason: ReasonInternalError, Err: err}
	}
	c.version = version
	if tooMany {
		c.mu.Unlock()
		return violation(ReasonCrossedConnections, "too many connections of the device")
	}
	if c.end == nil {
		c.state = stateEstablished
		c.setPhase(c.cfg.Timers.Authentication)
	}
	c.mu.Unlock()
	c.serve()
	return nil
}

// serve lets the peer be served as soon as it has passed the gate.
func (c *Conn) serve() {
	if c.gate != nil && !c.gate.Passed() {
		return
	}
	c.mu.Lock()
	already := c.served || c.end != nil
	if !already {
		c.served = true
		c.setPhase(0)
	}
	c.mu.Unlock()
	if !already {
		c.call(c.handler.Established)
	}
}

// refuseConnect refuses a connection without asking the layer above.
func (c *Conn) refuseConnect(response ResponseID) error {
	return c.answerConnect(&ConnectResponse{Response: response})
}

// answerConnect sends an answer that is not Ok, and ends the connection.
func (c *Conn) answerConnect(answer *ConnectResponse) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.sendConnectResponse(answer); err != nil {
		return &ConnError{Reason: ReasonInternalError, Err: err}
	}
	c.refuse(&ConnError{Err: &ConnectRefusedError{answer}})
	return nil
}

func (c *Conn) sendConnectResponse(answer *ConnectResponse) error {
	answer.Version = c.cfg.Version
	answer.PeerProductVersion = c.cfg.ProductVersion
	return c.send(answer)
}
