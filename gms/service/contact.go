package service

import (
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// decodeContact reads the contact that an identity enrolls with.
func decodeContact(data []byte) (directory.Contact, *spcm.Contact, error) {
	c, err := spcm.DecodeContact(data)
	if err != nil {
		return directory.Contact{}, nil, err
	}
	return directory.Contact{
		URL:          c.URL,
		Data:         data,
		Security:     soap.Canonical(c.Security.Element()),
		SignatureKey: c.Security.Signature.DER(),
	}, c, nil
}
