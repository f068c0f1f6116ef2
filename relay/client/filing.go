package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/google/renameio/v2"
)

const (
	// maxNames is how many names are tried for a file whose name is taken.
	maxNames = 10000
	// maxSuffix is room for the number and the extension that keep a name apart.
	maxSuffix = 40
	// maxExtension is the longest extension that is kept as one.
	maxExtension = maxSuffix / 2
)

// contentError says that the content of a parcel is not what its header says.
type contentError struct{ text string }

func (e *contentError) Error() string { return e.text }

// store writes the content to a hidden file and gives that its name when it is
// whole and on the disk.
func (b *Inbox) store(p *Parcel, content io.Reader) (_ Receipt, err error) {
	part, err := os.CreateTemp(b.folder, partPattern)
	if err != nil {
		return Receipt{}, err
	}
	defer func() {
		err = errors.Join(err, os.Remove(part.Name()), part.Close())
	}()
	if err := lock(part); err != nil {
		return Receipt{}, fmt.Errorf("locking %s: %w", part.Name(), err)
	}
	if err := b.copyContent(part, content, p); err != nil {
		return Receipt{}, err
	}
	if err := part.Sync(); err != nil {
		return Receipt{}, err
	}
	b.naming.Lock()
	defer b.naming.Unlock()
	// The same parcel may have come on another connection meanwhile.
	if path, done := b.find(p); done {
		return Receipt{Parcel: *p, Path: path, Duplicate: true}, nil
	}
	path, err := b.name(p, part.Name())
	if err != nil {
		return Receipt{}, err
	}
	err = errors.Join(syncFolder(b.folder), b.remember(p, record{Path: path, Stored: true}))
	return Receipt{Parcel: *p, Path: path}, err
}

// copyContent writes the content and checks it.
func (b *Inbox) copyContent(w io.Writer, content io.Reader, p *Parcel) error {
	digest := sha256.New()
	sink := &meter{w: io.MultiWriter(w, digest), progress: func(received int64) { b.options.Progress(p, received) }}
	size, err := io.Copy(sink, io.LimitReader(content, p.Size))
	if err != nil {
		return err
	}
	more, err := io.Copy(io.Discard, content) // reads to the end of the message
	switch {
	case err != nil:
		return err
	case size+more != p.Size:
		return &contentError{fmt.Sprintf("%d octets instead of %d", size+more, p.Size)}
	case !bytes.Equal(digest.Sum(nil), p.SHA256[:]):
		return &contentError{"the SHA-256 is another"}
	}
	return nil
}

// name gives a file its name: that of the parcel, or one with a number if it is
// taken. The record comes before, so that the file is found by whoever gets the
// parcel again.
func (b *Inbox) name(p *Parcel, part string) (string, error) {
	base := SafeName(p.Name)
	stem, extension := splitName(base)
	for i := range maxNames {
		path := filepath.Join(b.folder, base)
		if i > 0 {
			path = filepath.Join(b.folder, fmt.Sprintf("%s (%d)%s", stem, i+1, extension))
		}
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		if err := b.remember(p, record{Path: path}); err != nil {
			return "", err
		}
		if err := os.Link(part, path); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
	return "", fmt.Errorf("%d files have that name", maxNames)
}

func (b *Inbox) remember(p *Parcel, r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(b.record(p), data, 0o600); err != nil {
		return fmt.Errorf("remembering the parcel: %w", err)
	}
	return syncFolder(b.options.Records)
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// SafeName makes the name of a file, fit for display too, of what a stranger has sent: no folders, no
// characters that do things to terminals, not hidden, and short enough.
func SafeName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, name)
	if strings.HasPrefix(name, ".") || strings.TrimSpace(name) == "" {
		name = "_" + name
	}
	if stem, extension := splitName(name); len(name) > maxName-maxSuffix {
		name = strings.ToValidUTF8(stem[:maxName-maxSuffix-len(extension)], "") + extension
	}
	return name
}

func splitName(name string) (stem, extension string) {
	if extension = filepath.Ext(name); len(extension) > maxExtension {
		extension = ""
	}
	return strings.TrimSuffix(name, extension), extension
}
