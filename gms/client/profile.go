package client

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

const (
	// protocolVersion is the Version of requests in the examples (MS-GRVSPCM 4).
	protocolVersion = 4
	// grooveVersion is the client version sent, in the form of the examples (MS-GRVSPCM 4.1.1) with the numbers of
	// SharePoint Workspace 2010.
	grooveVersion = "14,0,0,4006"
	// contactVersion is the Version of contacts, for which no value is published.
	contactVersion = "1,0,0,0"
	// deviceIdentityURL is the identity of a device account (MS-GRVSPCM 4.1.1).
	deviceIdentityURL = "grooveIdentity://Device"

	// idAlphabet and the lengths below are those of the identifiers in the examples (MS-GRVSPCM 4.1.1, 4.2.1).
	idAlphabet     = "abcdefghijkmnpqrstuvwxyz23456789"
	guidLength     = 39
	identityLength = 32

	// relayKeySize is the size of device keys and account keys at relays, in octets (wire profile 1).
	relayKeySize = 24
)

// Account is one of the two accounts of a profile: the person's or the device's.
type Account struct {
	GUID   string
	Device bool
	// Key secures the account's messages with the domain.
	Key keys.SharedKey
	KeyPair
}

// KeyPair is the two private keys of an account or an identity.
type KeyPair struct {
	Signature  *keys.RSAPrivateKey
	Encryption *keys.ElGamalPrivateKey
}

// RelayKeys are the secret keys of a profile at relays. They are not those that secure messages to the management
// server, which a relay has no business to know.
type RelayKeys struct {
	Device, Account keys.SharedKey
}

// Held is a managed object that the client has, verified.
type Held struct {
	Name   string
	Issued int64 // milliseconds since 1970
	Data   []byte
}

// Profile is one person on one device in one domain.
type Profile struct {
	Server     string // address that Join was given
	CodeID     string // KeyID of the configuration code, in hexadecimal digits
	Domain     spcm.ManagementDomain
	MemberGUID string
	FullName   string
	VCard      []byte

	User, Device Account
	DeviceName   string
	DeviceURL    string
	IdentityURL  string
	Identity     KeyPair

	// RelayKeys are the device key and the account key of SSTP Security, which relays share (MS-GRVSSTPS 3.2.1).
	RelayKeys RelayKeys
	// KnownToRelays are the URLs of the relays that have registered the account.
	KnownToRelays []string

	// UnusedCode is the configuration code of an automatic Join that is not finished. Nobody else has seen it, and the
	// server gives it out only as long as the member is pending.
	UnusedCode string

	// AuditKey is the key that locks the device's audit log on to the domain (MS-GRVSPCM 3.1.4); zero before the first
	// log.
	AuditKey keys.SharedKey
	// AuditFiles are the uploads of files that were interrupted, by the file's hash.
	AuditFiles map[string]FileProgress

	// Joined is set when the member is active and its signed identity is held.
	Joined bool
	// ManagesDevice is set when the domain manages the device (MS-GRVSPCM 2.2.2.2.10.7).
	ManagesDevice bool
	// Objects are the managed objects of the identity, DeviceObjects those of the device, by GUID.
	Objects, DeviceObjects map[string]Held
}

// newProfile makes the accounts and the identity of a person, with keys from newKeyPair.
func newProfile(server, codeID, deviceName string, newKeyPair func() (KeyPair, error)) (*Profile, error) {
	p := &Profile{
		Server:        server,
		CodeID:        codeID,
		DeviceName:    deviceName,
		IdentityURL:   "grooveIdentity://" + newID(identityLength) + "@",
		Objects:       make(map[string]Held),
		DeviceObjects: make(map[string]Held),
	}
	for _, a := range []*Account{&p.User, &p.Device} {
		key, err := keys.GenerateSharedKey(keys.AccountKeySize)
		if err != nil {
			return nil, fmt.Errorf("making an account's key: %w", err)
		}
		pair, err := newKeyPair()
		if err != nil {
			return nil, err
		}
		*a = Account{GUID: newID(guidLength), Key: key, KeyPair: pair}
	}
	p.Device.Device = true
	p.DeviceURL = "dpp://" + p.Device.GUID
	for _, key := range []*keys.SharedKey{&p.RelayKeys.Device, &p.RelayKeys.Account} {
		var err error
		if *key, err = keys.GenerateSharedKey(relayKeySize); err != nil {
			return nil, fmt.Errorf("making a key for relays: %w", err)
		}
	}
	var err error
	p.Identity, err = newKeyPair()
	return p, err
}

// NewKeyPair makes the keys of an account or an identity. It takes part of a second.
func NewKeyPair() (pair KeyPair, err error) {
	if pair.Signature, err = keys.GenerateRSAKey(); err != nil {
		return KeyPair{}, fmt.Errorf("making a signature key: %w", err)
	}
	if pair.Encryption, err = keys.GenerateElGamalKey(); err != nil {
		return KeyPair{}, fmt.Errorf("making an encryption key: %w", err)
	}
	return pair, nil
}

// certificate is how an account shows its keys (reading B3: ElGamal satisfies every sentence).
func (k KeyPair) certificate() soap.Certificate {
	return soap.Certificate{Encryption: k.Encryption.Public(), Signature: k.Signature.Public()}
}

// contact is what the identity publishes of itself (MS-GRVSPCM 2.2.2.2.4).
func (p *Profile) contact(relays []string) *spcm.Contact {
	return &spcm.Contact{
		SeqNum:          1,
		URL:             p.IdentityURL,
		Version:         contactVersion,
		VCard:           p.VCard,
		DeviceURL:       p.DeviceURL,
		PlatformVersion: grooveVersion,
		PresenceDevices: relays,
		RelayDevices:    relays,
		Security:        spcm.CSecurity{Encryption: p.Identity.Encryption.Public(), Signature: p.Identity.Signature.Public()},
	}
}

// newID makes an identifier of n characters, five random bits each.
func newID(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	for i := range b {
		b[i] = idAlphabet[b[i]%byte(len(idAlphabet))] // 32 divides 256: no bias
	}
	return string(b)
}

func newEventID() int32 {
	var b [4]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return int32(binary.LittleEndian.Uint32(b[:]) &^ (1 << 31))
}
