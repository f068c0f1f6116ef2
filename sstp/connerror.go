package sstp

import (
	"errors"
	"fmt"
	"time"
)

// ConnError says how a connection has ended.
type ConnError struct {
	// Reason is that of the ConnectClose that this end has sent or, if Remote,
	// received; it means nothing if the transport was lost.
	Reason Reason
	Remote bool
	Lost   bool
	// ReturnTime is how long to wait before dialling again, with a Reason of
	// ReasonResting.
	ReturnTime time.Duration
	// Err is what went wrong, and nil if an end closed because it wished to.
	Err error
}

// Error tells all of it.
func (e *ConnError) Error() string {
	var what string
	switch {
	case e.Lost:
		what = "sstp: connection lost"
	case e.Remote:
		what = fmt.Sprintf("sstp: connection closed by the peer: %v", e.Reason)
	default:
		what = fmt.Sprintf("sstp: connection closed: %v", e.Reason)
	}
	if e.Err != nil {
		what += ": " + e.Err.Error()
	}
	return what
}

// Unwrap returns Err.
func (e *ConnError) Unwrap() error { return e.Err }

// SessionError says that a session has been closed.
type SessionError struct {
	SessionID uint32 // or EventId
	Reason    Reason
	Remote    bool // the peer closed it
}

// Error tells all of it.
func (e *SessionError) Error() string {
	by := ""
	if e.Remote {
		by = " by the peer"
	}
	return fmt.Sprintf("sstp: session %d closed%s: %v", e.SessionID, by, e.Reason)
}

// OpenRefusedError is the refusal of a session.
type OpenRefusedError struct {
	Response OpenResponseID
}

// Error tells the response.
func (e *OpenRefusedError) Error() string {
	return fmt.Sprintf("sstp: session refused: %v", e.Response)
}

// ConnectRefusedError is the refusal of a connection.
type ConnectRefusedError struct {
	Response *ConnectResponse
}

// Error tells the response.
func (e *ConnectRefusedError) Error() string {
	return fmt.Sprintf("sstp: connection refused: %v", e.Response.Response)
}

// Errors without particulars.
var (
	// ErrOpenTimeout says that the OpenResponse has not come in time.
	ErrOpenTimeout = errors.New("sstp: no OpenResponse in time")

	// ErrNoData is the end of a message sequence that has no data.
	ErrNoData = errors.New("sstp: message sequence without data")

	errEnded   = errors.New("sstp: message sequence already ended")
	errTimeout = errors.New("handshake or authentication took too long")
)

// violation is what a connection ends with when the peer breaks a rule.
func violation(reason Reason, format string, args ...any) *ConnError {
	return &ConnError{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// outOfOrder is the reaction to a command that the state has no place for.
func outOfOrder(cmd Command) *ConnError {
	return violation(ReasonProtocolError, "%v out of order", cmd.ID())
}

// unknownSession is the reaction to a command for a session that does not exist.
func unknownSession(cmd Command, id uint32) *ConnError {
	return violation(ReasonTooManyUnknownSessionCmds, "%v for session %d, which does not exist", cmd.ID(), id)
}

// usedSession is the reaction to a new session under the identifier of another.
func usedSession(cmd Command, id uint32) *ConnError {
	return violation(ReasonTooManyUnknownSessionCmds, "%v for session %d, which exists", cmd.ID(), id)
}
