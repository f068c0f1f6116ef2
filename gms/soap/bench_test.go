package soap

import (
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
)

// benchmarkRequest returns a request like MS-GRVSPCM 4.1.1: some 3 KB, of which
// the fragment takes 2.
func benchmarkRequest(b *testing.B) (body, fragment []byte, key keys.SharedKey) {
	b.Helper()
	key = testKey(b, keys.AccountKeySize)
	e := NewElement("D7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i", Attr{"UserName", "Full Name"})
	for i := range 6 {
		e.AddChild(NewElement("ManagedObject",
			Attr{"ID", fmt.Sprintf("9557EB24-5779-4635-BA83-4C4AD001B4F%d", i)},
			Attr{"IssuedTime", "1199892192000"},
			Attr{"Name", "grooveDevicePolicy:"}))
	}
	fragment, err := NewFragment(testEvent().Element()).Secure(key, Canonical(e), MACOverDigest)
	if err != nil {
		b.Fatal(err)
	}
	body = (&Request{"Service", fragment, 4, 0, 0}).Encode(Request1)
	return body, fragment, key
}

// BenchmarkRequest compares all that is done to a request until its payload is
// a tree with a bare reading of its body into one.
func BenchmarkRequest(b *testing.B) {
	body, _, key := benchmarkRequest(b)
	b.Run("bare etree", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if err := etree.NewDocument().ReadFromBytes(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if _, err := Parse(body, 16<<10); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			r, err := DecodeRequest(body, testRule(Request1))
			if err != nil {
				b.Fatal(err)
			}
			f, err := ParseFragment(r.Payload, 16<<10, WrapperEvent)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := DecodeEvent(f.Wrapper()); err != nil {
				b.Fatal(err)
			}
			plaintext, _, err := f.Open(key, ManagementMACs())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := ParsePayload(plaintext, 16<<10); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFragment(b *testing.B) {
	_, fragment, key := benchmarkRequest(b)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(fragment)))
		for b.Loop() {
			if _, err := ParseFragment(fragment, 16<<10, WrapperEvent); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		b.SetBytes(int64(len(fragment)))
		for b.Loop() {
			f, err := ParseFragment(fragment, 16<<10, WrapperEvent)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := f.Open(key, ManagementMACs()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("secure", func(b *testing.B) {
		plaintext := []byte(strings.Repeat("x", 1200))
		for b.Loop() {
			if _, err := NewFragment(testEvent().Element()).Secure(key, plaintext, MACOverDigest); err != nil {
				b.Fatal(err)
			}
		}
	})
}
