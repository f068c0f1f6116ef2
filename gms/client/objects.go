package client

import (
	"errors"
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/policy"
	"furrow/gms/soap/spcm"
)

// verifyObject checks an entry of a list of managed objects: the signature by the domain's key, and that the entry and
// the object speak of the same thing in this domain.
func (p *Profile) verifyObject(entry spcm.ManagedObject) (policy.Object, error) {
	certificate, err := keys.ParseCertificate(p.Domain.Certificate)
	if err != nil {
		return policy.Object{}, fmt.Errorf("certificate of the domain: %w", err)
	}
	signed, err := policy.Parse(entry.Object)
	if err != nil {
		return policy.Object{}, fmt.Errorf("managed object %s: %w", entry.GUID, err)
	}
	object, err := signed.Verify(certificate.SignatureKey())
	switch {
	case err != nil:
		return policy.Object{}, fmt.Errorf("managed object %s: %w", entry.GUID, err)
	case object.GUID != entry.GUID || object.Name() != entry.Name:
		return policy.Object{}, fmt.Errorf("managed object %s: the list and the object name different things", entry.GUID)
	case object.Domain.GUID != p.Domain.GUID:
		return policy.Object{}, fmt.Errorf("managed object %s: is of domain %s, not of %s", entry.GUID, object.Domain.GUID, p.Domain.GUID)
	}
	// Whoever has enrolled shows the domain's signature on the contact to others, so it must be good.
	err = signed.VerifyContact(certificate.SignatureKey())
	if err != nil && !errors.Is(err, policy.ErrNoContactCertificate) {
		return policy.Object{}, fmt.Errorf("managed object %s: contact: %w", entry.GUID, err)
	}
	return object, nil
}

// take brings a list of held objects up to date with one from the server and returns the objects that are new or newer
// (MS-GRVSPCM 3.3.5.3.3). Nothing is taken over unless all of it is good.
//
// That section also has objects deleted that are not in the response; since a server sends only what changed
// (3.2.5.3.3), an object goes when the server says that it is not active.
func (p *Profile) take(held map[string]Held, entries []spcm.ManagedObject) ([]policy.Object, error) {
	objects := make([]policy.Object, 0, len(entries))
	for _, entry := range entries {
		object, err := p.verifyObject(entry)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	var taken []policy.Object
	for i, object := range objects {
		issued := object.Issued.UnixMilli()
		switch old, ok := held[object.GUID]; {
		case !entries[i].Active:
			delete(held, object.GUID)
		case !ok || issued > old.Issued:
			held[object.GUID] = Held{Name: object.Name(), Issued: issued, Data: entries[i].Object}
			taken = append(taken, object)
		}
	}
	return taken, nil
}

// identityOf returns the identity template among objects.
func identityOf(objects []policy.Object) (policy.Object, policy.Identity, error) {
	for _, o := range objects {
		if identity, ok := o.Body.(policy.Identity); ok {
			return o, identity, nil
		}
	}
	return policy.Object{}, policy.Identity{}, errors.New("the server sent no identity template")
}

// managesDevices reports whether one of the objects has devices managed from the moment an account is set up.
func managesDevices(objects []policy.Object) bool {
	for _, o := range objects {
		if p, ok := o.Body.(policy.IdentityPolicy); ok && p.ManageDevices {
			return true
		}
	}
	return false
}

// relayURLs returns the device URLs of an identity's relays, in their order.
func relayURLs(identity policy.Identity) []string {
	urls := make([]string, 0, len(identity.Relays))
	for _, relay := range identity.Relays {
		urls = append(urls, relay.URL)
	}
	return urls
}

// Relays returns the relays of the held identity, in the order of preference, and the pre-authentication token that
// the member's devices show to each of them.
func (p *Profile) Relays() ([]policy.Relay, string, error) {
	identity, err := p.heldIdentity()
	return identity.Relays, identity.PreAuthToken, err
}

// heldIdentity returns the identity template that is held.
func (p *Profile) heldIdentity() (policy.Identity, error) {
	held, ok := p.Objects[p.MemberGUID]
	if !ok {
		return policy.Identity{}, errors.New("the identity is not held any more: the member was removed from the domain")
	}
	parsed, err := policy.Parse(held.Data)
	if err != nil {
		return policy.Identity{}, fmt.Errorf("held identity: %w", err)
	}
	identity, ok := parsed.Unverified().Body.(policy.Identity)
	if !ok {
		return policy.Identity{}, errors.New("the held object of the member is not an identity")
	}
	return identity, nil
}
