// Package client is the client's side of a relay: how a Groove client registers
// with the relays that its management server has named, hands them what it sends,
// and takes what waits for it.
//
// A [Link] is one authenticated connection to one relay; [Dial] makes it, with the
// registration that the relay may ask for ([MS-GRVSSTPS] 3.2). [Link.Send] sends one
// message to any number of targets and returns when the relay has acknowledged
// it, from where on it is the relay's to deliver. [Link.Receive] hands over what
// the relay delivers and acknowledges each message when its handler says so.
//
// Connections get lost. [Retry] tells losses from refusals and tries again after
// a growing wait; whatever was not acknowledged comes again, on either side, so
// that delivery is at least once.
//
// A [Watcher] says at the relays that the device is online, and learns of others by
// [Presence].
//
// Files travel as a [Parcel], which is this program's own application of the
// relay and nothing of Groove's: it has a resource URL of its own, and an
// identifier by which an [Inbox] knows what it has stored already.
package client

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"furrow/appliance/keys"
	"furrow/sstp"
	"furrow/sstp/auth"
	"furrow/sstp/wandpp"
)

// Relay is a relay as the identity template of a member names it.
type Relay struct {
	// URL is the relay's device URL, grooveDNS://host.
	URL string
	// Key is the encryption key of the relay's SSTP certificate.
	Key *keys.RSAPublicKey
}

// NewRelay takes the key from an SSTP certificate, in DER.
func NewRelay(url string, certificate []byte) (Relay, error) {
	if err := sstp.CheckRelayURL(url); err != nil {
		return Relay{}, err
	}
	parsed, err := keys.ParseCertificate(certificate)
	if err != nil {
		return Relay{}, &BadCertificateError{url, err}
	}
	key, ok := parsed.EncryptionKey().(*keys.RSAPublicKey)
	if !ok {
		return Relay{}, &BadCertificateError{url, errors.New("the encryption key is not of RSA")} // wire profile 1
	}
	return Relay{URL: url, Key: key}, nil
}

// BadCertificateError says that the SSTP certificate of a relay is of no use.
type BadCertificateError struct {
	RelayURL string
	Err      error
}

// Error names the relay.
func (e *BadCertificateError) Error() string {
	return "certificate of " + e.RelayURL + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *BadCertificateError) Unwrap() error { return e.Err }

// User is who connects: a person's account with its identity, on a device.
type User struct {
	// Device and Account have keys of their own for relays, auth.KeySize octets
	// long: not those that secure messages to the management server.
	Device, Account auth.Principal
	IdentityURL     string
	// Token is the pre-authentication token that the management server has
	// announced to the relay.
	Token string
}

// Options are what a Link is made of. Relay and User are required.
type Options struct {
	Relay Relay
	User  User
	// Known says that the account has registered with the relay before, so that
	// only this device may have to. A relay that has lost it gets it again.
	Known bool
	// LoginOnly has a relay that asks for a registration be an error,
	// [auth.ErrRegistrationNeeded].
	LoginOnly bool
	// Handlers take what the relay delivers; nil for a link that only sends.
	Handlers Handlers
	// Notified takes what the relay tells of presence, in order; nil for a link that
	// asks for nothing.
	Notified func([]wandpp.DeviceStatus)
	// Dialer makes the transport; default TCP.
	Dialer Dialer
	// ProductVersion is what the relay is told; default nothing.
	ProductVersion string
	Timers         sstp.Timers
	Diagnose       bool         // log octets that do not parse
	Log            *slog.Logger // default nobody
}

// Dialer makes the transport to a relay. Close of the transport must make its
// Read and Write return.
type Dialer interface {
	DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error)
}

// UnreachableError says that there is no transport to a relay.
type UnreachableError struct {
	RelayURL string
	Err      error
}

// Error names the relay.
func (e *UnreachableError) Error() string { return "reaching " + e.RelayURL + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *UnreachableError) Unwrap() error { return e.Err }
