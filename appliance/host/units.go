package host

import (
	"context"
	"fmt"

	"github.com/coreos/go-systemd/v22/dbus"
)

// StartUnit has the service manager start a unit, and returns when it has come up; it needs root's rights.
func StartUnit(ctx context.Context, name string) error {
	return unitJob(ctx, name, "start", (*dbus.Conn).StartUnitContext)
}

// RestartUnit starts one again that runs, and does what StartUnit does with one that does not.
func RestartUnit(ctx context.Context, name string) error {
	return unitJob(ctx, name, "restart", (*dbus.Conn).RestartUnitContext)
}

// StopUnit has it stopped, and returns when all its processes have ended. It is no error if there are none.
func StopUnit(ctx context.Context, name string) error {
	return unitJob(ctx, name, "stop", (*dbus.Conn).StopUnitContext)
}

func unitJob(ctx context.Context, name, what string, ask func(*dbus.Conn, context.Context, string, string, chan<- string) (int, error)) error {
	conn, err := dbus.NewSystemConnectionContext(ctx)
	if err != nil {
		return fmt.Errorf("system bus: %w", err)
	}
	defer conn.Close()
	result := make(chan string, 1)
	if _, err := ask(conn, ctx, name, "replace", result); err != nil {
		return fmt.Errorf("asking to %s %s: %w", what, name, err)
	}
	select {
	case r := <-result:
		if r != "done" {
			return fmt.Errorf("to %s %s has %s: the journal says why", what, name, r)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for %s to %s: %w", name, what, ctx.Err())
	}
}
