package sstp

import (
	"context"
	"slices"
	"sync"
)

// Outgoing is a message sequence that is being sent. It is used by one goroutine.
type Outgoing struct {
	session *OutboundSession
	ctx     context.Context
	done    func(error)

	// What follows is guarded by session.c.mu.
	header  Message
	begun   bool      // Message is on its way, and some Data
	closing bool      // Close has been called
	ended   bool      // EndMessage is on its way, or the sequence is lost
	listed  bool      // in Conn.ring
	piece   []byte    // less than one Data
	source  []byte    // what Write has been given, after piece
	changed sync.Cond // source has been used up, or the sequence has ended
	err     error     // why the sequence is lost
}

// Send begins a message sequence on the session. SessionID and MessageCount of
// header are set here. It waits until the session is ready, sequences begun on it
// before have ended, and the peer has acknowledged enough of what was sent on the
// connection ([MS-GRVSSTP] 3.1.4.6).
//
// done is called once if Close of the sequence returns nil: with nil when the
// peer has acknowledged it, otherwise with the reason why its fate is not known
// and it should be sent again, a [*ConnError] or a [*SessionError]. It may be
// called before Close returns. A sequence that is not ended with Close is ended
// by closing the session.
//
// ctx goes for Write and Close as well.
func (s *OutboundSession) Send(ctx context.Context, header Message, done func(error)) (*Outgoing, error) {
	c := s.c
	header.SessionID, header.MessageCount = s.id, 0
	header.Fragmentation = slices.Clone(header.Fragmentation)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := Append(nil, &header, c.version); err != nil {
		return nil, err
	}
	err := c.wait(ctx, func() bool {
		return s.state == sessionClosed || s.state == sessionReady && s.current == nil && len(c.outbound)+c.sending < maxOutbound
	})
	if err != nil {
		return nil, err
	}
	if s.state == sessionClosed {
		return nil, s.err
	}
	o := &Outgoing{session: s, ctx: ctx, done: done, header: header}
	o.changed.L = &c.mu
	s.current = o
	c.sending++
	return o, nil
}

// Write sends data. It keeps nothing of p. It returns when the data is next to be
// given to the transport, but for less than one Data, which waits for more or for
// Close.
func (o *Outgoing) Write(p []byte) (int, error) {
	c := o.session.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := o.usable(); err != nil {
		return 0, err
	}
	o.source = p
	if o.hasData() {
		if err := o.push(func() bool { return !o.hasData() }); err != nil {
			n := len(p) - len(o.source)
			o.source = nil
			return n, err
		}
	}
	o.piece = append(o.piece, o.source...)
	o.source = nil
	return len(p), nil
}

// Close ends the sequence. It is a message from then on, for which the peer's
// acknowledgment can be awaited. ErrNoData says that nothing has been written;
// the sequence can still be.
func (o *Outgoing) Close() error {
	c := o.session.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := o.usable(); err != nil {
		return err
	}
	if !o.begun && len(o.piece) == 0 {
		return ErrNoData
	}
	o.closing = true
	err := o.push(func() bool { return o.ended })
	if err != nil {
		o.closing = false // or it would be ended after all
	}
	return err
}

func (o *Outgoing) usable() error {
	switch {
	case o.err != nil:
		return o.err
	case o.closing:
		return errEnded
	}
	return o.ctx.Err()
}

// push has the sequence sent until enough says so.
func (o *Outgoing) push(enough func() bool) error {
	c := o.session.c
	stop := context.AfterFunc(o.ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		o.changed.Broadcast()
	})
	defer stop()
	if !o.listed {
		o.listed = true
		c.enlist(o)
	}
	for {
		switch {
		case o.err != nil:
			return o.err
		case enough():
			return nil
		case o.ctx.Err() != nil:
			return context.Cause(o.ctx)
		}
		o.changed.Wait()
	}
}

// emit encodes one more command of the sequence, the Message before the first
// and EndMessage after the last. It reports whether there is more to send.
func (o *Outgoing) emit() bool {
	if o.ended {
		return false
	}
	if o.hasData() {
		o.emitData()
	}
	if o.hasData() {
		return true
	}
	o.listed = false
	if o.closing {
		o.emitEnd()
	}
	o.changed.Signal()
	return false
}

// hasData reports whether there is enough for a full Data, or for the last one.
func (o *Outgoing) hasData() bool {
	n := len(o.piece) + len(o.source)
	return n >= MaxDataSize || o.closing && n > 0
}

func (o *Outgoing) emitData() {
	c := o.session.c
	if !o.begun {
		o.begun = true
		o.header.MessageCount = c.takeCount() // [MS-GRVSSTP] 3.1.4.6
		c.mustPut(&o.header)
	}
	payload, n := o.piece, min(MaxDataSize-len(o.piece), len(o.source))
	if len(payload) == 0 {
		payload = o.source[:n]
	} else {
		payload = append(payload, o.source[:n]...)
		o.piece = payload[:0]
	}
	o.source = o.source[n:]
	c.data = Data{SessionID: o.session.id, Payload: payload}
	c.mustPut(&c.data)
	c.data.Payload = nil
}

// emitEnd encodes EndMessage and makes the sequence the newest of the outbound
// list.
func (o *Outgoing) emitEnd() {
	c := o.session.c
	c.mustPut(&EndMessage{SessionID: o.session.id})
	c.outbound = append(c.outbound, sent{o.session, o.done})
	o.finish()
}

// stop loses the sequence, because its session has ended.
func (o *Outgoing) stop() {
	o.err = o.session.err
	o.finish()
}

func (o *Outgoing) finish() {
	o.ended = true
	o.piece = nil
	o.session.current = nil
	c := o.session.c
	c.sending--
	c.changed.Broadcast()
	o.changed.Broadcast()
}
