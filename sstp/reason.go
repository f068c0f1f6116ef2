package sstp

import "fmt"

// Reason says why a session or connection is closed. Close and ConnectClose draw
// on one enumeration (wire profile 1).
type Reason uint8

// The reasons ([MS-GRVSSTP] 2.2.9.1 and, for ConnectClose, 3.1.5.1 to 3.1.5.11).
// ReasonResponseTimeout is in profile.go.
const (
	ReasonNone                       Reason = 0x00
	ReasonResting                    Reason = 0x01 // ConnectClose: dial again after ReturnTime
	ReasonIdle                       Reason = 0x02
	ReasonProtocolError              Reason = 0x03
	ReasonDeviceAuthenticationFailed Reason = 0x04
	ReasonUserAuthenticationFailed   Reason = 0x05
	ReasonStaleAttachAuthenticate    Reason = 0x07 // a wrong answer to the challenge of an AttachResponse
	ReasonQuotaWouldBeExceeded       Reason = 0x0b
	ReasonCrossedConnections         Reason = 0x0c // ConnectClose: too many from that device
	ReasonInternalError              Reason = 0x0d
	ReasonTooManyUnknownSessionCmds  Reason = 0x0f // ConnectClose: even for the first one
	ReasonEmptySession               Reason = 0x15 // no target of the fanout session is left
)

// String returns the mnemonic of [MS-GRVSSTP].
func (r Reason) String() string {
	switch r {
	case ReasonNone:
		return "NoReason"
	case ReasonResting:
		return "Resting"
	case ReasonIdle:
		return "Idle"
	case ReasonProtocolError:
		return "ProtocolError"
	case ReasonDeviceAuthenticationFailed:
		return "DeviceAuthenticationFailed"
	case ReasonUserAuthenticationFailed:
		return "UserAuthenticationFailed"
	case ReasonStaleAttachAuthenticate:
		return "StaleAttachAuthenticate"
	case ReasonQuotaWouldBeExceeded:
		return "QuotaWouldBeExceeded"
	case ReasonCrossedConnections:
		return "CrossedConnections"
	case ReasonInternalError:
		return "InternalError"
	case ReasonResponseTimeout:
		return "ResponseTimeout"
	case ReasonTooManyUnknownSessionCmds:
		return "TooManyUnknownSessionCmds"
	case ReasonEmptySession:
		return "EmptySession"
	default:
		return fmt.Sprintf("ReasonId(%#02x)", uint8(r))
	}
}

// StatusID says what has happened to a target of a fanout session.
type StatusID uint8

// The states ([MS-GRVSSTP] 2.2.8.1). The first three concern a relay.
const (
	StatusDNSLookupFailed      StatusID = 0x01
	StatusHostNotReachable     StatusID = 0x02
	StatusConnectionClosed     StatusID = 0x03
	StatusQuotaWouldBeExceeded StatusID = 0x04
	StatusLockedOut            StatusID = 0x05
)

// String returns the mnemonic of [MS-GRVSSTP].
func (s StatusID) String() string {
	switch s {
	case StatusDNSLookupFailed:
		return "DNSLookupFailed"
	case StatusHostNotReachable:
		return "HostNotReachable"
	case StatusConnectionClosed:
		return "ConnectionClosed"
	case StatusQuotaWouldBeExceeded:
		return "QuotaWouldBeExceeded"
	case StatusLockedOut:
		return "LockedOut"
	default:
		return fmt.Sprintf("StatusId(%#02x)", uint8(s))
	}
}
