package policy

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// TestFlippedBits flips a bit of every byte in the body of an object of each
// type, and in the smallest also of all that stands around the body, and the
// other bits of the body: none may pass for the domain's word.
func TestFlippedBits(t *testing.T) {
	key := testKey(t)
	bodies := fullBodies()
	for _, kind := range Types() {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			data := mustBuild(t, testObject(bodies[kind.String()]), key)
			start, end := bytes.Index(data, []byte("<g:Body ")), bytes.Index(data, []byte("<g:Signatures>"))
			flip := func(i, bit int) {
				flipped := bytes.Clone(data)
				flipped[i] ^= 1 << bit
				s, err := Parse(flipped)
				if err != nil {
					return
				}
				if _, err := s.Verify(key.Public()); err == nil {
					t.Fatalf("byte %d, bit %d: accepted %.80q", i, bit, flipped[i-40:])
				}
			}
			for i := start; i < end; i++ {
				flip(i, i%8)
			}
			if kind != TypeAccountServices {
				return
			}
			for i := len(soap.Prolog); i < len(data); i++ {
				for bit := range 8 {
					if bit == i%8 || i >= start && i < end {
						flip(i, bit)
					}
				}
			}
		})
	}
}

// TestFlippedContactBits flips a bit of each byte of what the contact's
// signature covers.
func TestFlippedContactBits(t *testing.T) {
	key := testKey(t)
	data := mustBuild(t, testObject(testIdentity()), key)
	ranges := [][2]string{
		{"<g:vCard ", "<g:RelayDevices"},
		{"<g:Certificate>", "</g:Contact>"}, // CustomFields too
		{"<g:Origin ", "</g:IdentityTemplate>"},
	}
	for _, r := range ranges {
		from, to := bytes.Index(data, []byte(r[0])), bytes.Index(data, []byte(r[1]))
		if from < 0 || to < from {
			t.Fatalf("no %s before %s", r[0], r[1])
		}
		for i := from; i < to; i++ {
			flipped := bytes.Clone(data)
			flipped[i] ^= 1 << (i % 8)
			s, err := Parse(flipped)
			if err != nil {
				continue
			}
			if err := s.VerifyContact(key.Public()); err == nil {
				t.Errorf("byte %d: accepted %.80q", i, flipped[i-20:])
			}
		}
	}
}

// TestContactSignatureLeavesOutRelays shows what reading E2 leaves out: a
// change of relays needs no new contact signature.
func TestContactSignatureLeavesOutRelays(t *testing.T) {
	key := testKey(t)
	data := mustBuild(t, testObject(testIdentity()), key)
	s := mustParse(t, bytes.ReplaceAll(data, []byte("relay1.contoso.com"), []byte("relay9.contoso.com")))
	if err := s.VerifyContact(key.Public()); err != nil {
		t.Error(err)
	}
	if _, err := s.Verify(key.Public()); err == nil {
		t.Error("the object's signature does not cover relays")
	}
}

func TestOtherKeys(t *testing.T) {
	key := testKey(t)
	other, err := keys.GenerateRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	s := mustParse(t, mustBuild(t, testObject(testIdentity()), key))
	if o, err := s.Verify(other.Public()); err == nil || o.Body != nil {
		t.Errorf("another domain's key gives %+v, %v", o, err)
	}
	if err := s.VerifyContact(other.Public()); err == nil {
		t.Error("another domain's key verifies the contact")
	}
	if err := s.VerifyContact(key.Public()); err != nil {
		t.Error(err)
	}
	if s.Unverified().GUID != testObject(nil).GUID {
		t.Errorf("unverified object has GUID %q", s.Unverified().GUID)
	}
}

func TestNoContactCertificate(t *testing.T) {
	key := testKey(t)
	pending, enterprise := testIdentity(), testIdentity()
	pending.Enrollment = nil
	enterprise.Enrollment.Expires = time.Time{}
	for name, body := range map[string]Body{
		"pending": pending, "enterprise PKI": enterprise, "policy": DefaultPassphrase(),
	} {
		s := mustParse(t, mustBuild(t, testObject(body), key))
		if err := s.VerifyContact(key.Public()); !errors.Is(err, ErrNoContactCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSignatureReadings signs an object as other servers may have read the
// text (readings A7, E1).
func TestSignatureReadings(t *testing.T) {
	key := testKey(t)
	unsigned := func() (fragment, object *etree.Element) {
		s := mustParse(t, mustBuild(t, testObject(DefaultPassphrase()), key))
		return s.fragment, s.fragment.ChildElements()[0]
	}
	fragmentForm := func() []byte {
		fragment, _ := unsigned()
		return soap.Canonical(fragment)
	}
	objectForm := func() []byte {
		_, object := unsigned()
		set(object, text("xmlns:g", soap.Namespace))
		return soap.Canonical(object)
	}
	for name, test := range map[string]struct {
		form   []byte
		rounds int
		ok     bool
	}{
		"fragment, once":     {fragmentForm(), 1, true},
		"fragment, twice":    {fragmentForm(), 2, true},
		"fragment, thrice":   {fragmentForm(), 3, false},
		"object, once":       {objectForm(), 1, true},
		"object, twice":      {objectForm(), 2, true},
		"without the prolog": {fragmentForm()[len(soap.Prolog):], 1, false},
	} {
		signature, err := key.Sign(keys.Sum(test.rounds, test.form))
		if err != nil {
			t.Fatal(err)
		}
		fragment, object := unsigned()
		addSignature(object, signature)
		_, err = mustParse(t, soap.Canonical(fragment)).Verify(key.Public())
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
