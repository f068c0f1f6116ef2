package registry

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"furrow/appliance/keys"
	"furrow/sstp/auth"
)

const (
	device1  = "dpp:///device1"
	device2  = "dpp:///device2"
	account1 = "grooveAccount://account1"
	account2 = "grooveAccount://account2"
	alice    = "grooveIdentity://alice@"
	bob      = "grooveIdentity://bob@"
)

func publicKeysOf(set int) auth.PublicKeys {
	return auth.NewPublicKeys(testSets()[set].Encryption.Public(), testSets()[set].Signature.Public())
}

func secretKey(t failer) keys.SharedKey {
	t.Helper()
	key, err := keys.GenerateSharedKey(auth.KeySize)
	must(t, err)
	return key
}

// registration is that of a device with a new account.
func registration(t failer, device, account, user string, identities ...string) auth.Registration {
	t.Helper()
	return auth.Registration{
		DeviceURL: device, DeviceKey: secretKey(t), DevicePublicKeys: publicKeysOf(0), AccountURL: account,
		NewAccount: &auth.NewAccount{Key: secretKey(t), PublicKeys: publicKeysOf(1), User: auth.HashUser(user), IdentityURLs: identities},
	}
}

func TestRegister(t *testing.T) {
	f := newFixture(t)
	f.manager(t, "A").build(t, "u", "v")
	first := registration(t, device1, account1, "U", alice)
	must(t, f.Register(first))
	must(t, f.Register(first)) // confirmed

	// The account on another device.
	second := auth.Registration{DeviceURL: device2, DeviceKey: secretKey(t), DevicePublicKeys: publicKeysOf(1), AccountURL: account1}
	must(t, f.Register(second))
	f.reopen(t)

	device, err := f.Device(device1)
	if err != nil || !device.Key.Equal(first.DeviceKey) || !slices.Equal(device.AccountURLs, []string{account1}) || device.LockedOut {
		t.Errorf("device %+v, %v", device, err)
	}
	account, err := f.Account(account1)
	if err != nil || !account.Key.Equal(first.NewAccount.Key) || account.LockedOut {
		t.Errorf("account %+v, %v", account, err)
	}
	if got := f.DevicesOf(account1); !slices.Equal(got, []string{device1, device2}) {
		t.Errorf("devices of the account: %v", got)
	}
	if got, ok := f.Identity(alice); !ok || got.AccountURL != account1 || got.LockedOut {
		t.Errorf("identity %+v, %v", got, ok)
	}
	// What is not there is zero and no error.
	if d, err := f.Device("dpp:///none"); err != nil || !d.Key.IsZero() || d.LockedOut {
		t.Errorf("unknown device: %+v, %v", d, err)
	}
	if a, err := f.Account("grooveAccount://none"); err != nil || !a.Key.IsZero() {
		t.Errorf("unknown account: %+v, %v", a, err)
	}
	if _, ok := f.Identity(bob); ok {
		t.Error("unknown identity is there")
	}
	if _, ok := f.LookupDevice("dpp:///none"); ok {
		t.Error("unknown device is there")
	}

	// A further identity.
	must(t, f.RegisterIdentity(auth.IdentityRegistration{AccountURL: account1, IdentityURL: bob, User: auth.HashUser("v")}))
	if got := f.IdentitiesOf(account1); len(got) != 2 || got[1].URL != bob {
		t.Errorf("identities %+v", got)
	}
}

