package backup

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// manifestName is the last file of the archive. No file of a data directory has this name.
const manifestName = "backup-manifest.json"

// Manifest says what a backup is made of.
type Manifest struct {
	// Made is when the backup began: everything acknowledged before is in it.
	Made time.Time `json:"made"`
	// Version is that of the box that made it.
	Version string `json:"version"`
	// Sequence is the number of the last change of the state in it.
	Sequence uint64 `json:"sequence"`
	Files    []File `json:"files"`
}

// File is a file of the data directory.
type File struct {
	Name   string `json:"name"` // with slashes, in the data directory
	Size   int64  `json:"size"` // in octets
	SHA256 string `json:"sha256"`
}

// Size is the length of all files, in octets.
func (m Manifest) Size() int64 {
	var sum int64
	for _, f := range m.Files {
		sum += f.Size
	}
	return sum
}

// maxManifest bounds a manifest: a million files, more than a box has.
const maxManifest = 256 << 20

func readManifest(r io.Reader) (m Manifest, err error) {
	d := json.NewDecoder(io.LimitReader(r, maxManifest))
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%w: its manifest: %w", ErrDamaged, err)
	}
	return m, nil
}

// checkEntry accepts regular files in the data directory or in a folder in it.
func checkEntry(h *tar.Header) error {
	name := h.Name
	if h.Typeflag != tar.TypeReg || !filepath.IsLocal(name) || filepath.Clean(name) != name ||
		strings.Count(name, "/") > 1 || strings.ContainsAny(name, "\x00\\") || len(name) > 512 {
		return fmt.Errorf("%w: it holds %.512q", ErrDamaged, name)
	}
	return nil
}
