package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// The folder vendor has what make assets brought, and is empty but for a note otherwise.
//
//go:embed all:assets
var assetFiles embed.FS

// asset is a file that browsers load.
type asset struct {
	content []byte
	version string // changes with the content
}

// assets are the files that browsers load, by path below /assets/.
type assets map[string]asset

func loadAssets() (assets, error) {
	all := assets{}
	err := fs.WalkDir(assetFiles, "assets", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := assetFiles.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		all[strings.TrimPrefix(path, "assets/")] = asset{content, hex.EncodeToString(sum[:6])}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("files of the pages: %w", err)
	}
	return all, nil
}

func (a assets) has(name string) bool {
	_, ok := a[name]
	return ok
}

// path is where a browser finds a file; it changes with the content, so that the file may be kept for good.
func (a assets) path(name string) (string, error) {
	if !a.has(name) {
		return "", fmt.Errorf("there is no file %q for browsers", name)
	}
	return "/assets/" + name + "?v=" + a[name].version, nil
}

// ServeHTTP sends a file.
func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	file, ok := a[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.URL.Query().Get("v") == file.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.content))
}
