package sstp

import (
	"errors"
	"fmt"
	"strings"
)

// The schemes of the names (notes <8>, <10>, <13>, <14>), compared as they are
// written there: names are opaque keys, and two spellings would be two keys.
const (
	IdentityScheme = "grooveIdentity://"
	DeviceScheme   = "dpp://"
	RelayScheme    = "grooveDNS://"
)

// maxIdentityName is the most characters of an identity URL after its scheme
// (note <10>).
const maxIdentityName = 80

// WANDPPResource is the resource URL of WAN presence, in the spelling of note
// <3>. [MS-GRVSSTP] 3.3.5.6 spells it otherwise: see [IsWANDPP].
const WANDPPResource = "grooveWANDPP"

// IsWANDPP reports whether a resource URL is that of WAN presence, in any mix of
// letter case.
func IsWANDPP(resourceURL string) bool { return strings.EqualFold(resourceURL, WANDPPResource) }

// Reasons why a name is refused.
var (
	ErrEmptyName     = errors.New("sstp: empty name")
	ErrScheme        = errors.New("sstp: wrong scheme")
	ErrNameCharacter = errors.New("sstp: character that no URL has")
	ErrNameTooLong   = errors.New("sstp: identity URL longer than 80 characters after its scheme")
)

// CheckIdentityURL checks the scheme, characters and length of an identity URL
// (notes <10>, <13>).
func CheckIdentityURL(url string) error {
	if err := CheckURL(url, IdentityScheme); err != nil {
		return err
	}
	if len(url)-len(IdentityScheme) > maxIdentityName {
		return ErrNameTooLong
	}
	return nil
}

// CheckDeviceURL checks the scheme and characters of a client device's URL (note
// <13>).
func CheckDeviceURL(url string) error { return CheckURL(url, DeviceScheme) }

// CheckRelayURL checks the scheme and characters of a relay's URL (note <8>).
func CheckRelayURL(url string) error { return CheckURL(url, RelayScheme) }

// CheckURL requires scheme, something behind it, and characters that may stand
// in a URL (RFC 3986 2): those of printable ASCII without the space and "<>\^`{|}.
// Those would also be trouble in logs and documents.
func CheckURL(url, scheme string) error {
	switch {
	case url == "":
		return ErrEmptyName
	case !strings.HasPrefix(url, scheme):
		return fmt.Errorf("%w: %.40q, want %s", ErrScheme, url, scheme)
	case len(url) == len(scheme):
		return fmt.Errorf("%w behind %s", ErrEmptyName, scheme)
	}
	return checkCharacters(url)
}

func checkCharacters(url string) error {
	for i := range len(url) {
		if b := url[i]; b <= ' ' || b > '~' || strings.IndexByte("\"<>\\^`{|}", b) >= 0 {
			return fmt.Errorf("%w: %#02x", ErrNameCharacter, b)
		}
	}
	return nil
}

// checkResourceURL has nothing published to go by but that the name is not empty
// ([MS-GRVSSTP] 2.2.5.1, 2.2.6.1): that of WAN presence has not even a scheme.
func checkResourceURL(url string) error {
	err := ErrEmptyName
	if url != "" {
		err = checkCharacters(url)
	}
	if err != nil {
		return fmt.Errorf("resource: %w", err)
	}
	return nil
}

// CheckNames applies the strict naming that the products have on by default
// (note <13>): a resource, an identity URL, and a device URL that is empty or
// has the scheme dpp. A session of WAN presence has no identity (note <4>), and
// its device may also be a relay.
func (m *Open) CheckNames() error {
	if err := checkResourceURL(m.ResourceURL); err != nil {
		return err
	}
	if IsWANDPP(m.ResourceURL) {
		return m.checkPresenceNames()
	}
	if err := CheckIdentityURL(m.IdentityURL); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	return checkOptional("device", m.DeviceURL, CheckDeviceURL)
}

func (m *Open) checkPresenceNames() error {
	if m.IdentityURL != "" {
		return fmt.Errorf("identity of a presence session: %w", ErrScheme)
	}
	if strings.HasPrefix(m.DeviceURL, RelayScheme) {
		return checkOptional("device", m.DeviceURL, CheckRelayURL)
	}
	return checkOptional("device", m.DeviceURL, CheckDeviceURL)
}

// CheckNames applies strict naming to the resource and every address (notes <8>,
// <14>).
func (m *FanoutOpen) CheckNames() error {
	if err := checkResourceURL(m.ResourceURL); err != nil {
		return err
	}
	for i := range m.Entries {
		if err := m.Entries[i].checkNames(); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return nil
}

// checkNames asks for the scheme of the device only when there is a device:
// without one the entry means any device of the identity (note <7>).
func (e *FanoutDeviceEntry) checkNames() error {
	if err := CheckIdentityURL(e.IdentityURL); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if err := checkOptional("device", e.DeviceURL, CheckDeviceURL); err != nil {
		return err
	}
	return checkOptional("relay", e.RelayURL, CheckRelayURL)
}

func checkOptional(what, url string, check func(string) error) error {
	if url == "" {
		return nil
	}
	if err := check(url); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// DeviceGUID returns the part of a client device's URL that tells it from all
// others, whatever the spelling: what is behind the relay's name, if there is one,
// in dpp://relay.example/GUID, dpp:///GUID and dpp://GUID. Whether all of these may
// mean one device has not been seen; nobody else has a device of that name.
func DeviceGUID(url string) string {
	rest := strings.TrimPrefix(url, DeviceScheme)
	if _, path, found := strings.Cut(rest, "/"); found && path != "" {
		return path
	}
	return rest
}
