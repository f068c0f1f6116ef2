package host

import (
	"fmt"
	"net"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready tells the service manager that everything is up. Without one it does nothing.
func Ready(status string) error {
	return notify(daemon.SdNotifyReady + "\nSTATUS=" + status)
}

// Reloading tells the service manager that the configuration is being read again; Ready ends that.
func Reloading() error {
	return notify(daemon.SdNotifyReloading)
}

// WatchdogTime is how long the service manager waits for a sign of life before it kills this process; 0: it does not.
func WatchdogTime() (time.Duration, error) {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0, fmt.Errorf("time limit of the service manager: %w", err)
	}
	return limit, nil
}

// Alive is a sign of life for the service manager.
func Alive() error {
	return notify(daemon.SdNotifyWatchdog)
}

// Stopping tells the service manager that an orderly stop has begun.
func Stopping() error {
	return notify(daemon.SdNotifyStopping)
}

func notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("telling the service manager %q: %w", state, err)
	}
	return nil
}

// Sockets are the listening sockets that the service manager holds for this process, by FileDescriptorName. A
// restart through them refuses no connection.
type Sockets map[string][]net.Listener

// InheritedSockets takes over what the service manager passed. It can be asked once: the variables that name the
// sockets are removed from the environment, so that no child process mistakes them for its own.
func InheritedSockets() (Sockets, error) {
	sockets, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("sockets from the service manager: %w", err)
	}
	return sockets, nil
}
