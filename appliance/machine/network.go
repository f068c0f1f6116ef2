package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"furrow/appliance/network"
)

// Network returns what is set for name and addresses, and what is in force.
func (m *Machine) Network(ctx context.Context) (network.Report, error) {
	return m.networkAfter(ctx, orderNetwork)
}

// TryNetwork begins a trial of name and addresses, see [network.Host]. They are in force soon after it returns.
func (m *Machine) TryNetwork(ctx context.Context, s network.Settings) (network.Report, error) {
	o, err := ordered(orderTry, s)
	if err != nil {
		return network.Report{}, err
	}
	return m.networkAfter(ctx, o)
}

// KeepNetwork confirms what is on trial.
func (m *Machine) KeepNetwork(ctx context.Context) (network.Report, error) {
	return m.networkAfter(ctx, orderKeep)
}

// ResetNetwork forgets name and addresses. Those of a new box are in force soon after it returns.
func (m *Machine) ResetNetwork(ctx context.Context) (network.Report, error) {
	return m.networkAfter(ctx, orderReset)
}

// Clock returns what is set for the clock, and what is in force.
func (m *Machine) Clock(ctx context.Context) (network.ClockReport, error) {
	return m.clockAfter(ctx, orderClock)
}

// SetClock sets how the machine knows the time.
func (m *Machine) SetClock(ctx context.Context, c network.Clock) (network.ClockReport, error) {
	o, err := ordered(orderSet, c)
	if err != nil {
		return network.ClockReport{}, err
	}
	return m.clockAfter(ctx, o)
}

// ordered is an order with a value, which JSON puts in one line.
func ordered(o order, value any) (order, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("an order for the steward: %w", err)
	}
	if o += order(text) + "\n"; len(o) > maxOrder {
		return "", fmt.Errorf("%w: the settings are too long", ErrInvalid)
	}
	return o, nil
}

func (m *Machine) networkAfter(ctx context.Context, o order) (network.Report, error) {
	a, err := m.ask(ctx, o)
	if err == nil && a.Network == nil {
		err = errors.New("asking about the network: nothing was answered")
	}
	if err != nil {
		return network.Report{}, err
	}
	return *a.Network, nil
}

func (m *Machine) clockAfter(ctx context.Context, o order) (network.ClockReport, error) {
	a, err := m.ask(ctx, o)
	if err == nil && a.Clock == nil {
		err = errors.New("asking about the clock: nothing was answered")
	}
	if err != nil {
		return network.ClockReport{}, err
	}
	return *a.Clock, nil
}
