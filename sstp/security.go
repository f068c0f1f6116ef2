package sstp

// receiveSecurity takes the commands that carry tokens, and reports whether cmd
// is one.
func (c *Conn) receiveSecurity(cmd Command) (bool, error) {
	var err *ConnError
	switch m := cmd.(type) {
	case *ConnectAuthenticate:
		err = c.receiveConnectAuthenticate(m)
	case *Attach:
		err = c.receiveAttach(m)
	case *AttachAuthenticate:
		err = c.receiveAttachAuthenticate(m)
	case *Register:
		err = c.receiveRegister(m)
	case *AttachResponse:
		err = c.receiveEventResponse(m, m.EventID, m.Response, m.AuthenticationToken)
	case *RegisterResponse:
		err = c.receiveEventResponse(m, m.EventID, m.Response, m.AuthenticationToken)
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	return true, nil
}

func (c *Conn) receiveConnectAuthenticate(m *ConnectAuthenticate) *ConnError {
	if c.gate == nil {
		return outOfOrder(m)
	}
	v := c.gate.ConnectAuthenticate(m.AuthenticationToken)
	if err := c.obey(m, v); err != nil {
		return err
	}
	c.serve()
	return nil
}

// receiveAttach begins an attach session ([MS-GRVSSTP] 3.3.5.14).
func (c *Conn) receiveAttach(m *Attach) *ConnError {
	if err := c.newEvent(m, m.EventID); err != nil {
		return err
	}
	v := c.gate.Attach(m.EventID, m.AccountURL, m.AuthenticationToken)
	if err := c.obey(m, v); err != nil {
		return err
	}
	switch v.Action {
	case ActAnswer:
		c.answerEvent(&AttachResponse{EventID: m.EventID, Response: v.Response, AuthenticationToken: v.Token})
	case ActCloseSession:
		c.closeEvent(m.EventID, v.Reason)
	}
	return nil
}

func (c *Conn) receiveAttachAuthenticate(m *AttachAuthenticate) *ConnError {
	if c.gate == nil {
		return outOfOrder(m)
	}
	c.mu.Lock()
	_, known := c.theirEvents.live[m.EventID]
	buried := c.theirEvents.buried(m.EventID)
	c.mu.Unlock()
	switch {
	case buried && !known:
		return nil
	case !known && c.gate.Passed():
		return unknownSession(m, m.EventID)
	}
	account, v := c.gate.AttachAuthenticate(m.EventID, m.AuthenticationToken)
	if err := c.obey(m, v); err != nil {
		return err
	}
	switch v.Action {
	case ActProceed:
		c.mu.Lock()
		c.theirEvents.add(m.EventID, account)
		c.mu.Unlock()
		c.call(func() { c.handler.Attached(m.EventID, account) })
	case ActCloseSession:
		c.closeEvent(m.EventID, v.Reason)
	}
	return nil
}

// receiveRegister takes a whole registration: its session ends with the answer.
func (c *Conn) receiveRegister(m *Register) *ConnError {
	if err := c.newEvent(m, m.EventID); err != nil {
		return err
	}
	v := c.gate.Register(m.AuthenticationToken)
	if err := c.obey(m, v); err != nil {
		return err
	}
	switch v.Action {
	case ActAnswer:
		c.answerEvent(&RegisterResponse{EventID: m.EventID, Response: v.Response, AuthenticationToken: v.Token})
		c.mu.Lock()
		c.theirEvents.bury(m.EventID)
		c.mu.Unlock()
	case ActCloseSession:
		c.closeEvent(m.EventID, v.Reason)
	}
	return nil
}

// newEvent checks that an attach or register session may begin, and enters it.
func (c *Conn) newEvent(cmd Command, id uint32) *ConnError {
	if c.gate == nil {
		return outOfOrder(cmd)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.theirs.has(id) || c.theirEvents.has(id) {
		return usedSession(cmd, id)
	}
	if len(c.theirEvents.live)+len(c.theirs.live) >= maxSessions {
		return violation(ReasonInternalError, "%v: more than %d sessions", cmd.ID(), maxSessions)
	}
	c.theirEvents.add(id, "")
	return nil
}

// obey does what a verdict means for the whole connection: a step of the
// authentication has been made, or the connection is to end.
func (c *Conn) obey(cmd Command, v Verdict) *ConnError {
	if v.Action == ActCloseConnection {
		return &ConnError{Reason: v.Reason, Err: v.Err}
	}
	c.logVerdict(cmd, v)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.served && c.end == nil {
		c.setPhase(c.cfg.Timers.Authentication)
	}
	return nil
}

func (c *Conn) logVerdict(cmd Command, v Verdict) {
	if v.Err != nil {
		c.log.Info("sstp: token refused", "command", cmd.ID().String(), "err", v.Err)
		c.diagnose(v.Err)
	}
}

func (c *Conn) answerEvent(cmd Command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.send(cmd); err != nil && c.end == nil {
		c.shut(&ConnError{Reason: ReasonInternalError, Err: err})
	}
}

// closeEvent ends an attach or register session from this end.
func (c *Conn) closeEvent(id uint32, reason Reason) {
	c.gate.Detach(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.theirEvents.bury(id)
	c.sendClose(id, reason)
}

// detached is the end of an attach session, from the peer's end.
func (c *Conn) detached(id uint32, account string) {
	c.gate.Detach(id)
	if account != "" {
		c.call(func() { c.handler.Detached(id, account) })
	}
}
