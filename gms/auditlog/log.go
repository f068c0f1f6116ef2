package auditlog

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// Log is a parsed log. Nothing of it is to be believed before Verify.
type Log struct {
	Device string // GUID
	// Sequence is the number of the upload, that of the last marker.
	Sequence int32
	// Marked is when the device made the upload, by its clock.
	Marked time.Time

	root, list *etree.Element
	lock, mac  []byte
}

// Kind says what an entry is.
type Kind string

// The kinds of entries. Markers are not among them.
const (
	Begin Kind = "begin"
	Entry Kind = "event"
	End   Kind = "end"
)

// Opened is an entry of a log.
type Opened struct {
	Kind Kind
	// Body is the plaintext, or nil if it could not be decrypted.
	Body []byte
	// Sealed is the serialized element, where Body is nil.
	Sealed []byte
}

// Parse reads a log: its build, its version, and that _dgh is the hash of _dg.
func Parse(data []byte) (*Log, error) {
	root, err := soap.ParsePayload(data, MaxSize, "LU")
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	l := &Log{root: root, Sequence: -1}
	a := soap.AttributesOf(root)
	l.Device = a.Name("_dg")
	hash := spcm.DeviceHash(l.Device)
	if !hmac.Equal(a.Base64("_dgh"), hash[:]) {
		a.Reject("_dgh", "not the hash of _dg")
	}
	a.Base64(attrIV, "iv")
	l.lock, l.mac = a.Base64("_lok"), a.Base64(attrMAC)
	if a.Text("_v", "v") != version {
		a.Reject("_v", "not "+version)
	}
	if err := a.Err(); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	if l.list, err = soap.RequiredChild(root, "L"); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	if err := l.readList(); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return l, nil
}

// readList checks the entries and reads the markers, whose sequence rises.
func (l *Log) readList() error {
	count := 0
	for e := range l.list.ChildElementsSeq() {
		if count++; count > maxEntries {
			return fmt.Errorf("more than %d entries", maxEntries)
		}
		a := soap.AttributesOf(e)
		switch {
		case soap.Is(e, elementMarker):
			if err := l.readMarker(a); err != nil {
				return err
			}
			continue
		case soap.Is(e, elementBegin):
			a.Base64(attrKey)
		case soap.Is(e, elementEntry), soap.Is(e, elementEnd):
		default:
			return fmt.Errorf("an element %.20q in L", e.Tag)
		}
		a.Base64(attrBody, "body")
		a.Base64(attrIV, "iv")
		a.Base64(attrMAC)
		if err := a.Err(); err != nil {
			return err
		}
	}
	if l.Sequence < 0 {
		return soap.InvalidParameter("L/UM", "missing")
	}
	return nil
}

func (l *Log) readMarker(a *soap.Attributes) error {
	sequence := a.Int("_q")
	marked, err := time.Parse(markerTime, a.Text("_dt"))
	switch {
	case a.Err() != nil:
	case err != nil:
		a.Reject("_dt", "not a date and time")
	case sequence <= l.Sequence:
		a.Reject("_q", "not above the one before")
	}
	l.Sequence, l.Marked = sequence, marked
	return a.Err()
}

// Digest identifies the entries, whatever the lock around them: a client that
// uploads them again encrypts its lock-on key anew.
func (l *Log) Digest() [sha256.Size]byte {
	return sha256.Sum256(soap.AppendCanonical(nil, l.list))
}

// LockOnKey returns the key that the log came with, a random one if it was not
// encrypted to this domain: Verify tells. It fails for what is no ciphertext of
// the domain's size.
func (l *Log) LockOnKey(domain *keys.RSAPrivateKey) (keys.SharedKey, error) {
	return domain.DecryptSharedKey(l.lock, keySize)
}

// Verify reports whether the log was made by the holder of a lock-on key and is
// as it was made.
func (l *Log) Verify(lockOn keys.SharedKey) bool {
	return hmac.Equal(l.mac, macOf(lockOn, l.root, nil, attrMAC))
}

// Open decrypts the entries. session is the key of the session that the upload
// before has left open, or zero; the one that this log leaves open is returned.
func (l *Log) Open(domain *keys.RSAPrivateKey, session keys.SharedKey) ([]Opened, keys.SharedKey) {
	var entries []Opened
	for e := range l.list.ChildElementsSeq() {
		entry := Opened{Kind: Entry}
		switch {
		case soap.Is(e, elementMarker):
			continue
		case soap.Is(e, elementBegin):
			entry.Kind = Begin
			session = sessionKey(e, domain)
		case soap.Is(e, elementEnd):
			entry.Kind = End
		}
		if body, ok := openWith(e, session); ok {
			entry.Body = body
		} else {
			entry.Sealed = soap.AppendCanonical(nil, e)
		}
		if entry.Kind == End {
			session = keys.SharedKey{}
		}
		entries = append(entries, entry)
	}
	return entries, session
}

// sessionKey returns the key in a BH, zero if there is none to this domain. It
// may be a random one: then the MACs of its entries do not fit.
func sessionKey(e *etree.Element, domain *keys.RSAPrivateKey) keys.SharedKey {
	key, err := domain.DecryptSharedKey(soap.AttributesOf(e).Base64(attrKey), keySize)
	if err != nil {
		return keys.SharedKey{}
	}
	return key
}

func openWith(e *etree.Element, session keys.SharedKey) ([]byte, bool) {
	if session.IsZero() {
		return nil, false
	}
	body, ok := openElement(e, session)
	if ok && body == nil {
		body = []byte{} // nil is for what could not be decrypted
	}
	return body, ok
}
