package directory

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

const (
	// maxAccounts bounds the accounts of the directory. CreateAccount needs no
	// proof of membership, so without a bound any peer could fill the memory
	// and the disk; this many cost about a hundred megabytes.
	maxAccounts = 100_000

	// seenInterval is how exactly the last contact of an account is kept.
	// Clients send a heartbeat every few hours (MS-GRVSPCM 3.2.5.3.2) and a
	// status request more often; not each is worth a write to the disk.
	seenInterval = time.Hour
)

// Account is a client account in one domain (MS-GRVSPCM 3.2.1).
type Account struct {
	Domain string `json:"domain"`
	GUID   string `json:"guid"`
	// SignatureKey is the DER form of the key that signed the account's
	// creation; it alone may replace the account's secret key.
	SignatureKey []byte    `json:"signatureKey"`
	Created      time.Time `json:"created"`
	// LastSeen is when the account's client last sent a heartbeat or asked for
	// managed objects, exact to an hour.
	LastSeen time.Time `json:"lastSeen"`
}

type accountRow struct {
	Account
	SealedKey []byte `json:"sealedKey"`
	// Signed is the created attribute of the event that set the key.
	Signed int64 `json:"signed"`
}

func accountKeyPurpose(domain, guid string) string { return "account key/" + domain + "/" + guid }

// Account returns an account of a domain, ErrDomainNotFound or
// ErrAccountNotFound.
func (d *Directory) Account(domain, guid string) (Account, error) {
	row, err := d.accountAt(d.store.Snapshot(), domain, guid)
	return row.Account, err
}

// AccountKey returns the secret key that secures an account's messages.
func (d *Directory) AccountKey(domain, guid string) (keys.SharedKey, error) {
	row, err := d.accountAt(d.store.Snapshot(), domain, guid)
	if err != nil {
		return keys.SharedKey{}, err
	}
	plain, err := d.vault.Open(accountKeyPurpose(domain, guid), row.SealedKey)
	if err != nil {
		return keys.SharedKey{}, fmt.Errorf("opening key of account %q: %w", guid, err)
	}
	key, err := keys.NewSharedKey(plain)
	if err != nil {
		return keys.SharedKey{}, fmt.Errorf("reading key of account %q: %w", guid, err)
	}
	return key, nil
}

func (d *Directory) accountAt(r state.Reader, domain, guid string) (accountRow, error) {
	if _, err := d.domainAt(r, domain); err != nil {
		return accountRow{}, err
	}
	row, ok := d.t.accounts.Get(r, joinKey(domain, guid))
	if !ok {
		return accountRow{}, fmt.Errorf("%w: %q", ErrAccountNotFound, guid)
	}
	return row, nil
}

// Registration is what an opened CreateAccount request says
// (MS-GRVSPCM 3.2.5.2.2). The request's signature has been verified with
// SignatureKey.
type Registration struct {
	Domain       string
	Account      string
	Key          keys.SharedKey
	SignatureKey []byte // DER
	Signed       int64  // the event's created attribute
	Device       bool   // the event's IsDeviceAccount
}

// RegisterAccount creates an account, and a device account if it is one.
//
// An account that exists gets the new key if the request is signed with the
// key that signed the first one, else ErrOtherSignatureKey: account GUIDs and
// domain certificates are known to many, and must not be enough to take an
// account over. A request made before the one that set the key is an old
// recording and fails with ErrOutdated.
func (d *Directory) RegisterAccount(ctx context.Context, reg Registration) (Account, error) {
	row, err := d.newAccount(reg)
	if err != nil {
		return Account{}, fmt.Errorf("registering account: %w", err)
	}
	err = d.store.Update(ctx, func(tx *state.Tx) error {
		if _, err := d.liveDomainAt(tx, reg.Domain); err != nil {
			return err
		}
		switch old, exists := d.t.accounts.Get(tx, joinKey(reg.Domain, reg.Account)); {
		case exists && !bytes.Equal(old.SignatureKey, reg.SignatureKey):
			return ErrOtherSignatureKey
		case exists && reg.Signed < old.Signed:
			return ErrOutdated
		case exists:
			row.Created = old.Created
		case d.t.accounts.Len(tx) >= maxAccounts:
			return ErrTooManyAccounts
		}
		if err := d.t.accounts.Put(tx, row); err != nil {
			return err
		}
		if !reg.Device {
			return nil
		}
		return d.addDevice(tx, reg.Domain, reg.Account, row.LastSeen)
	})
	if err != nil {
		return Account{}, fmt.Errorf("registering account %q: %w", reg.Account, err)
	}
	d.log.Info("account registered", "domain", reg.Domain, "account", reg.Account, "device", reg.Device)
	return row.Account, nil
}

func (d *Directory) newAccount(reg Registration) (accountRow, error) {
	if err := checkOpaque("accountGUID", reg.Account, maxClientGUID); err != nil {
		return accountRow{}, err
	}
	if reg.Key.IsZero() {
		return accountRow{}, &ValidationError{"key", "is missing"}
	}
	if _, err := keys.ParseRSAPublicKey(reg.SignatureKey); err != nil {
		return accountRow{}, &ValidationError{"signatureKey", "is not an RSA key: " + err.Error()}
	}
	// The domain is looked up before its GUID becomes part of a purpose, which
	// has a bounded length.
	if _, err := d.Domain(reg.Domain); err != nil {
		return accountRow{}, err
	}
	sealed, err := d.vault.Seal(accountKeyPurpose(reg.Domain, reg.Account), reg.Key.Bytes())
	if err != nil {
		return accountRow{}, err
	}
	now := d.now().UTC()
	return accountRow{
		Account: Account{
			Domain: reg.Domain, GUID: reg.Account, SignatureKey: reg.SignatureKey, Created: now, LastSeen: now,
		},
		SealedKey: sealed,
		Signed:    reg.Signed,
	}, nil
}

// TouchAccount records that an account was heard of. Most calls write nothing;
// see Account.LastSeen.
func (d *Directory) TouchAccount(ctx context.Context, domain, guid string) error {
	now := d.now().UTC()
	row, err := d.accountAt(d.store.Snapshot(), domain, guid)
	if err != nil || seenLately(row, now) {
		return err
	}
	err = d.store.Update(ctx, func(tx *state.Tx) error {
		row, err := d.accountAt(tx, domain, guid)
		if err != nil || seenLately(row, now) {
			return err
		}
		row.LastSeen = now
		return d.t.accounts.Put(tx, row)
	})
	if err != nil {
		return fmt.Errorf("recording contact of account %q: %w", guid, err)
	}
	return nil
}

// seenLately also gives up a time that a clock set back has left in the future.
func seenLately(row accountRow, now time.Time) bool {
	return now.Sub(row.LastSeen).Abs() < seenInterval
}
