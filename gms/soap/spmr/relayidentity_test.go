package spmr

import (
	"strings"
	"testing"

	"furrow/gms/soap"
)

func testRelay(t testing.TB) *RelayIdentity {
	t.Helper()
	return &RelayIdentity{
		DeviceURL:       "grooveDNS://relay.contoso.com",
		SOAPURL:         "http://relay.contoso.com:8009/SOAP",
		SOAPCertificate: certificate(t, relayKeys(), "http://relay.contoso.com:8009/SOAP"),
		SSTPCertificate: certificate(t, managerKeys(), "grooveDNS://relay.contoso.com"),
	}
}

// TestRelayIdentity reads and writes the sample of MS-GRVSPMR 3.2.3.1.1, with
// certificates in the places of those that it abbreviates.
func TestRelayIdentity(t *testing.T) {
	id := testRelay(t)
	sample := strings.NewReplacer(
		"MIIET...THNsVxvVAY=", soap.EncodeBase64(id.SOAPCertificate.DER()),
		"MIIGz...19Zz0/6FU=", soap.EncodeBase64(id.SSTPCertificate.DER()),
	).Replace(`<?xml version='1.0'?><?groove.net version='1.0'?>
<RelayAttributes IsRelay="1" IsXMPPProxy="0"
  RelayDeviceURL="grooveDNS://relay.contoso.com"
  SOAPCertificate="MIIET...THNsVxvVAY="
  SOAPURL="http://relay.contoso.com:8009/SOAP"
  SSTPCertificate="MIIGz...19Zz0/6FU="/>
`)
	compact := strings.NewReplacer("\n  ", " ", "\n", "").Replace(sample)
	if got := string(id.Encode()); got != compact {
		t.Errorf("written:\n%s\nwant:\n%s", got, compact)
	}
	for name, file := range map[string]string{
		"as printed":             sample,
		"as written":             compact,
		"with CRLF":              strings.ReplaceAll(sample, "\n", "\r\n"),
		"with a byte order mark": "\uFEFF" + sample,
		"without IsXMPPProxy":    strings.Replace(sample, `IsXMPPProxy="0"`, "", 1),
	} {
		got, err := ParseRelayIdentity([]byte(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.DeviceURL != id.DeviceURL || got.SOAPURL != id.SOAPURL ||
			!got.SOAPCertificate.Equal(id.SOAPCertificate) || !got.SSTPCertificate.Equal(id.SSTPCertificate) {
			t.Errorf("%s: read %+v", name, got)
		}
	}
	for name, change := range map[string][2]string{
		"another root":        {"RelayAttributes", "Relay"},
		"a prefix":            {"<RelayAttributes", `<x:RelayAttributes xmlns:x="urn:x"`},
		"no relay":            {`IsRelay="1"`, `IsRelay="0"`},
		"IsRelay missing":     {`IsRelay="1"`, ""},
		"an XMPP proxy":       {`IsXMPPProxy="0"`, `IsXMPPProxy="1"`},
		"no device URL":       {"RelayDeviceURL=", "DeviceURL="},
		"device URL scheme":   {"grooveDNS://", "http://"},
		"device URL host":     {"grooveDNS://relay.contoso.com", "grooveDNS://"},
		"SOAP URL scheme":     {`SOAPURL="http`, `SOAPURL="ftp`},
		"SOAP URL user":       {"http://relay", "http://user@relay"},
		"no SOAP certificate": {"SOAPCertificate=", "Certificate="},
		"SSTP certificate":    {`SSTPCertificate="`, `SSTPCertificate="AAAA`},
		"SOAP certificate":    {`SOAPCertificate="`, `SOAPCertificate="?`},
		"end":                 {"/>", ""},
	} {
		changed := strings.Replace(sample, change[0], change[1], 1)
		if changed == sample {
			t.Errorf("%s: nothing was changed", name)
		}
		if id, err := ParseRelayIdentity([]byte(changed)); err == nil {
			t.Errorf("%s: accepted as %+v", name, id)
		}
	}
	if _, err := ParseRelayIdentity(make([]byte, MaxIdentityFile+1)); err == nil {
		t.Error("an overlong file is accepted")
	}
}
