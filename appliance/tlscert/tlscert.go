// Package tlscert is the certificate by which the box is known over TLS: to administrators' browsers and to clients
// that log in. It has nothing to do with the certificates of the published protocols, which are in package keys.
//
// A box starts with a certificate signed by itself, made for the names it is reached by, and makes the next one before
// the old one ends; the key stays, so that whoever has come to trust it is not asked again. An administrator may
// install a certificate from an authority instead; that one is never replaced by the box.
package tlscert

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

const (
	// purpose is what the private key is sealed for.
	purpose = "tls certificate key"
	// rowKey is the key of the one row.
	rowKey = "server"
)

// row is the certificate in use.
type row struct {
	Chain      [][]byte `json:"chain"` // DER, the server's first
	SealedKey  []byte   `json:"sealedKey"`
	SelfSigned bool     `json:"selfSigned"` // made by the box, which renews it
}

// Tables are the package's tables in a store's schema.
type Tables struct{ certificates *state.Table[row] }

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	return &Tables{state.Define(s, "tlsCertificates", state.TableOptions[row]{
		Version: 1, Key: func(row) string { return rowKey },
	})}
}

// Config is what a Keeper works with.
type Config struct {
	Store  *state.Store
	Tables *Tables // declared in the schema Store was opened with
	Vault  *keys.Vault
	// Names are the host names and IP addresses a certificate of the box is made for, the first one its subject.
	Names []string
	Now   func() time.Time
	Log   *slog.Logger
}

// Keeper holds the certificate in use. It is safe for concurrent use and has nothing to close.
type Keeper struct {
	Config

	mu      sync.Mutex
	current *tls.Certificate // guarded by mu; its Leaf is set
	own     bool             // guarded by mu: made by the box
}

// Open loads the certificate or makes the first one.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	k := &Keeper{Config: c}
	stored, ok := c.Tables.certificates.Get(c.Store.Snapshot(), rowKey)
	if ok {
		certificate, err := k.unseal(stored)
		if err != nil {
			return nil, fmt.Errorf("TLS certificate: %w", err)
		}
		k.current, k.own = certificate, stored.SelfSigned
	}
	return k, k.Renew(ctx)
}

func (k *Keeper) unseal(r row) (*tls.Certificate, error) {
	der, err := k.Vault.Open(purpose, r.SealedKey)
	if err != nil {
		return nil, fmt.Errorf("opening its key: %w", err)
	}
	return pair(r.Chain, der)
}

// Renew makes a new certificate if the box makes its own and there is none, it soon ends, it is not valid yet (a clock
// was set back), or the names have changed. Otherwise it does nothing. Run calls it daily. While the state is
// read-only after damage, a new certificate lives in memory only.
func (k *Keeper) Renew(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != nil && (!k.own || k.serves(k.current.Leaf)) {
		return nil
	}
	certificate, err := k.make()
	if err != nil {
		return fmt.Errorf("making a TLS certificate: %w", err)
	}
	err = k.store(ctx, certificate, true)
	if errors.Is(err, state.ErrRecovery) {
		k.current, k.own, err = certificate, true, nil // serves until the restored state is accepted
	}
	if err != nil {
		return fmt.Errorf("making a TLS certificate: %w", err)
	}
	k.Log.Info("TLS certificate made", "names", k.Names, "until", certificate.Leaf.NotAfter)
	return nil
}

// serves says whether a certificate of the box will do for some time.
func (k *Keeper) serves(leaf *x509.Certificate) bool {
	now := k.Now()
	if now.Before(leaf.NotBefore) || leaf.NotAfter.Sub(now) < renewBefore {
		return false
	}
	for _, name := range k.Names {
		if leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

// Install puts a certificate from an authority in place of the present one: chain and key in PEM. What does not fit
// together, or has ended, is refused with an error for a person, and nothing changes.
func (k *Keeper) Install(ctx context.Context, chainPEM, keyPEM []byte) (Info, error) {
	certificate, err := parsePEM(chainPEM, keyPEM)
	if err != nil {
		return Info{}, err
	}
	if now := k.Now(); !now.Before(certificate.Leaf.NotAfter) {
		return Info{}, refusal("the certificate ended on %s", certificate.Leaf.NotAfter.Format(time.DateOnly))
	}
	if name := k.Names[0]; certificate.Leaf.VerifyHostname(name) != nil {
		return Info{}, refusal("the certificate is for %s, not for %s, which is what this box is called",
			strings.Join(namesOf(certificate.Leaf), ", "), name)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.store(ctx, certificate, false); err != nil {
		return Info{}, fmt.Errorf("installing a TLS certificate: %w", err)
	}
	k.Log.Info("TLS certificate installed", "subject", certificate.Leaf.Subject, "until", certificate.Leaf.NotAfter)
	return k.info(), nil
}

// Remove puts a certificate that the box makes, with a key of its own, in place of an installed one. It does nothing if
// there is none.
func (k *Keeper) Remove(ctx context.Context) (Info, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.own {
		return k.info(), nil
	}
	certificate, err := k.make()
	if err == nil {
		err = k.store(ctx, certificate, true)
	}
	if err != nil {
		return Info{}, fmt.Errorf("making a TLS certificate: %w", err)
	}
	k.Log.Info("installed TLS certificate removed", "names", k.Names, "until", certificate.Leaf.NotAfter)
	return k.info(), nil
}

// PEM is the chain in use, the box's own certificate first.
func (k *Keeper) PEM() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	var chain []byte
	for _, der := range k.current.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: der})...)
	}
	return chain
}

// store makes certificate the present one when it is on the disk. k.mu is held.
func (k *Keeper) store(ctx context.Context, certificate *tls.Certificate, own bool) error {
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		return err
	}
	sealed, err := k.Vault.Seal(purpose, der)
	if err != nil {
		return err
	}
	if err := k.Store.Update(ctx, func(tx *state.Tx) error {
		return k.Tables.certificates.Put(tx, row{Chain: certificate.Certificate, SealedKey: sealed, SelfSigned: own})
	}); err != nil {
		return err
	}
	k.current, k.own = certificate, own
	return nil
}

// TLS is the configuration of a server that shows the certificate in use, whichever that is at the time.
func (k *Keeper) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			return k.current, nil
		},
	}
}

// Run renews the certificate in time until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	ticker := time.NewTicker(renewInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := k.Renew(ctx); err != nil {
				k.Log.Error("TLS certificate not renewed", "error", err)
			}
		}
	}
}

// Info describes a certificate for a person.
type Info struct {
	Subject string
	Issuer  string
	Names   []string // host names and addresses it is for
	From    time.Time
	Until   time.Time
	// SelfSigned certificates are made, and renewed, by the box.
	SelfSigned bool
	// Fingerprint is the SHA-256 of the certificate in hexadecimal, to compare with what a browser shows.
	Fingerprint string
}

// Info describes the certificate in use.
func (k *Keeper) Info() Info {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.info()
}

func (k *Keeper) info() Info {
	leaf := k.current.Leaf
	sum := sha256.Sum256(leaf.Raw)
	return Info{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), Names: namesOf(leaf), From: leaf.NotBefore,
		Until: leaf.NotAfter, SelfSigned: k.own, Fingerprint: hex.EncodeToString(sum[:]),
	}
}

// namesOf are the host names and addresses that a certificate is for.
func namesOf(leaf *x509.Certificate) []string {
	names := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}
