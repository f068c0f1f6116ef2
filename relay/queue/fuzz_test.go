package queue

import "testing"

// FuzzParseKey feeds names of queues as a damaged disk might have them.
func FuzzParseKey(f *testing.F) {
	for _, a := range modelAddresses {
		f.Add(a.key())
	}
	f.Fuzz(func(t *testing.T, key string) {
		if a, err := parseKey(key); err == nil && a.key() != key {
			t.Errorf("parseKey(%q) = %+v, whose key is %q", key, a, a.key())
		}
	})
}
