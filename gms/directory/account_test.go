package directory

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"furrow/appliance/keys"
)

func registration(t *testing.T, domain Domain) Registration {
	t.Helper()
	key, err := keys.GenerateSharedKey(keys.AccountKeySize)
	must(t, err)
	return Registration{
		Domain: domain.GUID, Account: accountA, Key: key, Signed: 1000,
		SignatureKey: testSets()[0].Signature.Public().DER(),
	}
}

func TestRegisterAccount(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	first := registration(t, domain)
	account, err := f.RegisterAccount(t.Context(), first)
	must(t, err)
	if _, err := f.Device(domain.GUID, accountA); !errors.Is(err, ErrDeviceNotFound) {
		t.Errorf("a user's account made a device: %v", err)
	}

	stolen := registration(t, domain)
	stolen.Signed, stolen.SignatureKey = 2000, testSets()[1].Signature.Public().DER()
	if _, err := f.RegisterAccount(t.Context(), stolen); !errors.Is(err, ErrOtherSignatureKey) {
		t.Errorf("another signature key: %v", err)
	}
	f.now = f.now.Add(time.Minute)
	renewed := registration(t, domain)
	renewed.Signed = 2000
	_, err = f.RegisterAccount(t.Context(), renewed)
	must(t, err)
	if _, err := f.RegisterAccount(t.Context(), first); !errors.Is(err, ErrOutdated) {
		t.Errorf("an old recording: %v", err)
	}
	f.reopen(t)
	key, err := f.AccountKey(domain.GUID, accountA)
	must(t, err)
	if !bytes.Equal(key.Bytes(), renewed.Key.Bytes()) {
		t.Error("the account does not have the key registered last")
	}
	after, err := f.Account(domain.GUID, accountA)
	must(t, err)
	if !after.Created.Equal(account.Created) || !after.LastSeen.Equal(f.now) {
		t.Errorf("created %v, seen %v; want %v, %v", after.Created, after.LastSeen, account.Created, f.now)
	}
}

func TestRegisterAccountRefuses(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	for _, c := range []struct {
		name string
		edit func(*Registration)
		want error
	}{
		{"no account", func(r *Registration) { r.Account = "" }, ErrInvalid},
		{"long account", func(r *Registration) { r.Account = strings.Repeat("a", maxClientGUID+1) }, ErrInvalid},
		{"control character", func(r *Registration) { r.Account = "a\nb" }, ErrInvalid},
		{"no key", func(r *Registration) { r.Key = keys.SharedKey{} }, ErrInvalid},
		{"no signature key", func(r *Registration) { r.SignatureKey = []byte("key") }, ErrInvalid},
		{"unknown domain", func(r *Registration) { r.Domain = strings.Repeat("x", 1000) }, ErrDomainNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg := registration(t, domain)
			c.edit(&reg)
			if _, err := f.RegisterAccount(t.Context(), reg); !errors.Is(err, c.want) {
				t.Errorf("error is %v, want %v", err, c.want)
			}
		})
	}
	if _, err := f.AccountKey(domain.GUID, accountA); !errors.Is(err, ErrAccountNotFound) {
		t.Errorf("unknown account: %v", err)
	}
	if _, err := f.AccountKey("nowhere", accountA); !errors.Is(err, ErrDomainNotFound) {
		t.Errorf("unknown domain: %v", err)
	}
}

// TestAccountsOfTwoDomains: the account GUID is unique within a domain only.
func TestAccountsOfTwoDomains(t *testing.T) {
	f := newFixture(t)
	a, b := registration(t, f.domain(t, "Alpha")), registration(t, f.domain(t, "Beta"))
	b.SignatureKey = testSets()[1].Signature.Public().DER()
	for _, reg := range []Registration{a, b} {
		_, err := f.RegisterAccount(t.Context(), reg)
		must(t, err)
	}
	for _, reg := range []Registration{a, b} {
		key, err := f.AccountKey(reg.Domain, accountA)
		must(t, err)
		if !key.Equal(reg.Key) {
			t.Error("an account has the key of another domain's")
		}
	}
}

func TestTouchAccount(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	_, err := f.RegisterAccount(t.Context(), registration(t, domain))
	must(t, err)
	start := f.now
	for _, c := range []struct {
		at   time.Duration
		seen time.Duration
	}{
		{time.Minute, 0},
		{seenInterval - 1, 0},
		{seenInterval, seenInterval},
		{seenInterval + time.Minute, seenInterval},
		{48 * time.Hour, 48 * time.Hour}, // a clock that was wrong
		{2 * time.Hour, 2 * time.Hour},   // and was set right
	} {
		f.now = start.Add(c.at)
		before := f.store.Snapshot().Sequence()
		must(t, f.TouchAccount(t.Context(), domain.GUID, accountA))
		account, err := f.Account(domain.GUID, accountA)
		must(t, err)
		if want := start.Add(c.seen); !account.LastSeen.Equal(want) {
			t.Errorf("touched after %v: last seen %v, want %v", c.at, account.LastSeen, want)
		}
		wrote := f.store.Snapshot().Sequence() != before
		if wrote != (c.at == c.seen) {
			t.Errorf("touched after %v: wrote the journal: %v", c.at, wrote)
		}
	}
	if err := f.TouchAccount(t.Context(), domain.GUID, "nobody"); !errors.Is(err, ErrAccountNotFound) {
		t.Errorf("unknown account: %v", err)
	}
}

func TestDeviceAccount(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	reg := registration(t, domain)
	reg.Device = true
	_, err := f.RegisterAccount(t.Context(), reg)
	must(t, err)
	device, err := f.Device(domain.GUID, accountA)
	must(t, err)
	if device.Status != DeviceNotManaged || device.Template != "" {
		t.Errorf("new device is %+v", device)
	}
	if len(f.Devices(domain.GUID)) != 1 || len(f.Devices(other.GUID)) != 0 {
		t.Errorf("devices %v and %v", f.Devices(domain.GUID), f.Devices(other.GUID))
	}
	objects, err := f.DeviceObjects(domain.GUID, accountA, nil)
	must(t, err)
	status := func(want DeviceStatus) {
		t.Helper()
		if device, err := f.Device(domain.GUID, accountA); err != nil || device.Status != want {
			t.Errorf("device is %v, %v, want %v", device.Status, err, want)
		}
	}
	must(t, f.InstalledOnDevice(t.Context(), domain.GUID, accountA, "another object"))
	must(t, f.InstalledOnDevice(t.Context(), domain.GUID, "nobody", objects[0].GUID))
	status(DeviceNotManaged)
	must(t, f.InstalledOnDevice(t.Context(), domain.GUID, accountA, objects[len(objects)-1].GUID))
	status(DeviceManaged)

	_, err = f.DeleteDevice(t.Context(), domain.GUID, accountA)
	must(t, err)
	reg.Signed++
	_, err = f.RegisterAccount(t.Context(), reg)
	must(t, err)
	must(t, f.InstalledOnDevice(t.Context(), domain.GUID, accountA, objects[0].GUID))
	status(DeviceDeleted)
	if _, err := f.DeleteDevice(t.Context(), domain.GUID, "nobody"); !errors.Is(err, ErrDeviceNotFound) {
		t.Errorf("unknown device: %v", err)
	}
}
