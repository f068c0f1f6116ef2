package auditlog

import (
	"errors"
	"fmt"
	"time"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// errNoSession is returned for an entry outside of a session.
var errNoSession = errors.New("no session of the audit log is open")

// Writer is the Audit Service of a client: it collects the entries of sessions
// and seals them into logs. It must not be used concurrently.
type Writer struct {
	device  string // GUID
	lockOn  keys.SharedKey
	domain  keys.EncryptionKey
	session keys.SharedKey
	entries *etree.Element // L
}

// NewWriter returns a writer for a device, which keeps its lock-on key for
// good, towards the domain with this encryption key.
func NewWriter(device string, lockOn keys.SharedKey, domain keys.EncryptionKey) *Writer {
	return &Writer{device: device, lockOn: lockOn, domain: domain, entries: soap.NewElement("L")}
}

// Begin begins a session with a key of its own.
func (w *Writer) Begin(body []byte) error {
	key, err := NewKey()
	if err != nil {
		return fmt.Errorf("making a session key: %w", err)
	}
	sealed, err := w.domain.Encrypt(key.Bytes())
	if err != nil {
		return fmt.Errorf("encrypting the session key to the domain: %w", err)
	}
	e := soap.NewElement(elementBegin, soap.Attr{Name: attrKey, Value: soap.EncodeBase64(sealed)})
	w.session = key
	return w.add(e, body)
}

// Add adds an event to the session.
func (w *Writer) Add(body []byte) error { return w.add(soap.NewElement(elementEntry), body) }

// End ends the session.
func (w *Writer) End(body []byte) error {
	err := w.add(soap.NewElement(elementEnd), body)
	w.session = keys.SharedKey{}
	return err
}

func (w *Writer) add(e *etree.Element, body []byte) error {
	if w.session.IsZero() {
		return errNoSession
	}
	if err := sealElement(e, w.session, body); err != nil {
		return fmt.Errorf("sealing an audit log entry: %w", err)
	}
	w.entries.AddChild(e)
	return nil
}

// Seal returns the log of the entries since the last one, and begins the next.
// The session goes on. sequence is one more than that of the upload before.
func (w *Writer) Seal(sequence int32, now time.Time) ([]byte, error) {
	w.entries.AddChild(soap.NewElement(elementMarker,
		soap.Attr{Name: "_dt", Value: now.UTC().Format(markerTime)},
		soap.Attr{Name: "_q", Value: soap.FormatInt(sequence)}))
	locked, err := w.domain.Encrypt(w.lockOn.Bytes())
	if err != nil {
		return nil, fmt.Errorf("encrypting the lock-on key to the domain: %w", err)
	}
	iv, _, err := w.lockOn.EncryptCTR(nil)
	if err != nil {
		return nil, fmt.Errorf("making the log's iv: %w", err)
	}
	hash := spcm.DeviceHash(w.device)
	lu := soap.NewElement("LU",
		soap.Attr{Name: "_dg", Value: w.device},
		soap.Attr{Name: "_dgh", Value: soap.EncodeBase64(hash[:])},
		soap.Attr{Name: attrIV, Value: soap.EncodeBase64(iv)},
		soap.Attr{Name: "_lok", Value: soap.EncodeBase64(locked)},
		soap.Attr{Name: "_v", Value: version})
	lu.AddChild(w.entries)
	lu.CreateAttr(attrMAC, soap.EncodeBase64(macOf(w.lockOn, lu, nil)))
	w.entries = soap.NewElement("L")
	return soap.Canonical(lu), nil
}
