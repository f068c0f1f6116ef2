package auth

import (
	"errors"
	"fmt"

	"furrow/sstp"
	"furrow/sstp/internal/field"
)

// MessageID is the third octet of a token and says which message it is. The
// numbers are in profile.go.
type MessageID uint8

// Layer is one of the two layers of the protocol.
type Layer uint8

// The layers ([MS-GRVSSTPS] 6 <1>).
const (
	DeviceLayer Layer = iota
	AccountLayer
)

// Token is a security message: a pointer to one of the structs of this package.
type Token interface {
	// ID returns the message's identifier.
	ID() MessageID

	// layout hands the fields after the header to c, in order.
	layout(c *field.Cursor)
}

// newToken returns an empty token, or nil for an unknown identifier.
func newToken(id MessageID) Token {
	switch id {
	case IDConnect:
		return &Challenge{Layer: DeviceLayer}
	case IDConnectResponse:
		return &Response{Layer: DeviceLayer}
	case IDConnectRegistrationNeeded:
		return &RegistrationNeeded{Layer: DeviceLayer}
	case IDConnectAuthenticationFailed:
		return &AuthenticationFailed{Layer: DeviceLayer}
	case IDConnectAuthenticate:
		return &Answer{Layer: DeviceLayer}
	case IDAttach:
		return &Challenge{Layer: AccountLayer}
	case IDAttachResponse:
		return &Response{Layer: AccountLayer}
	case IDAttachAuthenticationFailed:
		return &AuthenticationFailed{Layer: AccountLayer}
	case IDAttachAuthenticate:
		return &Answer{Layer: AccountLayer}
	case IDAttachRegistrationNeeded:
		return &RegistrationNeeded{Layer: AccountLayer}
	case IDDeviceAccountRegister:
		return new(DeviceAccountRegister)
	case IDRegisterResponse:
		return new(RegisterResponse)
	case IDAccountRegister:
		return new(AccountRegister)
	case IDAccountOnNewDeviceRegister:
		return new(AccountOnNewDeviceRegister)
	case IDIdentityRegister:
		return new(IdentityRegister)
	case IDRegisterFailed:
		return new(RegisterFailed)
	default:
		return nil
	}
}

// String returns the name that [MS-GRVSSTPS] gives the message, or would.
func (id MessageID) String() string {
	switch id {
	case IDConnect:
		return "SecConnect"
	case IDConnectResponse:
		return "SecConnectResponse"
	case IDConnectRegistrationNeeded:
		return "SecConnectResponseDeviceRegistrationNeeded"
	case IDConnectAuthenticationFailed:
		return "SecConnectResponseAuthenticationFailed"
	case IDConnectAuthenticate:
		return "SecConnectAuthenticate"
	case IDAttach:
		return "SecAttach"
	case IDAttachResponse:
		return "SecAttachResponse"
	case IDAttachAuthenticationFailed:
		return "SecAttachResponseAuthenticationFailed"
	case IDAttachAuthenticate:
		return "SecAttachAuthenticate"
	case IDAttachRegistrationNeeded:
		return "SecAttachResponseRegistrationNeeded"
	case IDDeviceAccountRegister:
		return "SecDeviceAccountRegister"
	case IDRegisterResponse:
		return "SecRegisterResponse"
	case IDAccountRegister:
		return "SecAccountRegister"
	case IDAccountOnNewDeviceRegister:
		return "SecAccountOnNewDeviceRegister"
	case IDIdentityRegister:
		return "SecIdentityRegister"
	case IDRegisterFailed:
		return "SecRegisterFailed"
	default:
		return fmt.Sprintf("SecMessage(%d)", uint8(id))
	}
}

var (
	errMajorVersion = errors.New("unknown MajorVersionNumber")
	errUnknownID    = errors.New("unknown MessageID")
	errUnexpectedID = errors.New("MessageID of another message")
)

// Append appends a token to dst. It fails, leaving dst as it is, if a string is
// not ASCII or something is too long for its length field.
func Append(dst []byte, t Token) ([]byte, error) {
	var c field.Cursor
	c.Append(append(dst, majorVersion, t.ID().minorVersion(), byte(t.ID())))
	t.layout(&c)
	out, err := c.Finish()
	if err != nil {
		return dst, fmt.Errorf("auth: encoding %v: %w", t.ID(), err)
	}
	return out, nil
}

// Parse reads the one token that octets hold. The byte slices of the token share
// their memory with octets. The error is a [*sstp.ParseError].
func Parse(octets []byte) (Token, error) {
	id, err := identify(octets)
	if err != nil {
		return nil, err
	}
	t := newToken(id)
	if t == nil {
		return nil, sstp.NewParseError(id.String(), octets, 2, errUnknownID)
	}
	if err := parseInto(octets, t); err != nil {
		return nil, err
	}
	return t, nil
}

// identify checks the version of a token and returns what it is. The minor
// version is not checked: clients mix two ([MS-GRVSSTPS] 6 <1>).
func identify(octets []byte) (MessageID, error) {
	if len(octets) < headerSize {
		return 0, sstp.NewParseError("token", octets, 0, field.ErrTruncated)
	}
	if octets[0] != majorVersion {
		return 0, sstp.NewParseError("token", octets, 0, errMajorVersion)
	}
	return MessageID(octets[2]), nil
}

// parseInto reads octets that must hold the message that t is.
func parseInto(octets []byte, t Token) error {
	id, err := identify(octets)
	if err != nil {
		return err
	}
	if id != t.ID() {
		return sstp.NewParseError(t.ID().String(), octets, 2, fmt.Errorf("%w: %v", errUnexpectedID, id))
	}
	var c field.Cursor
	c.Read(octets)
	c.Reserved(headerSize)
	t.layout(&c)
	if _, err := c.Finish(); err != nil {
		return sstp.NewParseError(id.String(), octets, c.Offset(), err)
	}
	return nil
}

// headerSize is MajorVersionNumber, MinorVersionNumber and MessageID, an octet
// each ([MS-GRVSSTPS] 2.2.2).
const headerSize = 3
