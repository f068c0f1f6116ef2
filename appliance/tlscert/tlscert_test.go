package tlscert

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// box is a keeper over a store in a folder, with a clock of its own.
type box struct {
	*Keeper
	dir string
	now time.Time
	log bytes.Buffer
}

func newBox(t *testing.T, names ...string) *box {
	t.Helper()
	b := &box{dir: t.TempDir(), now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	b.open(t, names...)
	t.Cleanup(func() { check(t, b.Store.Close()) })
	return b
}

func (b *box) open(t *testing.T, names ...string) {
	t.Helper()
	schema := state.NewSchema()
	tables := Declare(schema)
	store, _, err := state.Open(filepath.Join(b.dir, "state"), schema, state.Options{Logger: slog.New(slog.DiscardHandler)})
	check(t, err)
	vault, err := keys.OpenVault(b.dir)
	check(t, err)
	b.Keeper, err = Open(t.Context(), Config{
		Store: store, Tables: tables, Vault: vault, Names: names,
		Now: func() time.Time { return b.now }, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
	})
	check(t, err)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shown is the certificate that a client of the box sees, which it checks for name.
func shown(t *testing.T, k *Keeper, name string, now time.Time) *x509.Certificate {
	t.Helper()
	client, server := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- tls.Server(server, k.TLS()).Handshake() }()
	roots := x509.NewCertPool()
	k.mu.Lock()
	roots.AddCert(k.current.Leaf)
	k.mu.Unlock()
	c := tls.Client(client, &tls.Config{ServerName: name, RootCAs: roots, Time: func() time.Time { return now }})
	check(t, c.HandshakeContext(t.Context()))
	check(t, <-done)
	leaf := c.ConnectionState().PeerCertificates[0]
	check(t, errors.Join(client.Close(), server.Close()))
	return leaf
}

func TestSelfSignedServesItsNames(t *testing.T) {
	b := newBox(t, "groove.example.com", "192.0.2.7")
	for _, name := range []string{"groove.example.com", "192.0.2.7"} {
		shown(t, b.Keeper, name, b.now)
	}
	info := b.Info()
	if !info.SelfSigned || len(info.Names) != 2 || len(info.Fingerprint) != 64 || info.Until.Sub(b.now) != lifetime {
		t.Fatalf("%+v", info)
	}
}

func TestCertificateSurvivesRestart(t *testing.T) {
	b := newBox(t, "box")
	before := b.Info()
	check(t, b.Store.Close())
	b.open(t, "box")
	if b.Info().Fingerprint != before.Fingerprint {
		t.Fatal("a restart made another certificate")
	}
}

// Each cause of a renewal, with the key kept.
func TestRenewal(t *testing.T) {
	for name, test := range map[string]struct {
		later time.Duration
		names []string
		want  bool
	}{
		"nothing new":     {time.Hour, []string{"box"}, false},
		"a month left":    {lifetime - renewBefore + time.Hour, []string{"box"}, true},
		"long past":       {2 * lifetime, []string{"box"}, true},
		"clock set back":  {-48 * time.Hour, []string{"box"}, true},
		"another name":    {time.Hour, []string{"box", "box.example.com"}, true},
		"another address": {time.Hour, []string{"box", "192.0.2.1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, "box")
			before, key := b.Info(), b.current.PrivateKey.(*ecdsa.PrivateKey)
			b.now, b.Names = b.now.Add(test.later), test.names
			check(t, b.Renew(t.Context()))
			if got := b.Info().Fingerprint != before.Fingerprint; got != test.want {
				t.Fatalf("renewed: %v, want %v", got, test.want)
			}
			if !key.Equal(b.current.PrivateKey) {
				t.Fatal("the key has changed")
			}
			shown(t, b.Keeper, "box", b.now)
		})
	}
}

// issued makes a certificate that ends at notAfter, and its key, in PEM.
func issued(t *testing.T, notAfter time.Time) (chain, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	maker := &Keeper{Config: Config{Names: []string{"groove.example.com"}, Now: func() time.Time { return notAfter.Add(-lifetime) }}}
	maker.current, maker.own = &tls.Certificate{PrivateKey: private}, true
	made, err := maker.make()
	check(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	check(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestInstalledCertificateStays(t *testing.T) {
	b := newBox(t, "groove.example.com", "box")
	chain, key := issued(t, b.now.Add(90*24*time.Hour))
	info, err := b.Install(t.Context(), chain, key)
	check(t, err)
	if info.SelfSigned || info.Names[0] != "groove.example.com" {
		t.Fatalf("%+v", info)
	}
	b.now = b.now.Add(89 * 24 * time.Hour)
	check(t, b.Renew(t.Context()))
	check(t, b.Store.Close())
	b.open(t, "groove.example.com", "box")
	if b.Info().Fingerprint != info.Fingerprint || !bytes.Equal(b.PEM(), chain) {
		t.Fatal("an installed certificate was replaced")
	}

	// Its key belongs to the authority's certificate and is not the box's to go on with.
	installed := b.current.PrivateKey.(*ecdsa.PrivateKey)
	for range 2 {
		info, err = b.Remove(t.Context())
		check(t, err)
		if !info.SelfSigned || len(info.Names) != 2 || installed.Equal(b.current.PrivateKey) {
			t.Fatalf("after the removal: %+v", info)
		}
	}
	shown(t, b.Keeper, "box", b.now)
	check(t, b.Store.Close())
	b.open(t, "groove.example.com", "box")
	if b.Info().Fingerprint != info.Fingerprint {
		t.Fatal("the removed certificate is back")
	}
}

func TestInstallRefuses(t *testing.T) {
	b := newBox(t, "groove.example.com")
	before := b.Info()
	chain, key := issued(t, b.now.Add(time.Hour))
	old, oldKey := issued(t, b.now)
	for name, test := range map[string]struct{ chain, key []byte }{
		"nothing":     {nil, nil},
		"no key":      {chain, nil},
		"no chain":    {key, key},
		"another key": {chain, oldKey},
		"ended":       {old, oldKey},
		"too many":    {bytes.Repeat(chain, maxChain+1), key},
		"rubbish":     {[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), key},
	} {
		if _, err := b.Install(t.Context(), test.chain, test.key); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.Names = []string{"groove.example.net"}
	if _, err := b.Install(t.Context(), chain, key); !errors.Is(err, ErrRefused) {
		t.Errorf("for another host: %v", err)
	}
	if b.Info().Fingerprint != before.Fingerprint {
		t.Fatal("a refused certificate is in use")
	}
}

// What cannot be stored must not be shown: the next start would show another.
func TestInstallOnAClosedStore(t *testing.T) {
	b := newBox(t, "groove.example.com")
	before := b.Info()
	chain, key := issued(t, b.now.Add(time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Install(ctx, chain, key); err == nil {
		t.Fatal("stored without a store")
	}
	if b.Info().Fingerprint != before.Fingerprint {
		t.Fatal("what was not stored is in use")
	}
}

func TestKeyIsSealedAndNotLogged(t *testing.T) {
	b := newBox(t, "box")
	der, err := x509.MarshalPKCS8PrivateKey(b.current.PrivateKey)
	check(t, err)
	stored, _ := b.Tables.certificates.Get(b.Store.Snapshot(), rowKey)
	if bytes.Contains(stored.SealedKey, der) {
		t.Fatal("the key is stored in the clear")
	}
	if log, err := io.ReadAll(&b.log); err != nil || bytes.Contains(log, der) {
		t.Fatal("the key is in the log")
	}
}
