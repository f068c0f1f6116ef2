package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"furrow/sstp"
)

// Retry says how to go on after failures that may pass. The zero value has the
// defaults.
type Retry struct {
	// First and Last bound the wait, which doubles with each failure; default 1 s
	// and 5 min. A relay that names a longer time is obeyed.
	First, Last time.Duration
	// Patience is how long failures in a row are put up with; default for ever.
	Patience time.Duration
	// Notify is told of each failure and of the wait before the next attempt; nil
	// if nobody wants to know.
	Notify func(err error, wait time.Duration)
}

// Do calls attempt until it returns nil, fails in a way that another attempt
// would not change, patience is at an end, or ctx ends. An attempt that lasted
// longer than the wait before it is taken for a connection that stood for some
// time: the failures before it do not count any more.
func (r Retry) Do(ctx context.Context, attempt func(context.Context) error) error {
	first, last := orDefault(r.First, time.Second), orDefault(r.Last, 5*time.Minute)
	wait, since := first, time.Now()
	for {
		begun := time.Now()
		err := attempt(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		asked, again := transient(err)
		if !again {
			return err
		}
		if time.Since(begun) > wait {
			wait, since = first, time.Now()
		}
		// Half of it at random, so that those who lost the same relay do not come
		// back together.
		pause := max(asked, wait/2+rand.N(wait/2+1))
		wait = min(2*wait, last)
		if r.Patience > 0 && time.Since(since)+pause > r.Patience {
			return fmt.Errorf("given up after %v: %w", time.Since(since).Round(time.Second), err)
		}
		if r.Notify != nil {
			r.Notify(err, pause)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

func orDefault(value, standard time.Duration) time.Duration {
	if value <= 0 {
		return standard
	}
	return value
}

// transient reports whether another attempt may do better, and how long the relay
// has asked to wait.
func transient(err error) (wait time.Duration, again bool) {
	var refused *sstp.ConnectRefusedError
	var conn *sstp.ConnError
	var session *sstp.SessionError
	var unreachable *UnreachableError
	var presence *PresenceError
	switch {
	case errors.As(err, &refused):
		return time.Duration(refused.Response.RetryTime) * time.Second, refused.Response.Response == sstp.ResponseTryLater
	case errors.As(err, &conn):
		return conn.ReturnTime, conn.Lost || passes(conn.Reason)
	case errors.As(err, &presence): // [MS-GRVPROT] 2.5.4: relay server errors are no reason to give up
		return 0, true
	case errors.As(err, &session):
		return 0, session.Remote && passes(session.Reason)
	case errors.As(err, &unreachable), errors.Is(err, sstp.ErrOpenTimeout):
		return 0, true
	default:
		return 0, false
	}
}

// passes reports whether what ended a connection or session may be over soon.
func passes(reason sstp.Reason) bool {
	switch reason {
	case sstp.ReasonNone, sstp.ReasonResting, sstp.ReasonIdle, sstp.ReasonCrossedConnections,
		sstp.ReasonInternalError, sstp.ReasonResponseTimeout:
		return true
	default:
		return false
	}
}
