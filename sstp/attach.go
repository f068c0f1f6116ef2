package sstp

import "furrow/sstp/internal/field"

// Attach starts the authentication of an account on a connection
// ([MS-GRVSSTP] 2.2.14.1).
//
//	CommandId           1  0x08
//	CommandLength       2
//	EventId             4
//	ResourceURL         string
//	AccountURL          string
//	AuthenticationToken length 2, octets
type Attach struct {
	// EventID is the session identifier of the attach session.
	EventID uint32
	// ResourceURL is the URL of the relay; it may be empty.
	ResourceURL string
	// AccountURL is the account to authenticate; it is not empty.
	AccountURL string
	// AuthenticationToken is a SecAttach.
	AuthenticationToken []byte
}

// ID returns IDAttach.
func (*Attach) ID() CommandID { return IDAttach }

func (m *Attach) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.EventID)
	c.Text(&m.ResourceURL)
	c.Text(&m.AccountURL)
	c.Blob(&m.AuthenticationToken)
}

// AttachResponse is the relay's answer to Attach ([MS-GRVSSTP] 2.2.15). Its layout,
// and that of the next three, is in profile.go.
type AttachResponse struct {
	EventID             uint32
	Response            ResponseID
	AuthenticationToken []byte
}

// ID returns IDAttachResponse.
func (*AttachResponse) ID() CommandID { return IDAttachResponse }

// AttachAuthenticate is the client's answer to the challenge in an
// AttachResponse ([MS-GRVSSTP] 2.2.16). A wrong answer closes the attach session
// with ReasonStaleAttachAuthenticate.
type AttachAuthenticate struct {
	EventID             uint32
	AuthenticationToken []byte // a SecAttachAuthenticate
}

// ID returns IDAttachAuthenticate.
func (*AttachAuthenticate) ID() CommandID { return IDAttachAuthenticate }

// Register carries the registration of a device, account or identity to a relay
// ([MS-GRVSSTP] 2.2.17).
type Register struct {
	// EventID is the session identifier of the registration.
	EventID             uint32
	ResourceURL         string
	AccountURL          string
	AuthenticationToken []byte // a SecDeviceAccountRegister or SecIdentityRegister
}

// ID returns IDRegister.
func (*Register) ID() CommandID { return IDRegister }

// RegisterResponse is the relay's answer to Register ([MS-GRVSSTP] 2.2.18).
type RegisterResponse struct {
	EventID             uint32
	Response            ResponseID
	AuthenticationToken []byte
}

// ID returns IDRegisterResponse.
func (*RegisterResponse) ID() CommandID { return IDRegisterResponse }
