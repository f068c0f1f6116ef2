package auth

import (
	"fmt"

	"furrow/sstp"
)

// Action is what a relay does about a token.
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
	Response sstp.ResponseID
	Token    []byte
	Reason   sstp.Reason
	// Err says why something was refused, for a log and not for the peer. It
	// wraps a [*sstp.ParseError] if a token did not parse.
	Err error
}

// answer is the verdict to answer with a token.
func answer(response sstp.ResponseID, t Token, err error) Verdict {
	token, encodeErr := Append(nil, t)
	if encodeErr != nil {
		return internalError(encodeErr)
	}
	return Verdict{Action: ActAnswer, Response: response, Token: token, Err: err}
}

// refuse is the verdict on a registration.
func refuse(reason RefusalReason, err error) Verdict {
	return answer(registrationRefused, &RegisterFailed{reason}, fmt.Errorf("auth: registration refused, %v: %w", reason, err))
}

func closeSession(reason sstp.Reason, err error) Verdict {
	return Verdict{Action: ActCloseSession, Reason: reason, Err: err}
}

func closeConnection(reason sstp.Reason, err error) Verdict {
	return Verdict{Action: ActCloseConnection, Reason: reason, Err: err}
}

func internalError(err error) Verdict {
	return closeSession(sstp.ReasonInternalError, err)
}
