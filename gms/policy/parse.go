package policy

import (
	"errors"
	"fmt"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// MaxSize bounds an object, made or read, in bytes. An identity object with two
// relays has some ten thousand, a component update policy with rules for a
// thousand packages some two hundred thousand.
const MaxSize = 1 << 20

// ErrMalformed is wrapped by the errors of [Parse].
var ErrMalformed = errors.New("malformed managed object")

// Signed is a managed object as it was received. Its content is not to be
// acted upon before its signature is checked.
type Signed struct {
	object    Object
	fragment  *etree.Element // without Signatures
	content   *etree.Element // the one child of Body
	signature []byte
}

// Parse reads the bytes of an object that [Build] or another server made. The
// signatures are not checked, and what was malformed is told in the error only:
// it is no fault of the peer's that could be answered.
func Parse(data []byte) (*Signed, error) {
	root, err := soap.Parse(data, MaxSize)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	var d decoder
	s := d.signed(root)
	if err := d.result(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if err := s.object.validate(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return s, nil
}

func (d *decoder) signed(fragment *etree.Element) *Signed {
	if !soap.Is(fragment, "fragment") || fragment.NamespaceURI() != soap.Namespace {
		d.fail(fragment, "want fragment of namespace %s", soap.Namespace)
	}
	object := d.required(fragment, "ManagedObject")
	d.exactly(object, "Version", objectVersion)
	signatures := d.required(object, "Signatures")
	signature := d.required(signatures, "Signature")
	d.exactly(signature, "Fingerprint", fingerprint)
	s := &Signed{fragment: fragment, signature: d.bytes(signature, "Value")}
	object.RemoveChild(signatures)

	header, body := d.required(object, "Header"), d.required(object, "Body")
	s.object = Object{
		GUID:   d.text(header, "GUID"),
		Issued: d.instant(header, "IssuedTime"),
		Domain: d.domain(header),
	}
	component := d.text(body, "ComponentResourceURL")
	t, ok := typeOf(component)
	if !ok {
		d.fail(body, "unknown ComponentResourceURL %.256q", component)
		return s
	}
	s.content = d.required(body, t.kind().element)
	d.header(header, t, &s.object)
	s.object.Body = d.body(s.content, t, &s.object, d.text(header, "DisplayName"))
	return s
}

// header checks what the tables of MS-GRVSPCM 3.2.5.1.4 fix, except for names
// and descriptions that are only shown.
func (d *decoder) header(header *etree.Element, t Type, o *Object) {
	d.exactly(header, "Name", t.ObjectName(o.Domain.GUID, o.GUID))
	d.exactly(header, "IntendedIdentityURL", "")
	switch d.text(header, "ReplacementPolicy") {
	case t.kind().replacement, replaceByTime: // reading E12
	default:
		d.fail(header, "unknown ReplacementPolicy")
	}
}

func (d *decoder) body(content *etree.Element, t Type, o *Object, displayName string) Body {
	switch t {
	case TypeAccountServices:
		return d.accountServices(content)
	case TypeComponentUpdate:
		return d.componentUpdate(content)
	case TypeDataRecovery:
		return d.dataRecovery(content)
	case TypeDevicePolicy:
		return d.devicePolicy(content)
	case TypeDomainTrust:
		return d.domainTrust(content)
	case TypeIdentity:
		return d.identity(content, o, displayName)
	case TypeIdentityPolicy:
		return d.identityPolicy(content, o.Domain)
	default:
		return d.passphrase(content)
	}
}

// Unverified returns the object before its signature is checked, to find the
// domain whose key must have signed it.
func (s *Signed) Unverified() Object { return s.object }

// Verify checks the object's signature and returns the object. The key is the
// signature key of a domain certificate that is trusted for another reason than
// standing in the object.
func (s *Signed) Verify(key *keys.RSAPublicKey) (Object, error) {
	// Reading E1: the fragment, or the object in it alone.
	var d decoder
	alone := d.required(s.fragment, "ManagedObject").Copy()
	set(alone, text("xmlns:g", soap.Namespace))
	if err := verify(key, s.signature, soap.Canonical(s.fragment), soap.Canonical(alone)); err != nil {
		return Object{}, fmt.Errorf("object %s: %w", s.object.GUID, err)
	}
	return s.object, nil
}

// signatureReadings are the ways to read how the domain signs (readings A7, E1,
// E2), the first is ours. To accept all of them weakens nothing, since each
// signature can only be made with the private key.
func signatureReadings() []soap.SignatureReading {
	return []soap.SignatureReading{{Rounds: 1}, {Rounds: 2}, {Rounds: 1, Bare: true}, {Rounds: 2, Bare: true}}
}

// verify checks a signature over any of the forms, in any of the readings.
func verify(key *keys.RSAPublicKey, signature []byte, forms ...[]byte) error {
	var err error
	for _, form := range forms {
		for _, reading := range signatureReadings() {
			if err = reading.Verify(key, signature, form); err == nil {
				return nil
			}
		}
	}
	return err
}
