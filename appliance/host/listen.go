package host

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Listen returns the listening socket of the service called name: the inherited one or a new one on address. What was
// inherited stays open when the result is closed, so that it can be asked for again and connections wait meanwhile.
// Without a host in it, address means all addresses, of IPv4 and IPv6. The error says what a person can do about a taken
// port or one that needs a permission; errors.Is finds [syscall.EADDRINUSE] and [syscall.EACCES] in it.
func (s Sockets) Listen(name, address string) (net.Listener, error) {
	if inherited := s[name]; len(inherited) > 0 {
		return again(name, inherited[0])
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen on %s: %w%s", name, address, err, advice(name, address, err))
	}
	return listener, nil
}

// again is another handle of an inherited socket.
func again(name string, inherited net.Listener) (_ net.Listener, err error) {
	held, ok := inherited.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, fmt.Errorf("%s: the service manager passed no stream socket but %s", name, inherited.Addr().Network())
	}
	file, err := held.File()
	if err != nil {
		return nil, fmt.Errorf("%s: socket of the service manager: %w", name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return net.FileListener(file)
}

// advice says what a person can do when a service cannot listen.
func advice(name, address string, err error) string {
	_, port, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return ""
	}
	if number, lookupErr := net.LookupPort("tcp", port); lookupErr == nil {
		port = strconv.Itoa(number)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		if owner := portOwner("/proc", port); owner != "" {
			return ": the port is held by " + owner
		}
		return fmt.Sprintf(": another program holds the port; root sees which with: ss -ltnp 'sport = :%s'", port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Sprintf(": ports below 1024 need a permission: run as root, or allow the program with "+
			"setcap cap_net_bind_service=+ep %s, or have the service manager pass the socket with FileDescriptorName=%s",
			program(), name)
	}
	return ""
}

// program is where this one is, as far as that is known.
func program() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return filepath.Base(os.Args[0])
}
