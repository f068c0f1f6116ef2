package host

import (
	"context"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// Restart asks the system's manager of sessions for an orderly restart of the machine; it needs root's rights.
func Restart(ctx context.Context) error { return askLogin(ctx, "Reboot") }

// PowerOff asks for an orderly stop of the machine.
func PowerOff(ctx context.Context) error { return askLogin(ctx, "PowerOff") }

// askLogin calls org.freedesktop.login1(5), which does not ask a person back.
func askLogin(ctx context.Context, method string) error {
	return AskBus(ctx, func(bus *dbus.Conn) error {
		manager := bus.Object("org.freedesktop.login1", "/org/freedesktop/login1")
		if err := manager.CallWithContext(ctx, "org.freedesktop.login1.Manager."+method, 0, false).Err; err != nil {
			return fmt.Errorf("asking for %s: %w", method, err)
		}
		return nil
	})
}
