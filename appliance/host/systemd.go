package host

import (
	"fmt"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready tells the service manager that everything is up. Without one it does nothing.
func Ready(status string) error {
	return notify(daemon.SdNotifyReady + "\nSTATUS=" + status)
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
