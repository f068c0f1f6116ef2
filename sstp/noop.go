package sstp

// Noop acknowledges message sequences, or, with a count of zero, keeps a
// connection alive ([MS-GRVSSTP] 2.2.13, 3.1.5.13). Its layout is in profile.go.
type Noop struct {
	// MessageCount is as in Message.
	MessageCount uint32
}

// ID returns IDNoop.
func (*Noop) ID() CommandID { return IDNoop }
