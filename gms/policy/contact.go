package policy

import (
	"errors"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// contactCertificate returns the element with the attributes of the contact's
// certificate, nil if the contact has none. It is nested in another of its name
// in the schema and one table, and stands alone in the other table.
func (d *decoder) contactCertificate(contact *etree.Element) *etree.Element {
	outer := d.child(contact, "Certificate")
	if outer == nil {
		return nil
	}
	if inner := d.child(outer, "Certificate"); inner != nil {
		return inner
	}
	return outer
}

// certifyContact signs the contact in an identity template with the key of the
// domain (MS-GRVSPCM 3.2.5.1.4).
func certifyContact(template *etree.Element, key *keys.RSAPrivateKey) error {
	var d decoder
	certificate := d.contactCertificate(d.required(template, "Contact"))
	hash := key.Public().Hash()
	set(certificate, binary("SignerKeyHash", hash[:]))
	form, err := contactForm(template)
	if err != nil {
		return err
	}
	signature, err := key.Sign(keys.Sum(1, form))
	if err != nil {
		return err
	}
	set(certificate, binary("Signature", signature))
	return nil
}

// contactForm returns the bytes that the contact's signature covers (reading
// E2): a Contact with copies of those elements that 3.2.5.1.4 lists, in that
// order, less the signature.
func contactForm(template *etree.Element) ([]byte, error) {
	var d decoder
	contact := d.required(template, "Contact")
	form := element("Contact", text("xmlns:g", soap.Namespace))
	for _, part := range []*etree.Element{
		d.required(contact, "vCard", "VCard"),
		d.required(contact, "CustomFields"),
		d.required(template, "Origin"),
		d.required(contact, "Certificate"),
	} {
		form.AddChild(part.Copy())
	}
	d.contactCertificate(form).RemoveAttr("Signature")
	return soap.Canonical(form), d.result()
}

// ErrNoContactCertificate is returned for an object that holds no contact
// signed by the domain: another kind of object, or the identity of a member who
// has not enrolled or whose domain uses an enterprise PKI.
var ErrNoContactCertificate = errors.New("no contact certificate")

// VerifyContact checks the signature that the domain has put on the contact of
// an enrolled member, which the member's client shows to others. It is not
// needed to trust the object: [Signed.Verify] covers all of it.
func (s *Signed) VerifyContact(key *keys.RSAPublicKey) error {
	identity, ok := s.object.Body.(Identity)
	if !ok || !identity.hasCertificate() {
		return ErrNoContactCertificate
	}
	form, err := contactForm(s.content)
	if err != nil {
		return err
	}
	var d decoder
	certificate := d.contactCertificate(d.required(s.content, "Contact"))
	signature := d.bytes(certificate, "Signature")
	if hash := key.Hash(); string(d.bytes(certificate, "SignerKeyHash")) != string(hash[:]) {
		d.fail(certificate, "SignerKeyHash is not that of the domain's key")
	}
	if err := d.result(); err != nil {
		return err
	}
	return verify(key, signature, form)
}
