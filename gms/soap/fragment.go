package soap

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
)

// Names of the element between g:fragment and g:SE.
const (
	WrapperEvent          = "Event"                 // MS-GRVSPCM 2.2.2.1.1
	WrapperPayload        = "PayloadWrapper"        // MS-GRVSPCM 2.2.2.1.9
	WrapperReturnPayload  = "ReturnPayloadWrapper"  // MS-GRVSPCM 2.2.2.1.11
	WrapperManagedObjects = "ManagedObjectsWrapper" // MS-GRVSPCM 2.2.3.41.1
	WrapperRelay          = "Payload"               // MS-GRVSPMR 2.2.2.1.2
)

// Fragment is a secured fragment:
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <Wrapper ...>
//	    <g:SE ...>
//	      ...
//	      <g:Enc EC="content" IV="..."/>
//	      <g:Auth MAC="..."/>           or Sig="..."
//	    </g:SE>
//	  </Wrapper>
//	</g:fragment>
//
// The header is all of it but g:Enc and g:Auth; it travels in the clear and is
// covered by the MAC or signature (MS-GRVSPCM 3.1.5, 3.1.6). Of a parsed
// fragment nothing is to be believed before Open or VerifySignature has
// succeeded.
//
// A Fragment must not be used concurrently.
type Fragment struct {
	root, wrapper, security *etree.Element

	enc, auth *etree.Element // detached from security; nil if not there
	header    []byte         // canonical, without enc and auth; nil until asked for
}

// NewFragment returns the fragment around a wrapper element, to which it adds
// an empty g:SE with the given attributes.
func NewFragment(wrapper *etree.Element, security ...Attr) *Fragment {
	se := NewElement("g:SE", security...)
	wrapper.AddChild(se)
	return &Fragment{root: NewFragmentElement(wrapper), wrapper: wrapper, security: se}
}

// ParseFragment reads a secured fragment of at most limit bytes whose wrapper
// has the given name and g:SE as its only child, but for those named beside. It
// fails with fault 105 for what is no XML and with 204 for a fragment of
// another build.
func ParseFragment(data []byte, limit int, wrapper string, beside ...string) (*Fragment, error) {
	root, err := Parse(data, limit)
	if err != nil {
		return nil, NewFault(CodeMalformed, err)
	}
	f := &Fragment{root: root}
	// The prefix is g and no other, because the digests cover it
	// (MS-GRVSPCM 3.1.5.2).
	if root.FullTag() != "g:fragment" || root.NamespaceURI() != Namespace {
		return nil, InvalidParameter("fragment", "another root element")
	}
	if f.wrapper, err = onlyChild(root, wrapper); err != nil {
		return nil, err
	}
	if f.security, err = onlyChild(f.wrapper, "g:SE", beside...); err != nil {
		return nil, err
	}
	if f.enc, err = detach(f.security, "g:Enc"); err != nil {
		return nil, err
	}
	if f.auth, err = detach(f.security, "g:Auth"); err != nil {
		return nil, err
	}
	return f, nil
}

// onlyChild returns the only child of e, which must have this full name. The
// ones beside it are passed over.
func onlyChild(e *etree.Element, name string, beside ...string) (*etree.Element, error) {
	var only *etree.Element
	for child := range e.ChildElementsSeq() {
		if slices.Contains(beside, child.FullTag()) {
			continue
		}
		if only != nil || child.FullTag() != name {
			return nil, InvalidParameter(e.Tag, "another child")
		}
		only = child
	}
	if only == nil {
		return nil, InvalidParameter(e.Tag+"/"+name, "missing")
	}
	return only, nil
}

// detach removes the child of e with this full name and returns it, nil if
// there is none (MS-GRVSPCM 3.1.6.4).
func detach(e *etree.Element, name string) (*etree.Element, error) {
	var found *etree.Element
	for child := range e.ChildElementsSeq() {
		if child.FullTag() != name {
			continue
		}
		if found != nil {
			return nil, InvalidParameter(e.Tag+"/"+name, "given twice")
		}
		found = child
	}
	if found != nil {
		e.RemoveChild(found)
	}
	return found, nil
}

// Wrapper returns the element between g:fragment and g:SE, to read its
// attributes.
func (f *Fragment) Wrapper() *etree.Element { return f.wrapper }

// Security returns g:SE without g:Enc and g:Auth, to read its attributes and
// further children.
func (f *Fragment) Security() *etree.Element { return f.security }

// KeyIDAttr is the attribute of g:SE that names the key by its ID (MS-GRVSPCM
// 2.2.2.2.8).
func KeyIDAttr(id keys.Digest) Attr { return Attr{"KeyID", EncodeBase64(id[:])} }

// KeyID returns the KeyID of g:SE. It fails with fault 204.
func (f *Fragment) KeyID() (keys.Digest, error) {
	a := AttributesOf(f.security)
	b := a.Base64("KeyID")
	var id keys.Digest
	if a.Err() == nil && len(b) != len(id) {
		a.Reject("KeyID", "not as long as a digest")
	}
	copy(id[:], b)
	return id, a.Err()
}

// Header returns the serialized header (MS-GRVSPCM 3.1.5.2, 3.1.6.5). It must
// not be changed.
func (f *Fragment) Header() []byte {
	if f.header == nil {
		f.header = Canonical(f.root)
	}
	return f.header
}

// Encrypt adds g:Enc with the plaintext encrypted under key (MS-GRVSPCM
// 3.1.5.5, 3.1.5.7).
func (f *Fragment) Encrypt(key keys.SharedKey, plaintext []byte) error {
	iv, ciphertext, err := key.Encrypt(plaintext)
	if err != nil {
		return fmt.Errorf("soap: encrypting a fragment's content: %w", err)
	}
	f.enc = NewElement("g:Enc", Attr{"EC", EncodeBase64(ciphertext)}, Attr{"IV", EncodeBase64(iv)})
	return nil
}

