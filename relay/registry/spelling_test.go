package registry

import (
	"errors"
	"testing"

	"furrow/sstp/auth"
)

// TestSpellings refuses a device whose URL differs from that of another in the
// spelling only, unless it is that device.
func TestSpellings(t *testing.T) {
	f := newFixture(t)
	f.manager(t, "A").build(t, "u", "v")
	first := registration(t, "dpp:///guid", account1, "u")
	must(t, f.Register(first))
	for _, url := range []string{"dpp://guid", "dpp://relay.example/guid"} {
		if err := f.Register(registration(t, url, account2, "v")); !errors.Is(err, auth.ErrBound) {
			t.Errorf("%s with other keys: %v", url, err)
		}
		if _, there := f.LookupDevice(url); there || !f.AccountLockedOut(account2) {
			t.Errorf("%s with other keys: something is registered", url)
		}
		same := first
		same.DeviceURL = url
		if err := f.Register(same); err != nil {
			t.Errorf("%s with the same keys: %v", url, err)
		}
	}
	must(t, f.Register(registration(t, "dpp://guid/other", account2, "v")))
}
