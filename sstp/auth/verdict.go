package auth

import (
	"fmt"

	"furrow/sstp"
)

// answer is the verdict to answer with a token.
func answer(response sstp.ResponseID, t Token, err error) sstp.Verdict {
	token, encodeErr := Append(nil, t)
	if encodeErr != nil {
		return internalError(encodeErr)
	}
	return sstp.Verdict{Action: sstp.ActAnswer, Response: response, Token: token, Err: err}
}

// refuse is the verdict on a registration.
func refuse(reason RefusalReason, err error) sstp.Verdict {
	return answer(registrationRefused, &RegisterFailed{reason}, fmt.Errorf("auth: registration refused, %v: %w", reason, err))
}

func closeSession(reason sstp.Reason, err error) sstp.Verdict {
	return sstp.Verdict{Action: sstp.ActCloseSession, Reason: reason, Err: err}
}

func closeConnection(reason sstp.Reason, err error) sstp.Verdict {
	return sstp.Verdict{Action: sstp.ActCloseConnection, Reason: reason, Err: err}
}

func internalError(err error) sstp.Verdict {
	return closeSession(sstp.ReasonInternalError, err)
}
