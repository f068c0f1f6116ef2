// Package logins is the box's own password file, for offices without a directory server: a text file with a line
// login:hash for each person, the hash being Argon2id. Lines that are empty or begin with # are left alone by hand and
// lost when a command rewrites the file.
//
// The file is read for each password that is checked, so a change counts at once. It is rewritten as a whole, under a
// lock and durably: after a power cut it is the old or the new one.
package logins

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/renameio/v2"

	"furrow/appliance/disk"
	"furrow/appliance/passhash"
	"furrow/gms/signin"
)

const (
	// FileName is the file in the data directory.
	FileName = "logins"
	// maxFile bounds the file, in octets: 20,000 people.
	maxFile = 4 << 20
	// maxLogin bounds a login name, in octets, as the directory does.
	maxLogin = 256
	// MinPassword and MaxPassword bound a password, in octets.
	MinPassword = 8
	MaxPassword = 1024
	// maxHashing bounds the passwords that are hashed at once, for each of which memory and a core are used up.
	maxHashing = 2
)

// ErrInvalid is wrapped by refusals of login names and passwords, whose text is for a person.
var ErrInvalid = errors.New("invalid")

// File is a password file. It is a [signin.Passwords].
type File struct {
	path    string
	hashing chan struct{} // holds a token for each password that is hashed
}

// Open returns the file at a path, which need not exist.
func Open(path string) *File {
	return &File{path: path, hashing: make(chan struct{}, maxHashing)}
}

// entry is one line.
type entry struct {
	login string
	hash  passhash.Hash
}

// fold is how login names are compared, as the directory does.
func fold(login string) string { return strings.ToLower(strings.ToUpper(login)) }

// read returns the entries of the file, none if there is no file.
func (f *File) read() ([]entry, error) {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("password file: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("password file %s: %d octets, at most %d are allowed", f.path, info.Size(), maxFile)
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return nil, fmt.Errorf("password file: %w", err)
	}
	entries, err := parse(string(data))
	if err != nil {
		return nil, fmt.Errorf("password file %s, %w", f.path, err)
	}
	return entries, nil
}

// parse reads the text of a file. An error begins with the number of the line.
func parse(text string) ([]entry, error) {
	var entries []entry
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		login, rest, _ := strings.Cut(line, ":")
		h, err := passhash.Parse(rest)
		if err == nil {
			err = checkLogin(login)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		entries = append(entries, entry{login, h})
	}
	return entries, nil
}

// Ready implements [signin.Passwords]. A file that cannot be read is ready: [File.Check] will say why it is not.
func (f *File) Ready() bool {
	info, err := os.Stat(f.path)
	return err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// Check implements [signin.Passwords].
func (f *File) Check(ctx context.Context, login, password string) error {
	entries, err := f.read()
	if err != nil {
		return err
	}
	select {
	case f.hashing <- struct{}{}:
		defer func() { <-f.hashing }()
	case <-ctx.Done():
		return fmt.Errorf("checking a password: %w", ctx.Err())
	}
	i := find(entries, login)
	if i < 0 {
		passhash.Pretend(password) // takes as long as for a login name that is there
		return signin.ErrUnknown
	}
	if !entries[i].hash.Matches(password) {
		return fmt.Errorf("%w: wrong password", signin.ErrRefused)
	}
	return nil
}

func find(entries []entry, login string) int {
	return slices.IndexFunc(entries, func(e entry) bool { return fold(e.login) == fold(login) })
}

// Set gives a login name a password; created is whether it is new.
func (f *File) Set(login, password string) (created bool, err error) {
	if err := checkLogin(login); err != nil {
		return false, err
	}
	if len(password) < MinPassword || len(password) > MaxPassword {
		return false, fmt.Errorf("%w password: it has %d octets, want %d to %d", ErrInvalid, len(password), MinPassword, MaxPassword)
	}
	fresh := entry{login, passhash.New(password)}
	err = f.change(func(entries []entry) ([]entry, error) {
		i := find(entries, login)
		if created = i < 0; created {
			return append(entries, fresh), nil
		}
		entries[i] = fresh
		return entries, nil
	})
	return created, err
}

// Remove takes a login name out. One that is not there is [signin.ErrUnknown].
func (f *File) Remove(login string) error {
	return f.change(func(entries []entry) ([]entry, error) {
		i := find(entries, login)
		if i < 0 {
			return nil, fmt.Errorf("%w: %q", signin.ErrUnknown, login)
		}
		return slices.Delete(entries, i, i+1), nil
	})
}

// List returns the login names, in order.
func (f *File) List() ([]string, error) {
	entries, err := f.read()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.login
	}
	slices.Sort(names)
	return names, nil
}

// change rewrites the file. The folder is locked meanwhile, so that of two commands none is lost.
func (f *File) change(edit func([]entry) ([]entry, error)) error {
	return disk.Locked(filepath.Dir(f.path), func() error {
		entries, err := f.read()
		if err != nil {
			return err
		}
		if entries, err = edit(entries); err != nil {
			return err
		}
		return f.write(entries)
	})
}

func (f *File) write(entries []entry) error {
	var text strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&text, "%s:%s\n", e.login, e.hash)
	}
	if text.Len() > maxFile {
		return fmt.Errorf("%w login: the password file is full", ErrInvalid)
	}
	if err := renameio.WriteFile(f.path, []byte(text.String()), disk.FileMode, renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("writing the password file: %w", err)
	}
	return disk.OS{}.SyncDir(filepath.Dir(f.path))
}

// checkLogin refuses login names that a line or Basic (RFC 7617 2) cannot hold.
func checkLogin(login string) error {
	if login == "" || len(login) > maxLogin || !utf8.ValidString(login) || strings.TrimSpace(login) != login ||
		login[0] == '#' || strings.ContainsFunc(login, func(r rune) bool { return r == ':' || unicode.IsControl(r) }) {
		return fmt.Errorf("%w login: %.100q; want 1 to %d octets without colon, control characters or space at an end", ErrInvalid, login, maxLogin)
	}
	return nil
}
