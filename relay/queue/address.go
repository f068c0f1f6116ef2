package queue

import (
	"fmt"
	"strings"
)

// Address names one queue. Either Relay is set and nothing else, or Resource
// and Identity are, and Device too if the messages are for that device only
// ([MS-GRVSSTP] 1.1). No part may hold a NUL, which no string of SSTP can.
type Address struct {
	Resource string // resource URL, which names the application
	Identity string // identity URL
	Device   string // device URL; empty for any device of the identity
	Relay    string // URL of another relay
}

// IdentityTargeted reports whether any device of the identity may have the
// messages.
func (a Address) IdentityTargeted() bool { return a.Device == "" && a.Relay == "" }

// Target is the URL of the device, identity or relay that empties the queue.
func (a Address) Target() string {
	switch {
	case a.Relay != "":
		return a.Relay
	case a.Device != "":
		return a.Device
	default:
		return a.Identity
	}
}

// Kind is what empties the queue: device, identity or relay.
func (a Address) Kind() string {
	switch {
	case a.Relay != "":
		return "relay"
	case a.IdentityTargeted():
		return "identity"
	default:
		return "device"
	}
}

const (
	localKey   = "q" // then resource, identity, device
	relayKey   = "r" // then relay
	keyDivider = "\x00"
)

// key is the name of the queue in the spool. It is on disk.
func (a Address) key() string {
	if a.Relay != "" {
		return relayKey + keyDivider + a.Relay
	}
	return strings.Join([]string{localKey, a.Resource, a.Identity, a.Device}, keyDivider)
}

// parseKey reads what key wrote.
func parseKey(key string) (Address, error) {
	switch parts := strings.Split(key, keyDivider); {
	case parts[0] == localKey && len(parts) == 4:
		return Address{Resource: parts[1], Identity: parts[2], Device: parts[3]}, nil
	case parts[0] == relayKey && len(parts) == 2 && parts[1] != "":
		return Address{Relay: parts[1]}, nil
	default:
		return Address{}, fmt.Errorf("%q is no queue of this version", key)
	}
}
