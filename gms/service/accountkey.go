package service

import (
	"context"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// accountMessage is an opened request of an account.
type accountMessage struct {
	event      *soap.Event    // proven
	header     *etree.Element // the Event element, for what else is in it
	payload    []byte
	remoteUser func() (login string, err error) // of the exchange
}

// reply is the payload of a response that has one.
type reply struct {
	wrapper string // name of the element around g:SE
	payload []byte // serialized
}

// accountSecured is the pipeline of services that are secured with the key
// shared with an account (MS-GRVSPCM 3.2.5.1.2). The service may return no
// reply: then the response is a return code, which is not secured.
func accountSecured(serve func(context.Context, *Server, *accountMessage) (*reply, error)) pipeline {
	return func(s *Server, svc spcm.Service, x *exchange, payload []byte) (action, error) {
		// 3.2.5.1.2.1
		fragment, err := soap.ParseFragment(payload, svc.Limit, svc.Security.Wrapper(), svc.Beside()...)
		if err != nil {
			return nil, err
		}
		event, err := soap.DecodeEvent(fragment.Wrapper())
		if err != nil {
			return nil, err
		}
		x.domain, x.account = event.DomainGUID, event.GUID
		return func(ctx context.Context) ([]byte, error) {
			key, err := s.directory.AccountKey(event.DomainGUID, event.GUID)
			if err != nil {
				return nil, faultOf(err, soap.CodeAccountNotFound)
			}
			// 3.2.5.1.2.2
			plaintext, reading, err := openFragment(svc, fragment, key)
			if err != nil {
				return nil, err
			}
			// 3.2.5.1.2.3
			r, err := serve(ctx, s, &accountMessage{event, fragment.Wrapper(), plaintext, x.remoteUser})
			if err != nil {
				return nil, err
			}
			return respond(svc, r, key, reading)
		}, nil
	}
}

// openFragment opens what an account has secured: its payload, or, for a
// message that is all header, nothing but its proof.
func openFragment(svc spcm.Service, f *soap.Fragment, key keys.SharedKey) ([]byte, soap.MACReading, error) {
	if svc.Security == spcm.AccountHeader {
		reading, err := f.OpenHeader(key, soap.ManagementMACs())
		return nil, reading, err
	}
	return f.Open(key, soap.ManagementMACs())
}

// respond secures a reply and packs it (MS-GRVSPCM 3.2.5.1.1.5 and .6,
// 3.2.5.1.2.4 and .5). The request's reading of what a MAC covers is its
// client's.
func respond(svc spcm.Service, r *reply, key keys.SharedKey, reading soap.MACReading) ([]byte, error) {
	response := soap.Response{Service: svc.Name}
	if r != nil {
		secured, err := soap.NewFragment(soap.NewElement(r.wrapper)).Secure(key, r.payload, reading)
		if err != nil {
			return nil, err
		}
		response.Payload = secured
	}
	return response.Encode(svc.Response), nil
}
