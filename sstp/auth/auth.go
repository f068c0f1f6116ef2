// Package auth is SSTP Security ([MS-GRVSSTPS]): the tokens by which a client and a
// relay exchange secret keys and then prove to each other that they hold them.
// Tokens travel as the AuthenticationToken of SSTP commands.
//
// There are two layers with the same exchange: the device layer authenticates a
// connection under the device key, the account layer authenticates an account on
// a connection under the account key. [Challenge], [Response] and [Answer] are
// the three messages of either. Registration hands the keys to the relay.
//
// Both sides are here, as state machines that do no input or output and keep
// nothing beyond a connection:
//
//   - [Login] and [Registering] are one exchange of a client;
//   - a [Gate] is the relay's side of one connection. It says by a [sstp.Verdict] what
//     to answer, and by its [State] whether anything may be served. What the relay
//     knows lasts in a [Registry], which the caller provides.
//
// The security is that of the published protocol, which is little: nothing after
// the exchange is bound to it, the pre-authentication token of a registration
// travels in the clear, and the layouts in profile.go are this project's reading.
package auth
