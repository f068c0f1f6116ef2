package client

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"furrow/gms/soap/spcm"
)

// contactsDir is the folder of other people's contacts in a home folder.
const contactsDir = "contacts"

// KnownContact is what somebody's identity publishes of itself, on one device.
type KnownContact struct {
	FullName, Email string // as the vCard says; empty if it does not
	*spcm.Contact
}

// Contact is what the profile's own identity publishes of itself, for others to
// keep: how to reach it, and who it is (MS-GRVSPCM 2.2.2.2.4).
func (p *Profile) Contact() ([]byte, error) {
	relays, _, err := p.Relays()
	if err != nil {
		return nil, err
	}
	urls := make([]string, 0, len(relays))
	for _, r := range relays {
		urls = append(urls, r.URL)
	}
	return p.contact(urls).Encode(), nil
}

// AddContact keeps a contact, which replaces an older one of the same identity on
// the same device. It is believed as it is: whoever hands it over vouches for it.
func (h *Home) AddContact(contact []byte) (KnownContact, error) {
	known, err := ParseContact(contact)
	if err != nil {
		return KnownContact{}, err
	}
	dir := filepath.Join(h.dir, contactsDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return KnownContact{}, fmt.Errorf("keeping a contact: %w", err)
	}
	name := fmt.Sprintf("%x.xml", sha256.Sum256([]byte(known.URL+"\n"+known.DeviceURL)))
	if err := renameio.WriteFile(filepath.Join(dir, name), contact, 0o600); err != nil {
		return KnownContact{}, fmt.Errorf("keeping a contact: %w", err)
	}
	return known, nil
}

// Contacts returns the contacts that are kept.
func (h *Home) Contacts() ([]KnownContact, error) {
	dir := filepath.Join(h.dir, contactsDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the contacts: %w", err)
	}
	var list []KnownContact
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		contact, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading the contacts: %w", err)
		}
		known, err := ParseContact(contact)
		if err != nil {
			return nil, fmt.Errorf("reading the contacts: %s: %w", path, err)
		}
		list = append(list, known)
	}
	return list, nil
}

// ParseContact reads a contact (MS-GRVSPCM 2.2.2.2.4).
func ParseContact(contact []byte) (KnownContact, error) {
	parsed, err := spcm.DecodeContact(contact)
	if err != nil {
		return KnownContact{}, fmt.Errorf("contact: %w", err)
	}
	return KnownContact{
		FullName: vCardValue(parsed.VCard, "FN"),
		Email:    vCardValue(parsed.VCard, "EMAIL"),
		Contact:  parsed,
	}, nil
}

// vCardValue returns the value of the first line of a property, whatever its
// parameters are (RFC 2426).
func vCardValue(vCard []byte, property string) string {
	for line := range strings.Lines(string(vCard)) {
		name, value, _ := strings.Cut(line, ":")
		name, _, _ = strings.Cut(name, ";")
		if strings.EqualFold(name, property) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Is reports whether a person means this contact: by its identity URL, e-mail
// address or full name, the latter two in any letter case.
func (c KnownContact) Is(who string) bool {
	return who == c.URL || c.Email != "" && strings.EqualFold(who, c.Email) || c.FullName != "" && strings.EqualFold(who, c.FullName)
}
