package bench

import (
	"context"
	"fmt"
	"time"
)

// Host is a server that people stay connected to.
type Host interface {
	Server
	// Admit makes so many people known. A server keeps no more of them in memory
	// than it would after a restart. It is called once.
	Admit(ctx context.Context, people int) error
	// Connect returns when the server has authenticated the person.
	Connect(ctx context.Context, person int) (Connection, error)
}

// Connection is one that stands.
type Connection interface {
	// Err says why the connection does not stand any more.
	Err() error
	Close() error
}

// Idle has people connect who do nothing.
type Idle struct {
	Connections int
	// Settle is how long to wait between the last login and the measurement.
	Settle time.Duration
}

// connectAtOnce is how many connect at a time: more would make logins slow by
// waiting for each other, and fail at servers with a short backlog.
const connectAtOnce = 8

// Run measures host.
func (o Idle) Run(ctx context.Context, host Host, progress Progress) (result Result, err error) {
	if err := host.Admit(ctx, o.Connections); err != nil {
		return Result{}, err
	}
	meter, err := startMeter(host)
	if err != nil {
		return Result{}, err
	}
	connections := make([]Connection, o.Connections)
	defer closeAll(connections)
	clock := startClock("connect", o.Connections, progress)
	err = forEach(ctx, o.Connections, connectAtOnce, func(ctx context.Context, i int) (err error) {
		began := time.Now()
		if connections[i], err = host.Connect(ctx, i); err != nil {
			return err
		}
		clock.took(time.Since(began))
		clock.done()
		return nil
	})
	if err != nil {
		return Result{}, err
	}
	select {
	case <-time.After(o.Settle):
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
	result, err = meter.end(Result{
		Scenario: "idle", Clients: o.Connections, Phases: []Phase{clock.phase("login", 0)},
	}, o.Connections)
	for i, c := range connections {
		if err := c.Err(); err != nil {
			return Result{}, fmt.Errorf("connection %d has not stood: %w", i, err)
		}
	}
	return result, err
}

func closeAll(connections []Connection) {
	_ = forEach(context.Background(), len(connections), connectAtOnce, func(_ context.Context, i int) error {
		if connections[i] != nil {
			_ = connections[i].Close() // it has served its purpose
		}
		return nil
	})
}
