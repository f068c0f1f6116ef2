package network

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"furrow/appliance/host"
)

// Bus tells and asks the services of systemd, version 252, over the system's D-Bus.
type Bus struct{}

// SetName gives the kernel the name, as org.freedesktop.hostname1 does with a transient one: at the machine's start, when
// it must be known before the first DHCP request, there is no bus yet. Services that use it, such as systemd-resolved for
// NAME.local, watch the kernel's.
func (Bus) SetName(name string) error {
	if err := unix.Sethostname([]byte(name)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	return nil
}

// Reload implements [System].
func (Bus) Reload(ctx context.Context) error {
	// Ports whose file has changed are reconfigured by this.
	return host.AskBus(ctx, func(bus *dbus.Conn) error {
		return networkd(bus).CallWithContext(ctx, "org.freedesktop.network1.Manager.Reload", 0).Err
	})
}

// Restart implements [System].
func (Bus) Restart(ctx context.Context, unit string) error { return host.RestartUnit(ctx, unit) }

// Stop implements [System].
func (Bus) Stop(ctx context.Context, unit string) error { return host.StopUnit(ctx, unit) }

func networkd(bus *dbus.Conn) dbus.BusObject {
	return bus.Object("org.freedesktop.network1", "/org/freedesktop/network1")
}

// octets are those of an address, which systemd-networkd writes as a list of numbers.
type octets []uint16

func (o octets) bytes() []byte {
	b := make([]byte, len(o))
	for i, n := range o {
		b[i] = byte(n)
	}
	return b
}

func (o octets) address() netip.Addr {
	a, _ := netip.AddrFromSlice(o.bytes())
	return a
}

// described is the part of Describe's answer that a person wants to see.
type described struct {
	Interfaces []struct {
		Name, Type, OperationalState, CarrierState string

		HardwareAddress octets
		Addresses       []struct {
			Address      octets
			PrefixLength int
			ConfigSource string
		}
		Routes []struct {
			Gateway                 octets
			DestinationPrefixLength int
		}
		DNS           []struct{ Address octets }
		SearchDomains []struct{ Domain string }
	}
}

// Links implements [System].
func (Bus) Links(ctx context.Context) (links []Link, err error) {
	var text string
	err = host.AskBus(ctx, func(bus *dbus.Conn) error {
		return networkd(bus).CallWithContext(ctx, "org.freedesktop.network1.Manager.Describe", 0).Store(&text)
	})
	if err != nil {
		return nil, fmt.Errorf("asking what is in force on the network: %w", err)
	}
	return linksOf(text)
}

func linksOf(text string) ([]Link, error) {
	var all described
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("what systemd-networkd says is in force: %w", err)
	}
	links := []Link{}
	for _, port := range all.Interfaces {
		if port.Type != "ether" {
			continue
		}
		link := Link{
			Name: port.Name, Hardware: net.HardwareAddr(port.HardwareAddress.bytes()).String(), State: port.OperationalState,
			Carrier:   port.CarrierState != "no-carrier" && port.CarrierState != "off",
			Addresses: []Address{}, Gateways: []string{}, DNS: []string{}, Search: []string{},
		}
		for _, a := range port.Addresses {
			link.Addresses = append(link.Addresses, Address{netip.PrefixFrom(a.Address.address(), a.PrefixLength).String(), a.ConfigSource})
		}
		for _, r := range port.Routes {
			if gateway := r.Gateway.address().String(); r.Gateway != nil && r.DestinationPrefixLength == 0 && !slices.Contains(link.Gateways, gateway) {
				link.Gateways = append(link.Gateways, gateway)
			}
		}
		for _, d := range port.DNS {
			link.DNS = append(link.DNS, d.Address.address().String())
		}
		for _, d := range port.SearchDomains {
			link.Search = append(link.Search, d.Domain)
		}
		links = append(links, link)
	}
	return links, nil
}

// TimeSource implements [System].
func (Bus) TimeSource(ctx context.Context) (s TimeSource, err error) {
	err = host.AskBus(ctx, func(bus *dbus.Conn) error {
		err := property(ctx, bus, "org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1", "NTPSynchronized", &s.Synchronized)
		if err != nil {
			return err
		}
		// A machine may keep its time by another service: then there is no server to name.
		err = property(ctx, bus, "org.freedesktop.timesync1", "/org/freedesktop/timesync1", "org.freedesktop.timesync1.Manager", "ServerName", &s.Server)
		if unknown := (dbus.Error{}); errors.As(err, &unknown) && unknown.Name == "org.freedesktop.DBus.Error.ServiceUnknown" {
			err = nil
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("asking how the clock is kept: %w", err)
	}
	return s, err
}

func property(ctx context.Context, bus *dbus.Conn, service string, path dbus.ObjectPath, iface, name string, into any) error {
	return bus.Object(service, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, iface, name).Store(into)
}
