// Package wandpp is the messages of the WAN Device Presence Protocol
// ([MS-GRVWDPP]), by which a device tells a relay that it is online and learns the
// same of others. Each is one document, sent as one message sequence in a session
// of [sstp.WANDPPResource].
//
// A device says [Publish] to its relays, and [Subscribe] and [Unsubscribe] to those of
// the devices that it wishes to know of; a relay answers, and tells of changes, by
// [Notify]. Which of them may be sent when, and what follows, is the business of the
// two ends: package relay/presence and package relay/client.
//
// No page of [MS-GRVWDPP] could be read. All layouts are wire profile 1, and
// what is particular to it stands in profile.go.
package wandpp

import (
	"errors"
	"fmt"
)

// Status is the presence of a device. What is not known is not sent.
type Status uint8

// The states.
const (
	Offline Status = iota
	Online
)

// String returns the spelling of the documents.
func (s Status) String() string {
	switch s {
	case Offline:
		return statusOffline
	case Online:
		return statusOnline
	default:
		return fmt.Sprintf("Status(%d)", uint8(s))
	}
}

// Message is a *[Publish], *[Subscribe], *[Unsubscribe] or *[Notify].
type Message interface {
	// appendTo appends the document.
	appendTo(dst []byte) []byte
}

// Publish speaks for the device that has authenticated on the connection.
type Publish struct{ Status Status }

// Subscribe asks for the presence of devices, and for its changes.
type Subscribe struct{ Devices []string } // URLs

// Unsubscribe asks to be told no more.
type Unsubscribe struct{ Devices []string } // URLs

// Notify tells the presence of devices.
type Notify struct{ Devices []DeviceStatus }

// DeviceStatus is the presence of one device.
type DeviceStatus struct {
	URL    string
	Status Status
}

// Reasons why a document is refused.
var (
	ErrMalformed = errors.New("wandpp: malformed document")
	ErrLimit     = errors.New("wandpp: document beyond the limits")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

func beyond(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrLimit, fmt.Sprintf(format, args...))
}
