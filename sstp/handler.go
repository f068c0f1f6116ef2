package sstp

// Handler is the layer above one connection. Its methods, and those of the
// [Receiver] and [Originator] of the connection's sessions and the functions
// given to [OutboundSession.Send], are called one at a time. While one of them
// runs the connection is not read: to take long is to hold up the peer, on this
// connection only. They must not wait for the peer, and so not call Open,
// FanoutOpen, Attach, Register or Send, nor read or write a message sequence, nor
// wait for the end of the connection.
type Handler interface {
	// Established says that the connection stands and that the peer has passed
	// the Gate, if there is one: it may be served now.
	Established()

	// Open decides about a session that the peer wishes to open, for which names
	// have been checked. The answer is OpenOk, OpenOkStopSending, or a refusal
	// ([MS-GRVSSTP] 3.1.5.5); the Receiver is for the first two.
	Open(s *InboundSession, cmd *Open) (Receiver, OpenResponseID)

	// FanoutOpen does the same for a fanout session, for which everything that
	// [MS-GRVSSTP] 3.3.5.6 asks has been checked. There is at least one entry.
	FanoutOpen(s *InboundSession, cmd *FanoutOpen) (Receiver, OpenResponseID)

	// Attached says that an account has proved itself to the Gate, and Detached
	// that its attach session has been closed by the peer. The end of the
	// connection ends it too.
	Attached(eventID uint32, accountURL string)
	Detached(eventID uint32, accountURL string)

	// Closed is the last call: the connection has ended, as have its sessions,
	// which have been told. The error is a [*ConnError].
	Closed(err error)
}

// Receiver is the layer above one session that the peer has opened.
type Receiver interface {
	// Message hands over a message sequence when it begins to arrive. It is to
	// be read by another goroutine than the one that calls.
	Message(m *Incoming)

	// Closed says that the session has ended, but not if this end has closed it.
	// The error is a [*SessionError] or, when the connection has ended, a
	// [*ConnError].
	Closed(err error)
}

// Originator is the layer above one session that this end has opened.
type Originator interface {
	// Ready says whether the peer now accepts message sequences.
	Ready(ready bool)

	// Status says that targets of a fanout session have dropped out.
	Status(status *SessionStatus)

	// Closed says that the session has ended, but not if this end has closed it.
	// The error is as for a Receiver, or an [*OpenRefusedError], or
	// [ErrOpenTimeout].
	Closed(err error)
}
