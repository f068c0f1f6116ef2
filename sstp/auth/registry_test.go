package auth

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"furrow/appliance/keys"
)

// ledger is a Registry in memory.
type ledger struct {
	devices    map[string]DeviceRecord
	accounts   map[string]AccountRecord
	identities map[string]string // to account
	users      map[UserHash]bool
	broken     error // what everything answers, if set
	unwritable error // what Register and RegisterIdentity answer, if set
	last       Registration
}

func newLedger() *ledger {
	return &ledger{
		devices:    map[string]DeviceRecord{},
		accounts:   map[string]AccountRecord{},
		identities: map[string]string{},
		users:      map[UserHash]bool{HashUser(userToken): true},
	}
}

func (l *ledger) Device(url string) (DeviceRecord, error)   { return l.devices[url], l.broken }
func (l *ledger) Account(url string) (AccountRecord, error) { return l.accounts[url], l.broken }
func (l *ledger) UserEnabled(user UserHash) (bool, error)   { return l.users[user], l.broken }

func (l *ledger) Register(r Registration) error {
	if l.unwritable != nil {
		return l.unwritable
	}
	device, account := l.devices[r.DeviceURL], l.accounts[r.AccountURL]
	if !device.Key.IsZero() && !device.Key.Equal(r.DeviceKey) {
		return ErrBound
	}
	if r.NewAccount != nil {
		if !account.Key.IsZero() && !account.Key.Equal(r.NewAccount.Key) {
			return ErrBound
		}
		account.Key = r.NewAccount.Key
		for _, url := range r.NewAccount.IdentityURLs {
			l.identities[url] = r.AccountURL
		}
	}
	device.Key = r.DeviceKey
	if !slices.Contains(device.AccountURLs, r.AccountURL) {
		device.AccountURLs = append(device.AccountURLs, r.AccountURL)
	}
	l.devices[r.DeviceURL], l.accounts[r.AccountURL] = device, account
	l.last = r
	return nil
}

func (l *ledger) RegisterIdentity(r IdentityRegistration) error {
	if l.unwritable != nil {
		return l.unwritable
	}
	if owner, known := l.identities[r.IdentityURL]; known && owner != r.AccountURL {
		return ErrBound
	}
	l.identities[r.IdentityURL] = r.AccountURL
	return nil
}

func (l *ledger) lockDevice(url string) {
	d := l.devices[url]
	d.LockedOut = true
	l.devices[url] = d
}

func (l *ledger) lockAccount(url string) {
	a := l.accounts[url]
	a.LockedOut = true
	l.accounts[url] = a
}

const (
	userToken   = "9557EB24-5779-4635-BA83-4C4AD001B4F1"
	deviceURL   = "dpp:///7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i"
	accountURL  = "grooveAccount://kpai3fgqwdui5c332cmx3532gqenqe9i7ymdzsh"
	identityURL = "grooveIdentity://abcdefghijkmnpqrstuvwxyz23456789@"
	relayURL    = "grooveDNS://relay.example"
)

var errBroken = errors.New("broken")

// rsaKeys are made once: that takes most of a second each.
var rsaKeys = sync.OnceValues(func() (made [3]*keys.RSAPrivateKey, err error) {
	for i := range made {
		if made[i], err = keys.GenerateRSAKey(); err != nil {
			return made, err
		}
	}
	return made, nil
})

func rsaKey(t testing.TB, i int) *keys.RSAPrivateKey {
	t.Helper()
	made, err := rsaKeys()
	if err != nil {
		t.Fatal(err)
	}
	return made[i]
}

func relayKey(t testing.TB) *keys.RSAPrivateKey { t.Helper(); return rsaKey(t, 0) }

func sharedKey(t testing.TB, size int) keys.SharedKey {
	t.Helper()
	key, err := keys.GenerateSharedKey(size)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newPrincipal has a fresh secret key; its other keys are those of i.
func newPrincipal(t testing.TB, url string, i int) Principal {
	t.Helper()
	return Principal{
		URL:        url,
		Key:        sharedKey(t, KeySize),
		Signature:  rsaKey(t, i),
		Encryption: rsaKey(t, i).Public(),
	}
}