// Decrypt returns the plaintext of g:Enc, which is worth nothing before a MAC
// or signature was verified (MS-GRVSPCM 3.1.6.6). It fails with fault 204 if
// g:Enc is missing or invalid, with 205 if its IV does not fit the key.
func (f *Fragment) Decrypt(key keys.SharedKey) ([]byte, error) {
	if f.enc == nil {
		return nil, InvalidParameter("SE/Enc", "missing")
	}
	a := AttributesOf(f.enc)
	ciphertext, iv := a.Base64("EC"), a.Base64("IV")
	if err := a.Err(); err != nil {
		return nil, err
	}
	plaintext, err := key.Decrypt(iv, ciphertext)
	if err != nil {
		return nil, NewFault(CodeSecurity, err)
	}
	return plaintext, nil
}

// Secure encrypts the plaintext, adds the MAC and returns the serialized
// fragment (MS-GRVSPCM 3.1.5). A payload element has to be serialized by
// [Canonical] to become the plaintext.
func (f *Fragment) Secure(key keys.SharedKey, plaintext []byte, reading MACReading) ([]byte, error) {
	if err := f.Encrypt(key, plaintext); err != nil {
		return nil, err
	}
	mac := reading.mac(key, f.Header(), plaintext)
	f.auth = NewElement("g:Auth", Attr{"MAC", EncodeBase64(mac)})
	return f.serialize(), nil
}

// Open verifies the MAC under one of the accepted readings and returns the
// plaintext and that reading, with which to answer (MS-GRVSPCM 3.1.6). It fails
// with fault 204 if g:Enc or g:Auth are missing or invalid, with 205 if the
// fragment was not secured with this key as it stands.
func (f *Fragment) Open(key keys.SharedKey, accepted []MACReading) ([]byte, MACReading, error) {
	plaintext, err := f.Decrypt(key)
	if err != nil {
		return nil, 0, err
	}
	r, err := f.verifyMAC(key, plaintext, accepted)
	if err != nil {
		return nil, 0, err
	}
	return plaintext, r, nil
}

// SecureHeader is Secure for messages whose content is the header: it adds the
// MAC of the header and encrypts nothing (MS-GRVSPCM 2.2.3.5.1, reading B7).
func (f *Fragment) SecureHeader(key keys.SharedKey, reading MACReading) []byte {
	f.auth = NewElement("g:Auth", Attr{"MAC", EncodeBase64(reading.mac(key, f.Header(), nil))})
	return f.serialize()
}

// OpenHeader is Open for messages whose content is the header. A peer who has
// read the tables may have added g:Enc (reading B7), which the MAC covers too.
func (f *Fragment) OpenHeader(key keys.SharedKey, accepted []MACReading) (MACReading, error) {
	if f.enc == nil {
		return f.verifyMAC(key, nil, accepted)
	}
	_, r, err := f.Open(key, accepted)
	return r, err
}

func (f *Fragment) verifyMAC(key keys.SharedKey, plaintext []byte, accepted []MACReading) (MACReading, error) {
	mac, err := f.authenticator("MAC")
	if err != nil {
		return 0, err
	}
	for _, r := range accepted {
		if hmac.Equal(mac, r.mac(key, f.Header(), plaintext)) {
			return r, nil
		}
	}
	return 0, NewFault(CodeSecurity, errors.New("MAC of the fragment does not match"))
}

// authenticator returns the bytes of an attribute of g:Auth.
func (f *Fragment) authenticator(attr string) ([]byte, error) {
	if f.auth == nil {
		return nil, InvalidParameter("SE/Auth", "missing")
	}
	a := AttributesOf(f.auth)
	b := a.Base64(attr)
	return b, a.Err()
}

// Sign signs the header and what follows it in the digest, and returns the
// serialized fragment (MS-GRVSPCM 3.3.5.2.2.4 to 3.3.5.2.2.7; what follows is
// nothing there).
func (f *Fragment) Sign(key *keys.RSAPrivateKey, rounds int, following ...[]byte) ([]byte, error) {
	signature, err := key.Sign(keys.Sum(rounds, f.signed(following)...))
	if err != nil {
		return nil, fmt.Errorf("soap: signing a fragment: %w", err)
	}
	f.auth = NewElement("g:Auth", Attr{"Sig", EncodeBase64(signature)})
	return f.serialize(), nil
}

// VerifySignature verifies the signature of the header and what follows it
// under one of the accepted readings (MS-GRVSPCM 3.2.5.2.2.4 to 3.2.5.2.2.7)
// and returns that reading. It fails with fault 204 if it is missing, with 205
// if it does not verify.
func (f *Fragment) VerifySignature(key *keys.RSAPublicKey, accepted []SignatureReading, following ...[]byte) (SignatureReading, error) {
	signature, err := f.authenticator("Sig")
	if err != nil {
		return SignatureReading{}, err
	}
	for _, r := range accepted {
		if err = r.Verify(key, signature, f.signed(following)...); err == nil {
			return r, nil
		}
	}
	return SignatureReading{}, NewFault(CodeSecurity, err)
}

func (f *Fragment) signed(following [][]byte) [][]byte {
	return append([][]byte{f.Header()}, following...)
}

// serialize returns the whole fragment, g:Enc and g:Auth last (MS-GRVSPCM
// 3.1.5.9).
func (f *Fragment) serialize() []byte {
	if f.enc != nil {
		f.security.AddChild(f.enc)
		defer f.security.RemoveChild(f.enc)
	}
	f.security.AddChild(f.auth)
	defer f.security.RemoveChild(f.auth)
	return Canonical(f.root)
}
