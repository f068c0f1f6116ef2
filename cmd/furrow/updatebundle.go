package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"furrow/appliance/update"
)

type updateBundleCmd struct {
	Slot         string `required:"" help:"The slot's content, a squashfs." placeholder:"FILE" type:"existingfile"`
	Key          string `required:"" help:"Private key, PEM." placeholder:"FILE" type:"existingfile"`
	Release      string `required:"" help:"Name of the version." placeholder:"NAME"`
	Build        int64  `required:"" help:"Number that orders versions: the time of the commit, in seconds." placeholder:"N"`
	Replaces     int64  `help:"Lowest build that this one may replace." placeholder:"N"`
	Architecture string `required:"" enum:"amd64,arm64" help:"amd64 or arm64." placeholder:"ARCH"`
	Output       string `required:"" short:"o" help:"Where to write the bundle." placeholder:"FILE" type:"path"`
	Header       string `help:"Where to write its header by itself, for the boot partition of an image." placeholder:"FILE" type:"path"`
}

func (c *updateBundleCmd) Run(*session) (err error) {
	key, err := readSigningKey(c.Key)
	if err != nil {
		return err
	}
	slot, err := os.Open(c.Slot)
	if err != nil {
		return err
	}
	defer slot.Close() // only read from
	out, err := os.Create(c.Output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	manifest := update.Manifest{Version: c.Release, Build: c.Build, Replaces: c.Replaces, Architecture: c.Architecture}
	if err := update.WriteBundle(out, manifest, key, slot); err != nil {
		return err
	}
	if c.Header == "" {
		return nil
	}
	return copyHeader(out, c.Header, key)
}

// copyHeader writes what precedes the slot's content in a bundle to a file of its own.
func copyHeader(bundle io.ReadSeeker, path string, key ed25519.PrivateKey) error {
	if _, err := bundle.Seek(0, io.SeekStart); err != nil {
		return err
	}
	opened, err := update.OpenBundle(bundle, key.Public().(ed25519.PublicKey))
	if err != nil {
		return err
	}
	return os.WriteFile(path, opened.Header(), 0o644)
}

func readSigningKey(path string) (ed25519.PrivateKey, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, fmt.Errorf("key %s: not PEM", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key %s: %T, want one for Ed25519", path, parsed)
	}
	return key, nil
}

type updateKeyCmd struct {
	Private string `arg:"" help:"Where to keep the private key: off every box." type:"path"`
	Public  string `arg:"" help:"Where to write the public key: into the image." type:"path"`
}

func (c *updateKeyCmd) Run(*session) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("making the key: %w", err)
	}
	encodedPrivate, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	encodedPublic, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	if err := writeNew(c.Private, pemBlock("PRIVATE KEY", encodedPrivate)); err != nil {
		return err
	}
	return writeNew(c.Public, pemBlock("PUBLIC KEY", encodedPublic))
}

func pemBlock(kind string, der []byte) func(io.Writer) error {
	return func(w io.Writer) error { return pem.Encode(w, &pem.Block{Type: kind, Bytes: der}) }
}
