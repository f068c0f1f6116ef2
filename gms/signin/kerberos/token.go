package kerberos

import (
	"bytes"
	"fmt"

	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"

	"furrow/gms/signin"
)

// Tokens of NegTokenResp (RFC 4178 4.2.2), with 1.2.840.113554.1.2.2 as supportedMech.
var (
	replyAccepted = []byte("\xa1\x14\x30\x12\xa0\x03\x0a\x01\x00\xa1\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")
	replyKerberos = []byte("\xa1\x14\x30\x12\xa0\x03\x0a\x01\x01\xa1\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")
)

// errOtherMechanism says that the client knows Kerberos, but began with something else.
var errOtherMechanism = fmt.Errorf("%w: the client began with another mechanism than Kerberos", signin.ErrRefused)

// prefixNTLM begins the messages of NTLM, which some clients send as a token of Negotiate when they have no ticket.
const prefixNTLM = "NTLMSSP\x00"

// readToken returns the AP-REQ of a token, which may be wrapped in SPNEGO, as browsers and Windows do, or not.
func readToken(token []byte) (request *messages.APReq, wrapped bool, err error) {
	if bytes.HasPrefix(token, []byte(prefixNTLM)) {
		return nil, false, refuse("the client has no ticket and tries NTLM")
	}
	if len(token) == 0 {
		return nil, false, refuse("the token is empty")
	}
	var outer spnego.SPNEGOToken
	if outer.Unmarshal(token) == nil {
		if token, err = mechanismToken(&outer); err != nil {
			return nil, false, err
		}
		wrapped = true
	}
	var inner spnego.KRB5Token
	if err := inner.Unmarshal(token); err != nil {
		return nil, false, refuse("no Kerberos token: %v", err)
	}
	if !inner.IsAPReq() {
		return nil, false, refuse("the Kerberos token is no request")
	}
	return &inner.APReq, wrapped, nil
}

// mechanismToken returns the Kerberos token of a first or later token of SPNEGO.
func mechanismToken(outer *spnego.SPNEGOToken) ([]byte, error) {
	if outer.Resp {
		return outer.NegTokenResp.ResponseToken, nil
	}
	offered := outer.NegTokenInit.MechTypes
	for i, mechanism := range offered {
		// Windows has a second, misspelt number for Kerberos and puts it first (MS-SPNG 3.1.5.2 names both).
		if !mechanism.Equal(gssapi.OIDKRB5.OID()) && !mechanism.Equal(gssapi.OIDMSLegacyKRB5.OID()) {
			continue
		}
		if i > 0 && !offered[0].Equal(gssapi.OIDMSLegacyKRB5.OID()) || len(outer.NegTokenInit.MechTokenBytes) == 0 {
			return nil, errOtherMechanism // its token is the first mechanism's
		}
		return outer.NegTokenInit.MechTokenBytes, nil
	}
	return nil, refuse("the client offers no Kerberos")
}
