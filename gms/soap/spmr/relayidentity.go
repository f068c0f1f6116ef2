package spmr

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// MaxIdentityFile bounds either identity file, in bytes. A relay's has two
// certificates in base64, a manager's one in hexadecimal UTF-16; both stay
// below 24 KiB with ordinary keys.
const MaxIdentityFile = 128 << 10

// RelayIdentityFile is the usual name of a relay's identity file.
const RelayIdentityFile = "ServerID.xml"

// RelayIdentity is what a relay tells a management server about itself outside
// of the protocol, the file ServerID.xml (MS-GRVSPMR 3.2.3.1.1):
//
//	<RelayAttributes IsRelay="1" IsXMPPProxy="0" RelayDeviceURL="grooveDNS://..."
//	 SOAPCertificate="DER" SOAPURL="http://..." SSTPCertificate="DER"/>
type RelayIdentity struct {
	DeviceURL       string // grooveDNS://hostname
	SOAPURL         string // http or https
	SOAPCertificate *keys.Certificate
	SSTPCertificate *keys.Certificate
}

// Encode returns the file.
func (id *RelayIdentity) Encode() []byte {
	return soap.Canonical(soap.NewElement("RelayAttributes",
		soap.Attr{Name: "IsRelay", Value: "1"},
		soap.Attr{Name: "IsXMPPProxy", Value: "0"},
		soap.Attr{Name: "RelayDeviceURL", Value: id.DeviceURL},
		soap.Attr{Name: "SOAPCertificate", Value: soap.EncodeBase64(id.SOAPCertificate.DER())},
		soap.Attr{Name: "SOAPURL", Value: id.SOAPURL},
		soap.Attr{Name: "SSTPCertificate", Value: soap.EncodeBase64(id.SSTPCertificate.DER())}))
}

// ParseRelayIdentity reads the file. A byte order mark in front is accepted.
// Its errors are for the administrator who handed the file over.
func ParseRelayIdentity(file []byte) (*RelayIdentity, error) {
	id, err := parseRelayIdentity(file)
	if err != nil {
		return nil, fmt.Errorf("spmr: reading the relay's identity file: %w", err)
	}
	return id, nil
}

func parseRelayIdentity(file []byte) (*RelayIdentity, error) {
	root, err := soap.Parse(bytes.TrimPrefix(file, []byte(utf8Mark)), MaxIdentityFile)
	if err != nil {
		return nil, err
	}
	if root.FullTag() != "RelayAttributes" {
		return nil, errors.New("root element is not RelayAttributes")
	}
	a := soap.AttributesOf(root)
	a.OneOf("IsRelay", "1")
	if a.Has("IsXMPPProxy") {
		a.OneOf("IsXMPPProxy", "0")
	}
	id := &RelayIdentity{DeviceURL: a.Name("RelayDeviceURL"), SOAPURL: a.Name("SOAPURL")}
	soapDER, sstpDER := a.Base64("SOAPCertificate"), a.Base64("SSTPCertificate")
	if err := cmp.Or(a.Err(), checkURL("RelayDeviceURL", id.DeviceURL, "groovedns"), checkURL("SOAPURL", id.SOAPURL, "http", "https")); err != nil {
		return nil, err
	}
	if id.SOAPCertificate, err = keys.ParseCertificate(soapDER); err != nil {
		return nil, fmt.Errorf("SOAPCertificate: %w", err)
	}
	if id.SSTPCertificate, err = keys.ParseCertificate(sstpDER); err != nil {
		return nil, fmt.Errorf("SSTPCertificate: %w", err)
	}
	return id, nil
}

// checkURL accepts a URL with a host of one of the schemes, in lower case.
func checkURL(field, address string, schemes ...string) error {
	u, err := url.Parse(address)
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "" || u.User != nil {
		return fmt.Errorf("%s is not a URL with a host of scheme %s", field, schemes[0])
	}
	return nil
}
