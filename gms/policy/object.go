package policy

import (
	"fmt"
	"time"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// Object is a managed object without its signature.
type Object struct {
	// GUID names the object; an identity object has its member's GUID.
	GUID string
	// Issued is the time of the object's last change, in milliseconds; what
	// is finer is cut off.
	Issued time.Time
	Domain Domain
	Body   Body
}

// Body is what an object says: one of [AccountServices], [ComponentUpdate],
// [DataRecovery], [DevicePolicy], [DomainTrust], [Identity], [IdentityPolicy]
// and [Passphrase].
type Body interface {
	Type() Type
	// Validate returns nil or a *[FieldError].
	Validate() error

	// encode returns the one child of the object's Body element.
	encode(o *Object) *etree.Element
}

// Name returns the object's name; see [Type.ObjectName].
func (o *Object) Name() string { return o.Body.Type().ObjectName(o.Domain.GUID, o.GUID) }

// validate checks what both [Build] and [Parse] promise.
func (o *Object) validate() error {
	var c checker
	c.required("guid", o.GUID, maxGUID)
	if o.Issued.UnixMilli() <= 0 || o.Issued.UnixMilli() > maxMillis {
		c.fail("issued", "is not a time after 1970")
	}
	c.nested("domain", o.Domain.Validate())
	c.nested("body", o.Body.Validate())
	if recovery, ok := o.Body.(DataRecovery); ok {
		c.certificate("body.certificate", recovery.Certificate)
	}
	return c.result()
}

// Build serializes and signs an object with the private signature key of its
// domain (MS-GRVSPCM 3.2.5.1.4); a member's contact is signed with it too. The
// result is the object itself: in the Object attribute of a message it stands
// in base64. It fails with a *[FieldError] for what cannot be sent.
func Build(o Object, key *keys.RSAPrivateKey) ([]byte, error) {
	if o.Body == nil {
		return nil, fmt.Errorf("building managed object %s: %w", o.GUID, &FieldError{"body", "is missing"})
	}
	fragment, err := build(&o, key)
	if err != nil {
		return nil, fmt.Errorf("building %s object %s: %w", o.Body.Type(), o.GUID, err)
	}
	data := soap.Canonical(fragment)
	if len(data) > MaxSize {
		return nil, fmt.Errorf("building %s object %s: %w", o.Body.Type(), o.GUID,
			&FieldError{"body", fmt.Sprintf("makes an object of more than %d bytes", MaxSize)})
	}
	return data, nil
}

func build(o *Object, key *keys.RSAPrivateKey) (*etree.Element, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	content := o.Body.encode(o)
	if identity, ok := o.Body.(Identity); ok && identity.hasCertificate() {
		if err := certifyContact(content, key); err != nil {
			return nil, err
		}
	}
	fragment, object := o.wrap(content)
	signature, err := key.Sign(keys.Sum(1, soap.Canonical(fragment)))
	if err != nil {
		return nil, err
	}
	addSignature(object, signature)
	return fragment, nil
}

// wrap puts the header and the fragment around what the body says. This is what
// the domain signs.
func (o *Object) wrap(content *etree.Element) (fragment, object *etree.Element) {
	object = element("ManagedObject", text("Version", objectVersion))
	object.AddChild(o.header())
	add(object, "Body", text("ComponentResourceURL", o.Body.Type().ComponentResourceURL())).AddChild(content)
	return soap.NewFragmentElement(object), object
}

func addSignature(object *etree.Element, signature []byte) {
	add(add(object, "Signatures"), "Signature", text("Fingerprint", fingerprint), binary("Value", signature))
}

// header returns the header of MS-GRVSPCM 2.2.2.2.12.
func (o *Object) header() *etree.Element {
	k := o.Body.Type().kind()
	displayName := k.displayName
	if identity, ok := o.Body.(Identity); ok {
		displayName = identity.FullName
	}
	header := element("Header",
		text("Description", k.description),
		text("DisplayName", displayName),
		text("GUID", o.GUID),
		text("IntendedIdentityURL", ""),
		text("IssuedTime", soap.FormatMillis(o.Issued.UnixMilli())),
		text("Name", o.Name()),
		text("ReplacementPolicy", k.replacement))
	o.Domain.addTo(header)
	return header
}
