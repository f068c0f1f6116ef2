package machine

import (
	"context"
	"errors"

	"furrow/appliance/network"
)

// Network returns what is set for name and addresses, and what is in force.
func (m *Machine) Network(ctx context.Context) (network.Report, error) {
	return m.networkAfter(ctx, orderNetwork, nil)
}

// TryNetwork begins a trial of name and addresses, see [network.Host]. They are in force soon after it returns.
func (m *Machine) TryNetwork(ctx context.Context, s network.Settings) (network.Report, error) {
	return m.networkAfter(ctx, orderTry, s)
}

// KeepNetwork confirms what is on trial.
func (m *Machine) KeepNetwork(ctx context.Context) (network.Report, error) {
	return m.networkAfter(ctx, orderKeep, nil)
}

// ResetNetwork forgets name and addresses. Those of a new box are in force soon after it returns.
func (m *Machine) ResetNetwork(ctx context.Context) (network.Report, error) {
	return m.networkAfter(ctx, orderReset, nil)
}

// Clock returns what is set for the clock, and what is in force.
func (m *Machine) Clock(ctx context.Context) (network.ClockReport, error) {
	return m.clockAfter(ctx, orderClock, nil)
}

// SetClock sets how the machine knows the time.
func (m *Machine) SetClock(ctx context.Context, c network.Clock) (network.ClockReport, error) {
	return m.clockAfter(ctx, orderSet, c)
}

func (m *Machine) networkAfter(ctx context.Context, o order, value any) (network.Report, error) {
	a, err := m.ask(ctx, o, value)
	if err == nil && a.Network == nil {
		err = errors.New("asking about the network: nothing was answered")
	}
	if err != nil {
		return network.Report{}, err
	}
	return *a.Network, nil
}

func (m *Machine) clockAfter(ctx context.Context, o order, value any) (network.ClockReport, error) {
	a, err := m.ask(ctx, o, value)
	if err == nil && a.Clock == nil {
		err = errors.New("asking about the clock: nothing was answered")
	}
	if err != nil {
		return network.ClockReport{}, err
	}
	return *a.Clock, nil
}
