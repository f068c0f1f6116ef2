package spmr

import (
	"bytes"
	"reflect"
	"testing"

	"furrow/gms/soap"
)

// fuzzDecoder feeds a decoder and expects that what it accepts survives being
// encoded and decoded again, and that what it refuses is one of the faults 310 to
// 312.
func fuzzDecoder[M interface{ Encode() []byte }](f *testing.F, decode func([]byte) (M, error), seeds ...M) {
	for _, seed := range seeds {
		f.Add(seed.Encode())
		f.Add(bytes.TrimPrefix(seed.Encode(), []byte(soap.Prolog)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decode(data)
		if err != nil {
			if c := code(err); c < CodeInvalidInput || c > CodeMissingInput {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		again, err := decode(m.Encode())
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v encoded is %+v, %v", m, again, err)
		}
	})
}

func FuzzUserAdd(f *testing.F)   { fuzzDecoder(f, DecodeUserAdd, &UserAdd{exampleUsers}) }
func FuzzUserPurge(f *testing.F) { fuzzDecoder(f, DecodeUserPurge, &UserPurge{exampleUsers[:1]}) }

func FuzzAccountModify(f *testing.F) {
	fuzzDecoder(f, DecodeAccountModify, &AccountModify{[]UserLockout{{"a", true}, {"b", false}}})
}

func FuzzRelayDefault(f *testing.F) {
	fuzzDecoder(f, DecodeRelayDefault, &RelayDefault{1, 2, 3, 4, true, false})
}

func FuzzRelayQuiescent(f *testing.F) {
	fuzzDecoder(f, DecodeRelayQuiescent, &RelayQuiescent{true}, &RelayQuiescent{false})
}

func FuzzResponse(f *testing.F) {
	fuzzDecoder(f, func(b []byte) (*Response, error) { return DecodeResponse(b, MethodUserAdd) }, &Response{MethodUserAdd, 4})
}

func FuzzRegistrationResponse(f *testing.F) {
	f.Add((&RegistrationResponse{3}).Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeRegistrationResponse(data)
		if err != nil {
			return
		}
		if again, err := DecodeRegistrationResponse(m.Encode()); err != nil || *again != *m {
			t.Fatalf("%+v encoded is %+v, %v", m, again, err)
		}
	})
}

// FuzzFragment opens what parses; under a key of its own nothing opens.
func FuzzFragment(f *testing.F) {
	key := sharedKey(f)
	for _, name := range []string{"quiescent-request", "quiescent-response", "useradd-response", "registration-response"} {
		f.Add(example(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := ParseFragment(data, MaxRequestSize)
		if err != nil {
			if c := code(err); c != CodeInvalidInput && c != CodeMissingInput {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if _, _, err := parsed.Open(key); code(err) != CodeDecryption {
			t.Fatalf("opened: %v", err)
		}
	})
}

func FuzzRegistration(f *testing.F) {
	key := sharedKey(f)
	data := sealed(f, key)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeRegistration(data)
		if err != nil {
			if c := code(err); c != CodeInvalidInput && c != CodeMissingInput && c != CodeMethod {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if m.Verify(key) == nil && !m.Certificate.Signature.Equal(managerKeys().Signature.Public()) {
			t.Fatalf("signature by a key that is not known here: %+v", m)
		}
	})
}

func FuzzRelayIdentity(f *testing.F) {
	f.Add(testRelay(f).Encode())
	f.Fuzz(func(t *testing.T, file []byte) {
		id, err := ParseRelayIdentity(file)
		if err != nil {
			return
		}
		again, err := ParseRelayIdentity(id.Encode())
		if err != nil || again.DeviceURL != id.DeviceURL || again.SOAPURL != id.SOAPURL {
			t.Fatalf("%+v written is %+v, %v", id, again, err)
		}
	})
}

func FuzzManagerIdentity(f *testing.F) {
	f.Add(testManager(f).EncodeRegistry())
	f.Add([]byte(utf16LEMark + utf16LE(fillTemplate(testManager(f)))))
	f.Fuzz(func(t *testing.T, file []byte) {
		id, err := ParseManagerIdentity(file)
		if err != nil {
			return
		}
		again, err := ParseManagerIdentity(id.EncodeRegistry())
		if err != nil || again.Name != id.Name || again.GUID != id.GUID || !again.Certificate.Equal(id.Certificate) {
			t.Fatalf("%+v written is %+v, %v", id, again, err)
		}
	})
}
