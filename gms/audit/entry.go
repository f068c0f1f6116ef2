package audit

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"furrow/gms/auditlog"
)

// entry is an entry of a log as it is stored: a line of JSON in the log's blob,
// which is compressed and sealed.
type entry struct {
	Kind auditlog.Kind `json:"kind"`
	Time time.Time     `json:"time"`
	Type string        `json:"type,omitempty"`
	Text string        `json:"text,omitempty"`
	// Body is the plaintext; nil if it could not be decrypted: then Sealed is
	// the element.
	Body   []byte `json:"body"`
	Sealed []byte `json:"sealed,omitempty"`
}

// newEntries returns what is stored of the entries of a log. One that tells no
// time has that of the upload.
func newEntries(opened []auditlog.Opened, marked time.Time) []entry {
	entries := make([]entry, 0, len(opened))
	for _, o := range opened {
		e := entry{Kind: o.Kind, Time: marked, Body: o.Body, Sealed: o.Sealed}
		if o.Body != nil {
			event := auditlog.ParseEvent(o.Body)
			e.Type, e.Text = event.Type, event.Text
			if !event.Time.IsZero() {
				e.Time = event.Time
			}
		}
		entries = append(entries, e)
	}
	return entries
}

func entriesPurpose(blob string) string { return "audit log/" + blob }

// putEntries stores the entries of a log as a blob.
func (a *Archive) putEntries(name string, entries []entry) error {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	encoder := json.NewEncoder(zip)
	for i := range entries {
		if err := encoder.Encode(&entries[i]); err != nil {
			return fmt.Errorf("encoding an audit log: %w", err)
		}
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("compressing an audit log: %w", err)
	}
	sealed, err := a.vault.Seal(entriesPurpose(name), packed.Bytes())
	if err != nil {
		return err
	}
	return a.blobs.Put(name, sealed)
}

// entries reads the entries of a log, one after the other. An error is the last
// thing that it yields.
func (a *Archive) entries(name string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		fail := func(err error) { yield(entry{}, fmt.Errorf("reading audit log %s: %w", name, err)) }
		var sealed bytes.Buffer
		if err := a.copyBlob(&sealed, name); err != nil {
			fail(err)
			return
		}
		packed, err := a.vault.Open(entriesPurpose(name), sealed.Bytes())
		if err != nil {
			fail(err)
			return
		}
		zip, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			fail(err)
			return
		}
		decoder := json.NewDecoder(zip)
		for {
			var e entry
			switch err := decoder.Decode(&e); {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				fail(err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
