package sstp

import (
	"bytes"
	"context"
)

// event is an attach or register session of this end.
type event struct {
	want     CommandID          // the answer that is awaited; 0 once it has come
	answered chan eventResponse // holds one
	done     chan struct{}
	err      error // set before done is closed
}

type eventResponse struct {
	response ResponseID
	token    []byte
}

// finish ends the session.
func (e *event) finish(err error) {
	if e.err == nil {
		e.err = err
		close(e.done)
	}
}

// Authenticate sends a ConnectAuthenticate. No command answers it: a peer that
// does not accept it closes the connection.
func (c *Conn) Authenticate(token []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.send(&ConnectAuthenticate{AuthenticationToken: token})
}

// Attachment is an attach session of this end, which stands after a response of
// ResponseOk until either end closes it.
type Attachment struct {
	// Response and Token are those of the AttachResponse.
	Response ResponseID
	Token    []byte

	c  *Conn
	id uint32
	e  *event
}

// Attach begins to authenticate an account with a token and waits for the answer.
// resourceURL is the relay's URL, or empty. The error is a [*SessionError] if the
// peer closes the attach session, a [*ConnError] if the connection ends, or
// ctx's.
func (c *Conn) Attach(ctx context.Context, resourceURL, accountURL string, token []byte) (*Attachment, error) {
	var id uint32
	e, r, err := c.ask(ctx, IDAttachResponse, func(eventID uint32) Command {
		id = eventID
		return &Attach{EventID: id, ResourceURL: resourceURL, AccountURL: accountURL, AuthenticationToken: token}
	})
	if err != nil {
		return nil, err
	}
	return &Attachment{Response: r.response, Token: r.token, c: c, id: id, e: e}, nil
}

// Authenticate sends an AttachAuthenticate. No command answers it: a peer that
// does not accept it closes the attach session.
func (a *Attachment) Authenticate(token []byte) error {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	if a.e.err != nil {
		return a.e.err
	}
	return a.c.send(&AttachAuthenticate{EventID: a.id, AuthenticationToken: token})
}

// Close ends the attach session: the account is no longer authenticated.
func (a *Attachment) Close(reason Reason) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	a.c.endEvent(a.id, a.e, reason)
}

// Done is closed when the attach session has ended.
func (a *Attachment) Done() <-chan struct{} { return a.e.done }

// Err returns nil while the attach session stands and then why it has ended: a
// [*SessionError] or a [*ConnError].
func (a *Attachment) Err() error {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return a.e.err
}

// Register sends a registration and waits for the answer. Errors are those of
// Attach.
func (c *Conn) Register(ctx context.Context, resourceURL, accountURL string, token []byte) (*RegisterResponse, error) {
	var id uint32
	_, r, err := c.ask(ctx, IDRegisterResponse, func(eventID uint32) Command {
		id = eventID
		return &Register{EventID: id, ResourceURL: resourceURL, AccountURL: accountURL, AuthenticationToken: token}
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ourEvents.bury(id)
	return &RegisterResponse{EventID: id, Response: r.response, AuthenticationToken: r.token}, nil
}

// ask begins an attach or register session and waits for its answer.
func (c *Conn) ask(ctx context.Context, answer CommandID, begin func(id uint32) Command) (*event, eventResponse, error) {
	e := &event{want: answer, answered: make(chan eventResponse, 1), done: make(chan struct{})}
	c.mu.Lock()
	id := c.nextID()
	err := c.send(begin(id))
	if err == nil {
		c.ourEvents.add(id, e)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, eventResponse{}, err
	}
	select {
	case r := <-e.answered:
		return e, r, nil
	case <-e.done:
		return nil, eventResponse{}, e.err
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.endEvent(id, e, ReasonNone)
		return nil, eventResponse{}, context.Cause(ctx)
	}
}

// endEvent ends an attach or register session that this end has begun.
func (c *Conn) endEvent(id uint32, e *event, reason Reason) {
	if e.err == nil {
		c.ourEvents.bury(id)
		c.sendClose(id, reason)
		e.finish(&SessionError{SessionID: id, Reason: reason})
	}
}

// receiveEventResponse takes an AttachResponse or a RegisterResponse.
func (c *Conn) receiveEventResponse(cmd Command, id uint32, response ResponseID, token []byte) *ConnError {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.ourEvents.live[id]
	switch {
	case !ok && c.ourEvents.buried(id):
		return nil
	case !ok:
		return unknownSession(cmd, id)
	case e.want != cmd.ID():
		return outOfOrder(cmd)
	}
	e.want = 0
	e.answered <- eventResponse{response, bytes.Clone(token)}
	return nil
}
