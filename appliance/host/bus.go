package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// AskBus asks the services of the machine over its D-Bus: what is done with the connection ends with it.
func AskBus(ctx context.Context, ask func(*dbus.Conn) error) (err error) {
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("system bus: %w", err)
	}
	defer func() { err = errors.Join(err, bus.Close()) }()
	return ask(bus)
}
