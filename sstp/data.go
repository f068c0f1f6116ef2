package sstp

// MaxDataSize is the most octets that one Data carries ([MS-GRVSSTP] 3.1.4.6).
const MaxDataSize = 2048

// Data carries a piece of a message sequence ([MS-GRVSSTP] 2.2.11). Its layout is
// in profile.go.
type Data struct {
	SessionID uint32
	// Payload is 1 to MaxDataSize octets.
	Payload []byte
}

// ID returns IDData.
func (*Data) ID() CommandID { return IDData }
