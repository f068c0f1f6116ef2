package keys

import (
	"crypto/sha1"
	"regexp"
	"testing"
)

func TestConfigurationCode(t *testing.T) {
	form := regexp.MustCompile(`^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`)
	seen := make(map[string]bool)
	for range 1000 {
		code := NewConfigurationCode()
		if !form.MatchString(code) {
			t.Fatalf("%q is not a version 4 UUID in upper case", code)
		}
		if seen[code] {
			t.Fatalf("%q was made twice", code)
		}
		seen[code] = true
	}
}

// MS-GRVSPCM 3.3.5.1.1.1 and 3.2.1, with the bytes written out.
func TestCodeKey(t *testing.T) {
	key := sha1.Sum([]byte{'A', 0, '-', 0, '1', 0})
	id := sha1.Sum(key[:])
	got := CodeKey("A-1")
	if string(got.Bytes()) != string(key[:]) {
		t.Errorf("key is %x, want %x", got.Bytes(), key)
	}
	if got.ID() != id {
		t.Errorf("KeyID is %s, want %x", got.ID(), id)
	}
	if CodeKey("a-1").Equal(got) {
		t.Error("letter case does not count")
	}
}
