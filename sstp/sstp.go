// Package sstp speaks the Simple Symmetric Transport Protocol of Groove clients
// and relays ([MS-GRVSSTP], port 2492). It has nothing in common with the Secure
// Socket Tunneling Protocol that is also called SSTP.
//
// Each command is a struct in a file of its own or of its family. Its layout is
// one method that serves to read and to append, so the two cannot disagree. A
// [Reader] takes commands off a stream; [Append] and [Decode] work on octets in
// memory.
//
// Parsing is exact: a command is as long as its CommandLength says, to the octet,
// or it is a protocol error ([MS-GRVSSTP] 3.3.5.6.1), reported as a [*ParseError]
// that knows where in the command the trouble is. Reserved fields are sent as
// zero and ignored on receipt. Nothing is allocated because a length or count
// announces it, only for octets that have arrived.
//
// Two versions are spoken, [Version15] and [Version16]. Where the layouts differ
// the version of the connection decides, not the device's.
//
// A [Conn] is one end of a connection, the same for clients and relays: the
// handshake, sessions, message sequences, acknowledgments and timers of
// [MS-GRVSSTP] 3. It knows nothing of what is above, which it reaches through
// [Handler], [Receiver] and [Originator], or below, which is any stream that can be
// closed. Its memory is bounded whatever the peer does: when something fills up,
// either the connection is not read or a sender waits.
//
// Authentication tokens are opaque here; package sstp/auth reads them and is
// reached through [Gate]. What rests on the project's wire profile, not on
// published text, is in profile.go.
package sstp
