package update

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
)

const (
	// formatNumber is raised when an older box could not use what a manifest says.
	formatNumber = 1
	// MaxSlotSize bounds a slot's content, in octets: that of the partition (image/layout).
	MaxSlotSize = 384 << 20
	// maxVersionLen bounds a version's name, in octets; git describe makes 50 at the most.
	maxVersionLen = 100
	// signatureContext keeps a signature of a manifest from being one of anything else.
	signatureContext = "furrow update manifest 1\x00"
)

var (
	// ErrSignature is returned for a bundle that is not signed by the key this box trusts, or was changed after that.
	ErrSignature = errors.New("not signed by the key that this box trusts")
	// ErrOlder is returned for a bundle that is older than the running system, or as old.
	ErrOlder = errors.New("not newer than the running system")
	// ErrTakenBack is returned for a version that has been tried and was not healthy.
	ErrTakenBack = errors.New("it was tried, and taken back")
	// ErrNotForThisBox is returned for a bundle of another architecture, or one that needs a step in between.
	ErrNotForThisBox = errors.New("not for this box")
)

// Manifest says what a bundle holds.
type Manifest struct {
	Format int `json:"format"`
	// Version is for people to read.
	Version string `json:"version"`
	// Build orders versions: the time of the commit, in seconds since 1970.
	Build int64 `json:"build"`
	// Replaces is the lowest Build that this version may replace: older ones cannot hand over to it.
	Replaces int64 `json:"replaces"`
	// Architecture is amd64 or arm64.
	Architecture string `json:"architecture"`
	// Size is that of the slot's content, in octets.
	Size int64 `json:"size"`
	// SHA256 is the hash of the slot's content, in hexadecimal.
	SHA256 string `json:"sha256"`
}

// check is for what a signer could have got wrong; the signature has been checked.
func (m Manifest) check() error {
	digest, err := hex.DecodeString(m.SHA256)
	switch {
	case m.Format != formatNumber:
		return fmt.Errorf("manifest of format %d: %w", m.Format, ErrNotForThisBox)
	case m.Version == "" || len(m.Version) > maxVersionLen:
		return fmt.Errorf("manifest with a version of %d octets, want 1 to %d", len(m.Version), maxVersionLen)
	case m.Size <= 0 || m.Size > MaxSlotSize:
		return fmt.Errorf("manifest of a slot of %d octets, want 1 to %d", m.Size, MaxSlotSize)
	case err != nil || len(digest) != 32:
		return errors.New("manifest without a SHA-256")
	}
	return nil
}

// sign returns the manifest as the octets that are signed, and their signature.
func (m Manifest) sign(key ed25519.PrivateKey) (encoded, signature []byte, err error) {
	if err := m.check(); err != nil {
		return nil, nil, err
	}
	if encoded, err = json.Marshal(m); err != nil {
		return nil, nil, fmt.Errorf("encoding the manifest: %w", err)
	}
	return encoded, ed25519.Sign(key, append([]byte(signatureContext), encoded...)), nil
}

// parseManifest trusts nothing of what it is given before the signature is found good.
func parseManifest(encoded, signature []byte, key ed25519.PublicKey) (Manifest, error) {
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, append([]byte(signatureContext), encoded...), signature) {
		return Manifest{}, ErrSignature
	}
	var m Manifest
	if err := json.Unmarshal(encoded, &m); err != nil {
		return Manifest{}, fmt.Errorf("reading the manifest: %w", err)
	}
	return m, m.check()
}

// Release is what a running system says of itself.
type Release struct {
	Version string `json:"version"`
	Build   int64  `json:"build"` // 0: not known, any bundle is newer
}

// admit says whether a bundle may replace the running system.
func (m Manifest) admit(running Release, allowOlder bool) error {
	switch {
	case m.Architecture != runtime.GOARCH:
		return fmt.Errorf("version %s is for %s, and this box is %s: %w", m.Version, m.Architecture, runtime.GOARCH, ErrNotForThisBox)
	case running.Build < m.Replaces:
		return fmt.Errorf("version %s cannot replace %s directly; install a version between them first: %w",
			m.Version, running.Version, ErrNotForThisBox)
	case m.Build <= running.Build && !allowOlder:
		return fmt.Errorf("version %s: %w (%s)", m.Version, ErrOlder, running.Version)
	}
	return nil
}
