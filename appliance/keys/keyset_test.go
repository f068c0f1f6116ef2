package keys

import (
	"bytes"
	"encoding/asn1"
	"testing"
)

func TestKeySetRoundTrip(t *testing.T) {
	s := keySet(t)
	der, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKeySet(der)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Signature.key().Equal(s.Signature.key()) || !again.Encryption.key().Equal(s.Encryption.key()) {
		t.Error("other keys came back")
	}
}

func TestParseKeySetRefuses(t *testing.T) {
	s := keySet(t)
	good, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.Signature.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	encode := func(k keySetDER) []byte {
		der, err := asn1.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for name, der := range map[string][]byte{
		"nothing":           nil,
		"cut":               good[:len(good)-1],
		"trailing byte":     append(bytes.Clone(good), 0),
		"other version":     encode(keySetDER{2, key, key}),
		"no signature key":  encode(keySetDER{1, nil, key}),
		"no encryption key": encode(keySetDER{1, key, nil}),
		"oversized":         make([]byte, 2*maxPrivateDER+33),
	} {
		if _, err := ParseKeySet(der); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func FuzzParseKeySet(f *testing.F) {
	der, err := keySet(f).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := ParseKeySet(der)
		if err != nil {
			return
		}
		again, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseKeySet(again); err != nil {
			t.Errorf("%x was written as %x, which is refused: %v", der, again, err)
		}
	})
}
