package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"furrow/sstp"
)

// golden is a token and its octets, written out by hand from [MS-GRVSSTPS]
// 2.2.2 and wire profile 1: header, then one string for each field.
type golden struct {
	token  Token
	octets []string
}

var somePublicKeys = PublicKeys{
	EncryptionKeyAlgorithm: "DH",
	EncryptionKey:          []byte{0xe1, 0xe2},
	EncryptionAlgorithm:    "ELGAMAL",
	SignatureKeyAlgorithm:  "RSA",
	SignatureKey:           []byte{0x51},
	SignatureAlgorithm:     "RSA",
}

const somePublicKeysHex = "444800 0200e1e2 454c47414d414c00 52534100 010051 52534100"

var (
	iv    = []byte{1, 2}
	mac   = []byte{3}
	nonce = []byte{4, 5, 6}
)

var goldens = []golden{
	{&Challenge{DeviceLayer, iv, mac, nonce}, []string{"01 03 01", "0200 0102", "0100 03", "0300 040506"}},
	{&Response{DeviceLayer, iv, mac, nonce, []byte{7}}, []string{"01 04 02", "0200 0102", "0100 03", "0300 040506", "0100 07"}},
	{&RegistrationNeeded{DeviceLayer}, []string{"01 04 03"}},
	{&AuthenticationFailed{DeviceLayer}, []string{"01 04 04"}},
	{&Answer{DeviceLayer, mac, nonce}, []string{"01 03 05", "0100 03", "0300 040506"}},
	{&Challenge{AccountLayer, iv, mac, nonce}, []string{"01 04 06", "0200 0102", "0100 03", "0300 040506"}},
	{&Response{AccountLayer, iv, mac, nonce, []byte{7}}, []string{"01 04 07", "0200 0102", "0100 03", "0300 040506", "0100 07"}},
	{&AuthenticationFailed{AccountLayer}, []string{"01 04 08"}},
	{&Answer{AccountLayer, mac, nonce}, []string{"01 04 09", "0100 03", "0300 040506"}},
	{&RegistrationNeeded{AccountLayer}, []string{"01 04 0a"}},
	{
		&DeviceAccountRegister{
			DeviceURL: "d", EncryptedDeviceKey: []byte{9}, PublicKeys: somePublicKeys,
			Nested: []byte{0x0a, 0x0b}, seal: seal{Signature: []byte{0xcc}},
		},
		[]string{"01 03 0c", "6400", "0100 09", somePublicKeysHex, "0200 0a0b", "0100 cc"},
	},
	{&RegisterResponse{iv, mac}, []string{"01 04 0d", "0200 0102", "0100 03"}},
	{
		&AccountRegister{
			AccountURL: "a", EncryptedAccountKey: []byte{9}, PublicKeys: somePublicKeys,
			UserPreAuthToken: "U", IdentityURLs: []string{"i", "j"}, seal: seal{Signature: []byte{0xcc}},
		},
		[]string{"01 04 0e", "6100", "0100 09", somePublicKeysHex, "5500", "02 6900 6a00", "0100 cc"},
	},
	{
		&AccountOnNewDeviceRegister{"a", iv, mac, nonce},
		[]string{"01 04 0f", "6100", "0200 0102", "0100 03", "0300 040506"},
	},
	{
		&IdentityRegister{"a", "i", "U", iv, mac, nonce},
		[]string{"01 04 10", "6100", "6900", "5500", "0200 0102", "0100 03", "0300 040506"},
	},
	{&RegisterFailed{RefusedBound}, []string{"01 04 12", "03"}},
}

func (g *golden) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(g.octets, ""), " ", ""))
	if err != nil {
		t.Fatalf("%v: %v", g.token.ID(), err)
	}
	return b
}

// unsealed forgets the octets that a signature covers, which only reading knows.
func unsealed(t Token) Token {
	switch t := t.(type) {
	case *DeviceAccountRegister:
		t.signed = nil
	case *AccountRegister:
		t.signed = nil
	}
	return t
}

func TestGoldenLayouts(t *testing.T) {
	seen := map[MessageID]bool{}
	for _, g := range goldens {
		id := g.token.ID()
		seen[id] = true
		want := g.bytes(t)
		got, err := Append(nil, g.token)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v encodes to\n %x, %v, want\n %x", id, got, err, want)
		}
		token, err := Parse(want)
		if err != nil || !reflect.DeepEqual(unsealed(token), g.token) {
			t.Errorf("%v decodes to\n %+v, %v, want\n %+v", id, token, err, g.token)
		}
	}
	for i := range 256 {
		id := MessageID(i)
		if known := newToken(id) != nil; known != seen[id] {
			t.Errorf("%v: known %v, layout %v", id, known, seen[id])
		} else if known && (newToken(id).ID() != id || !strings.HasPrefix(id.String(), "Sec")) {
			t.Errorf("%v makes a %v", id, newToken(id).ID())
		} else if !known && !strings.HasPrefix(id.String(), "SecMessage(") {
			t.Errorf("unknown %d is called %v", i, id)
		}
	}
}

func TestTruncationAndTrailing(t *testing.T) {
	for _, g := range goldens {
		whole := g.bytes(t)
		for n := range whole {
			if token, err := Parse(whole[:n]); !isParseError(err) {
				t.Errorf("%v cut to %d of %d octets: %+v, %v", g.token.ID(), n, len(whole), token, err)
			}
		}
		if token, err := Parse(append(whole, 0)); !isParseError(err) {
			t.Errorf("%v with an octet more: %+v, %v", g.token.ID(), token, err)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, tt := range []struct {
		name   string
		octets []byte
		ok     bool
	}{
		{"minor version of the other layer", []byte{1, 4, byte(IDConnectAuthenticationFailed)}, true},
		{"minor version from later", []byte{1, 99, byte(IDConnectAuthenticationFailed)}, true},
		{"major version 0", []byte{0, 4, byte(IDConnectAuthenticationFailed)}, false},
		{"major version 2", []byte{2, 4, byte(IDConnectAuthenticationFailed)}, false},
		{"message 11", []byte{1, 4, 11}, false},
		{"message 17", []byte{1, 4, 17}, false},
	} {
		if token, err := Parse(tt.octets); (err == nil) != tt.ok || !tt.ok && !isParseError(err) {
			t.Errorf("%s: %+v, %v", tt.name, token, err)
		}
	}
}

func isParseError(err error) bool {
	var parse *sstp.ParseError
	return errors.As(err, &parse)
}

func TestAnnouncedLengthsTakeNoMemory(t *testing.T) {
	for _, octets := range [][]byte{
		{1, 3, 1, 0xff, 0xff, 0, 0},
		append([]byte{1, 4, 14, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0xff),
	} {
		var err error
		allocs := testing.AllocsPerRun(100, func() { _, err = Parse(octets) })
		// The token, its cursor, a string, the error with its copy of the head.
		if !isParseError(err) || allocs > 10 {
			t.Errorf("%x: %v allocations, %v", octets, allocs, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, g := range goldens {
		f.Add(g.bytes(f))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		token, err := Parse(octets)
		if err != nil {
			if token != nil || !isParseError(err) {
				t.Fatalf("%+v with %v", token, err)
			}
			return
		}
		again, err := Append(nil, token)
		if err != nil || len(again) != len(octets) {
			t.Fatalf("%+v encodes to %x, %v", token, again, err)
		}
		again[1] = octets[1] // the minor version is not kept
		if !bytes.Equal(again, octets) {
			t.Fatalf("%x becomes %x", octets, again)
		}
	})
}