// TestBound refuses other keys until an administrator clears the old ones, and
// then changes nothing.
func TestBound(t *testing.T) {
	f := newFixture(t)
	f.manager(t, "A").build(t, "u")
	first := registration(t, device1, account1, "u", alice)
	must(t, f.Register(first))
	for name, change := range map[string]func(*auth.Registration){
		"device key":         func(r *auth.Registration) { r.DeviceKey = secretKey(t) },
		"device public keys": func(r *auth.Registration) { r.DevicePublicKeys = publicKeysOf(1) },
		"account key": func(r *auth.Registration) {
			r.NewAccount = &auth.NewAccount{Key: secretKey(t), PublicKeys: publicKeysOf(1), User: auth.HashUser("u")}
		},
		"account public keys": func(r *auth.Registration) {
			r.NewAccount = &auth.NewAccount{Key: first.NewAccount.Key, PublicKeys: publicKeysOf(0), User: auth.HashUser("u")}
		},
		"identity of another account": func(r *auth.Registration) {
			*r = registration(t, device2, account2, "u", bob, alice)
		},
	} {
		other := first
		change(&other)
		if err := f.Register(other); !errors.Is(err, auth.ErrBound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := f.LookupDevice(device2); ok {
		t.Error("a refused registration left a device")
	}
	if _, ok := f.Identity(bob); ok {
		t.Error("a refused registration left an identity")
	}
	second := registration(t, device2, account2, "u")
	must(t, f.Register(second))
	if err := f.RegisterIdentity(auth.IdentityRegistration{AccountURL: account2, IdentityURL: alice, User: auth.HashUser("u")}); !errors.Is(err, auth.ErrBound) {
		t.Errorf("identity of another account: %v", err)
	}
	if err := f.RegisterIdentity(auth.IdentityRegistration{AccountURL: "grooveAccount://none", IdentityURL: bob}); !errors.Is(err, ErrAccountUnknown) {
		t.Errorf("identity of no account: %v", err)
	}
	if err := f.Register(auth.Registration{DeviceURL: device1, DeviceKey: first.DeviceKey, DevicePublicKeys: first.DevicePublicKeys, AccountURL: "grooveAccount://none"}); !errors.Is(err, ErrAccountUnknown) {
		t.Errorf("device of no account: %v", err)
	}

	must(t, f.ClearDevice(t.Context(), device1))
	if err := f.ClearDevice(t.Context(), device1); !errors.Is(err, ErrDeviceNotFound) {
		t.Errorf("cleared twice: %v", err)
	}
	first.DeviceKey = secretKey(t)
	must(t, f.Register(first))
	must(t, f.ClearAccount(t.Context(), account1))
	if err := f.ClearAccount(t.Context(), account1); !errors.Is(err, ErrAccountUnknown) {
		t.Errorf("cleared twice: %v", err)
	}
	if _, ok := f.LookupDevice(device1); ok {
		t.Error("a device without account is left")
	}
	must(t, f.Register(registration(t, device1, account1, "u", alice)))
	// A device with another account keeps that.
	must(t, f.Register(auth.Registration{DeviceURL: device2, DeviceKey: second.DeviceKey, DevicePublicKeys: second.DevicePublicKeys, AccountURL: account1}))
	must(t, f.ClearAccount(t.Context(), account1))
	if d, ok := f.LookupDevice(device2); !ok || !slices.Equal(d.AccountURLs, []string{account2}) {
		t.Errorf("device %+v, %v", d, ok)
	}
	if got := f.Devices(); len(got) != 1 {
		t.Errorf("devices %+v", got)
	}
}

// TestLockout follows accountModify to account, device and identity (MS-GRVSPMR
// 3.2.4.7).
func TestLockout(t *testing.T) {
	f := newFixture(t)
	a := f.manager(t, "A")
	a.build(t, "U", "V")
	must(t, f.Register(registration(t, device1, account1, "u", alice)))
	must(t, f.RegisterIdentity(auth.IdentityRegistration{AccountURL: account1, IdentityURL: bob, User: auth.HashUser("v")}))
	check := func(when string, device, account, aliceOut, bobOut bool) {
		t.Helper()
		d, err := f.Device(device1)
		must(t, err)
		quick, _ := f.LookupDevice(device1)
		acc, err := f.Account(account1)
		must(t, err)
		first, _ := f.Identity(alice)
		second, _ := f.Identity(bob)
		if d.LockedOut != device || quick.LockedOut != device || acc.LockedOut != account || f.AccountLockedOut(account1) != account ||
			first.LockedOut != aliceOut || second.LockedOut != bobOut {
			t.Errorf("%s: device %v %v, account %v, identities %v %v", when, d.LockedOut, quick.LockedOut, acc.LockedOut, first.LockedOut, second.LockedOut)
		}
	}
	check("at first", false, false, false, false)
	a.lock(t, "u", true)
	check("one of two", false, false, true, false)
	a.lock(t, "v", true)
	check("both", true, true, true, true)
	a.add(t, "u") // idempotent: does not enable
	check("added again", true, true, true, true)
	a.lock(t, "U", false)
	check("enabled again", false, false, false, true)
	must(t, f.RemoveManager(t.Context(), "A"))
	check("without the manager", true, true, true, true)
	if !f.AccountLockedOut("grooveAccount://none") {
		t.Error("an unknown account is not locked out")
	}
}

func TestUsersOfManagers(t *testing.T) {
	f := newFixture(t)
	a, b := f.manager(t, "A"), f.manager(t, "B")
	a.build(t, "u")
	b.build(t, "w")
	if _, err := f.AddUsers(t.Context(), b.request(), []string{"x", "U"}); !errors.Is(err, ErrUser) || f.enabled(t, "x") {
		t.Errorf("user of another manager announced: %v, x enabled %v", err, f.enabled(t, "x"))
	}
	if _, err := f.ModifyUsers(t.Context(), b.request(), []Lockout{{"u", true}}); !errors.Is(err, ErrUser) {
		t.Errorf("user of another manager locked: %v", err)
	}
	if _, err := f.Holdings("B", []string{"u"}); !errors.Is(err, ErrUser) {
		t.Errorf("user of another manager purged: %v", err)
	}
	if got := f.Users("A"); len(got) != 1 || got[0].ID != "u" || got[0].LockedOut {
		t.Errorf("users %+v", got)
	}
}

func TestHoldings(t *testing.T) {
	f := newFixture(t)
	f.manager(t, "A").build(t, "u", "v", "w")
	must(t, f.Register(registration(t, device1, account1, "u", alice)))
	must(t, f.RegisterIdentity(auth.IdentityRegistration{AccountURL: account1, IdentityURL: bob, User: auth.HashUser("v")}))
	for _, test := range []struct {
		users []string
		want  []Holding
	}{
		{[]string{"u"}, []Holding{{account1, []string{alice}, false}}},
		{[]string{"V"}, []Holding{{account1, []string{bob}, false}}},
		{[]string{"u", "v", "u"}, []Holding{{account1, []string{alice, bob}, true}}},
		{[]string{"w"}, nil},
		{[]string{"nobody"}, nil},
	} {
		got, err := f.Holdings("A", test.users)
		if err != nil || !slices.EqualFunc(got, test.want, func(a, b Holding) bool {
			return a.AccountURL == b.AccountURL && slices.Equal(a.IdentityURLs, b.IdentityURLs) && a.Devices == b.Devices
		}) {
			t.Errorf("holdings of %v: %+v, %v, want %+v", test.users, got, err, test.want)
		}
	}
}

// TestLimits fills what one enabled user can fill.
func TestLimits(t *testing.T) {
	f := newFixture(t)
	f.manager(t, "A").build(t, "u", "v")
	base := registration(t, device1, account1, "u")
	must(t, f.Register(base))
	fill := func(name string, limit int, one func(i int) error) {
		t.Helper()
		for i := 1; i < limit; i++ {
			if err := one(i); err != nil {
				t.Fatalf("%s: number %d: %v", name, i+1, err)
			}
		}
		if err := one(limit); !errors.Is(err, ErrTooMany) {
			t.Errorf("%s: number %d: %v", name, limit+1, err)
		}
	}
	fill("devices of an account", maxDevicesOfAccount, func(i int) error {
		return f.Register(auth.Registration{
			DeviceURL: fmt.Sprintf("dpp:///many%d", i), DeviceKey: base.DeviceKey, DevicePublicKeys: base.DevicePublicKeys, AccountURL: account1,
		})
	})
	fill("accounts of a user", maxAccountsOfUser, func(i int) error {
		r := base
		r.DeviceURL, r.AccountURL = fmt.Sprintf("dpp:///own%d", i), fmt.Sprintf("grooveAccount://own%d", i)
		return f.Register(r)
	})
	fill("identities of an account", maxIdentitiesOfAccount+1, func(i int) error {
		return f.RegisterIdentity(auth.IdentityRegistration{
			AccountURL: account1, IdentityURL: fmt.Sprintf("grooveIdentity://many%d@", i), User: auth.HashUser("u"),
		})
	})
	fill("accounts on a device", maxAccountsOnDevice, func(i int) error {
		return f.Register(auth.Registration{
			DeviceURL: device1, DeviceKey: base.DeviceKey, DevicePublicKeys: base.DevicePublicKeys, AccountURL: fmt.Sprintf("grooveAccount://v%d", i),
			NewAccount: &auth.NewAccount{Key: base.NewAccount.Key, PublicKeys: base.NewAccount.PublicKeys, User: auth.HashUser(map[bool]string{true: "v", false: "w"}[i < 10])},
		})
	})
}

func TestWatch(t *testing.T) {
	f := newFixture(t)
	a := f.manager(t, "A")
	changes, stop := f.Watch()
	woken := func() bool {
		select {
		case <-changes:
			return true
		default:
			return false
		}
	}
	if woken() {
		t.Error("woken by nothing")
	}
	for name, change := range map[string]func(){
		"build":        func() { a.build(t, "u") },
		"lockout":      func() { a.lock(t, "u", true) },
		"registration": func() { must(t, f.Register(registration(t, device1, account1, "u"))) },
		"clearing":     func() { must(t, f.ClearAccount(t.Context(), account1)) },
	} {
		if name == "clearing" {
			if _, ok := f.LookupDevice(device1); !ok {
				must(t, f.Register(registration(t, device1, account1, "u")))
				woken()
			}
		}
		if name == "lockout" {
			a.build(t, "u")
			woken()
		}
		change()
		if !woken() || woken() {
			t.Errorf("%s: not woken once", name)
		}
	}
	stop()
	a.inactive(t, true)
	if woken() {
		t.Error("woken after it has ended")
	}
}
