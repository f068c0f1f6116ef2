package keys

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func testVault(t testing.TB, fill byte) *Vault {
	t.Helper()
	v, err := newVault((*[masterKeySize]byte)(bytes.Repeat([]byte{fill}, masterKeySize)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVaultRoundTrip(t *testing.T) {
	v := testVault(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		purpose := rapid.StringN(1, -1, maxPurpose).Draw(t, "purpose")
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		sealed, err := v.Seal(purpose, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != len(plaintext)+SealOverhead {
			t.Fatalf("%d bytes became %d", len(plaintext), len(sealed))
		}
		got, err := v.Open(purpose, sealed)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, plaintext) {
			t.Fatalf("got %x, want %x", got, plaintext)
		}
		if _, err := v.Open(purpose+"x", sealed); err == nil {
			t.Fatal("opened for another purpose")
		}
	})
}

func TestVaultNoticesEveryChange(t *testing.T) {
	v := testVault(t, 1)
	sealed, err := v.Seal("domain keys/1", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		for bit := range 8 {
			turned := bytes.Clone(sealed)
			turned[i] ^= 1 << bit
			_, err := v.Open("domain keys/1", turned)
			switch {
			case i == 0:
				if err == nil || !strings.Contains(err.Error(), "version") {
					t.Errorf("version altered: %v", err)
				}
			case i < headerSize:
				if !errors.Is(err, ErrOtherMasterKey) {
					t.Errorf("key id altered: %v", err)
				}
			default:
				if !errors.Is(err, ErrSealBroken) {
					t.Errorf("byte %d altered: %v", i, err)
				}
			}
		}
	}
	for n := range sealed {
		if _, err := v.Open("domain keys/1", sealed[:n]); !errors.Is(err, ErrSealBroken) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

func TestVaultTellsKeysAndPurposesApart(t *testing.T) {
	v, other := testVault(t, 1), testVault(t, 2)
	sealed, err := v.Seal("domain keys/1", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open("domain keys/1", sealed); !errors.Is(err, ErrOtherMasterKey) {
		t.Errorf("another vault: %v", err)
	}
	if _, err := v.Open("domain keys/2", sealed); !errors.Is(err, ErrSealBroken) {
		t.Errorf("another purpose: %v", err)
	}
	again, err := v.Seal("domain keys/1", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(sealed, again) {
		t.Error("sealing is not random")
	}
	for _, purpose := range []string{"", strings.Repeat("p", maxPurpose+1)} {
		if _, err := v.Seal(purpose, nil); err == nil {
			t.Errorf("sealed for a purpose of %d bytes", len(purpose))
		}
		if _, err := v.Open(purpose, sealed); err == nil {
			t.Errorf("opened for a purpose of %d bytes", len(purpose))
		}
	}
}

// sealedVersion1 is "secret", sealed for "domain keys/1" by testVault(t, 1).
const sealedVersion1 = "019c90963732e2b126f6648661079528b69b841e8594ab26610ed8f798429f4507f8606176d4c1278204bd748aeba2e4c610280e569928"

// What version 1 looks like for good: a released form must open in every later
// version.
func TestVaultOpensVersion1(t *testing.T) {
	got, err := testVault(t, 1).Open("domain keys/1", unhex(t, sealedVersion1))
	if err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzVaultOpen(f *testing.F) {
	// Fuzzing runs in several processes, so what they share must be fixed.
	v, sealed := testVault(f, 1), unhex(f, sealedVersion1)
	f.Add("domain keys/1", sealed)
	f.Fuzz(func(t *testing.T, purpose string, b []byte) {
		if _, err := v.Open(purpose, b); err == nil && (purpose != "domain keys/1" || !bytes.Equal(b, sealed)) {
			t.Errorf("opened %x, which nobody sealed for %q", b, purpose)
		}
	})
}
