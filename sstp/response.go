package sstp

import "fmt"

// ResponseID is the answer of ConnectResponse and, by wire profile 1, of
// AttachResponse and RegisterResponse.
type ResponseID uint8

// The answers ([MS-GRVSSTP] 3.1.5.1, 3.3.5.1).
const (
	ResponseOk                   ResponseID = 0x00
	ResponseWrongDevice          ResponseID = 0x01 // TargetDeviceURL is not the receiver's
	ResponseTryLater             ResponseID = 0x02 // after RetryTime
	ResponseWillUpgrade          ResponseID = 0x03 // the sender's major version is higher
	ResponseWontUpgrade          ResponseID = 0x04 // the sender's major version is higher
	ResponseNewVersionRequired   ResponseID = 0x05 // the sender's major version is lower
	ResponseAuthenticationFailed ResponseID = 0x06
	ResponseConnectRejected      ResponseID = 0x09 // a source device is locked out
)

// String returns the mnemonic of [MS-GRVSSTP].
func (r ResponseID) String() string {
	switch r {
	case ResponseOk:
		return "Ok"
	case ResponseWrongDevice:
		return "WrongDevice"
	case ResponseTryLater:
		return "TryLater"
	case ResponseWillUpgrade:
		return "WillUpgrade"
	case ResponseWontUpgrade:
		return "WontUpgrade"
	case ResponseNewVersionRequired:
		return "NewVersionRequired"
	case ResponseAuthenticationFailed:
		return "AuthenticationFailed"
	case ResponseConnectRejected:
		return "ConnectRejected"
	default:
		return fmt.Sprintf("ResponseId(%#02x)", uint8(r))
	}
}

// OpenResponseID is the answer of OpenResponse, an enumeration of its own.
type OpenResponseID uint8

// The answers ([MS-GRVSSTP] 3.1.5.5, 3.3.5.6).
const (
	OpenOk                 OpenResponseID = 0x00
	OpenNoResource         OpenResponseID = 0x04 // a FanoutOpen for WAN presence
	OpenUnknown            OpenResponseID = 0x05 // the handler is in fault, or a URL is invalid
	OpenNoFanoutEntries    OpenResponseID = 0x08 // no multi-drop here
	OpenOkStopSending      OpenResponseID = 0x0b // accepted, but nothing may be sent yet
	OpenFanoutNotSupported OpenResponseID = 0x0c // no single-hop here
)

// String returns the mnemonic of [MS-GRVSSTP].
func (r OpenResponseID) String() string {
	switch r {
	case OpenOk:
		return "Ok"
	case OpenNoResource:
		return "NoResource"
	case OpenUnknown:
		return "Unknown"
	case OpenNoFanoutEntries:
		return "NoFanoutEntries"
	case OpenOkStopSending:
		return "OkStopSending"
	case OpenFanoutNotSupported:
		return "FanoutNotSupported"
	default:
		return fmt.Sprintf("ResponseId(%#02x)", uint8(r))
	}
}
