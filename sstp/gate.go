package sstp

// Gate is the accepting side of a security layer on one connection, such as the
// Gate of package sstp/auth. A [Conn] hands it every token that arrives and does
// what it says. It is called from one goroutine and keeps no part of a token.
type Gate interface {
	// Connect judges the token of a Connect, after the rest of it has been
	// accepted ([MS-GRVSSTP] 3.3.5.1). The verdict is ActAnswer.
	Connect(sourceDeviceURLs []string, token []byte) Verdict

	// ConnectAuthenticate judges the token of a ConnectAuthenticate.
	ConnectAuthenticate(token []byte) Verdict

	// Attach judges the token of an Attach, whose EventId nothing else has.
	Attach(eventID uint32, accountURL string, token []byte) Verdict

	// AttachAuthenticate judges the token of an AttachAuthenticate. It returns
	// the account that has proved itself with it.
	AttachAuthenticate(eventID uint32, token []byte) (accountURL string, v Verdict)

	// Register judges the token of a Register.
	Register(token []byte) Verdict

	// Detach forgets an attach session that either end has closed.
	Detach(eventID uint32)

	// Passed reports whether the peer may be served: sessions and messages are
	// a protocol error before.
	Passed() bool
}

// Action is what the accepting side does about a token.
type Action uint8

// The actions.
const (
	// ActAnswer sends the response command that belongs to the command received,
	// with Response and Token.
	ActAnswer Action = iota
	// ActProceed sends nothing: the token was accepted.
	ActProceed
	// ActCloseSession sends Close with Reason for the EventId of the command.
	ActCloseSession
	// ActCloseConnection sends ConnectClose with Reason.
	ActCloseConnection
)

// Verdict is what a [Gate] says about a token.
type Verdict struct {
	Action   Action
	Response ResponseID
	Token    []byte
	Reason   Reason
	// Err says why something was refused, for a log and not for the peer. It
	// wraps a [*ParseError] if a token did not parse.
	Err error
}
