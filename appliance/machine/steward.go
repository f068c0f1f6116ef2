package machine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"furrow/appliance/network"
	"furrow/appliance/setting"
	"furrow/appliance/support"
	"furrow/appliance/update"
)

// AnswerTime is how long a page that tells of new addresses has to reach its reader over the old ones.
const AnswerTime = 2 * time.Second

// Steward does what a Machine asks for, with the rights that this needs.
type Steward struct {
	Versions func() (update.Versions, error)
	// Restart, PowerOff and Erase return when it is under way.
	Restart, PowerOff, Erase func(context.Context) error
	// OpenSupport trusts nothing in what it is asked to open.
	OpenSupport  func(context.Context, support.Access) error
	CloseSupport func(context.Context) error
	Network      *network.Host
	// AnswerTime passes between the answer and a change that may cut off who reads it.
	AnswerTime time.Duration
}

// Attend takes one order from in, carries it out and says on out what came of it.
func (s *Steward) Attend(ctx context.Context, in io.Reader, out io.Writer) error {
	line, err := bufio.NewReader(io.LimitReader(in, maxOrder)).ReadString('\n')
	if err != nil {
		return fmt.Errorf("reading an order: %w", err)
	}
	a, then, err := s.carryOut(ctx, line)
	if err != nil {
		a.Error = strings.Join(strings.Fields(err.Error()), " ")
		if named := (*setting.Error)(nil); errors.As(err, &named) {
			a.Error, a.Field = named.Problem, named.Field
		}
	}
	err = errors.Join(err, json.NewEncoder(out).Encode(a))
	if then == nil {
		return err
	}
	select {
	case <-time.After(s.AnswerTime):
	case <-ctx.Done():
	}
	return errors.Join(err, then(ctx))
}

// carryOut does what an order says. What comes then, if anything, may cut off who waits for the answer.
func (s *Steward) carryOut(ctx context.Context, line string) (a answer, then func(context.Context) error, err error) {
	o, value := cutOrder(line)
	switch o {
	case orderVersions:
		var versions update.Versions
		if versions, err = s.Versions(); err == nil {
			a.Versions = &versions
		}
	case orderRestart:
		err = s.Restart(ctx)
	case orderPowerOff:
		err = s.PowerOff(ctx)
	case orderErase:
		err = s.Erase(ctx)
	case orderNetwork:
		a.Network, err = reported(ctx, s.Network.Report)
	case orderTry:
		if err = given(ctx, value, s.Network.Try); err == nil {
			then = s.Network.Apply
			a.Network, err = reported(ctx, s.Network.Report)
		}
	case orderKeep:
		if err = s.Network.Keep(ctx); err == nil {
			a.Network, err = reported(ctx, s.Network.Report)
		}
	case orderReset:
		if err = s.Network.Reset(ctx); err == nil {
			then = s.Network.Apply
			a.Network, err = reported(ctx, s.Network.Report)
		}
	case orderClock:
		a.Clock, err = reported(ctx, s.Network.ClockReport)
	case orderSet:
		if err = given(ctx, value, s.Network.SetClock); err == nil {
			a.Clock, err = reported(ctx, s.Network.ClockReport)
		}
	case orderOpen:
		err = given(ctx, value, s.OpenSupport)
	case orderClose:
		err = s.CloseSupport(ctx)
	default:
		err = fmt.Errorf("%.100q is no order", line)
	}
	return a, then, err
}

// given carries out an order with its value.
func given[Value any](ctx context.Context, text string, do func(context.Context, Value) error) error {
	var value Value
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return fmt.Errorf("the value of an order: %w", err)
	}
	return do(ctx, value)
}

// reported returns a report for an answer.
func reported[Report any](ctx context.Context, ask func(context.Context) (Report, error)) (*Report, error) {
	report, err := ask(ctx)
	return &report, err
}
