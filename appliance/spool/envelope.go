package spool

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Position is a message's place in the order of all messages of a spool.
// Positions grow, have gaps, are never reused, and are never 0.
type Position uint64

// Envelope is what travels with a body. The spool looks only at the recipients'
// keys and at Lifetime.
type Envelope struct {
	Resource   string        // resource URL, shared by all recipients
	Recipients []Recipient   // every queue that the message goes to, at least one
	Flags      byte          // the sender's message flags ([MS-GRVSSTP] 2.2.10)
	Lifetime   time.Duration // whole seconds after which the message is worthless; 0: unlimited
	Metadata   []byte        // the sender's, opaque
}

// Recipient is one target of a message.
type Recipient struct {
	Key     string // the queue: opaque; a key named twice is one item in it
	Address []byte // what delivery to this target needs, opaque
}

const (
	// A FanoutOpen counts its entries in two octets ([MS-GRVSSTP] 2.2.6).
	maxRecipients = 1<<16 - 1
	// A key is made of an account URL, a device URL and a resource URL, which
	// came together in one command of at most 2055 octets ([MS-GRVSSTP] 2.2.5).
	maxKeyBytes = 4 << 10
	// Room for a FanoutOpen of 64 KiB whose entries each repeat the resource in
	// their key.
	maxEnvelopeBytes = 8 << 20
	// Lifetime is four octets of seconds (wire profile 1).
	maxLifetime = (1<<32 - 1) * time.Second
)

// The encoded envelope: resource, metadata, number of recipients, and for each
// its key and its address. Numbers are unsigned varints; a string or blob is
// its length and its octets. Flags and lifetime are in the record's header.
func (e *Envelope) encode() ([]byte, error) {
	switch {
	case len(e.Recipients) == 0:
		return nil, fmt.Errorf("%w: no recipient", ErrEnvelope)
	case len(e.Recipients) > maxRecipients:
		return nil, fmt.Errorf("%w: %d recipients", ErrTooLarge, len(e.Recipients))
	case e.Lifetime < 0 || e.Lifetime > maxLifetime || e.Lifetime%time.Second != 0:
		return nil, fmt.Errorf("%w: lifetime %v", ErrEnvelope, e.Lifetime)
	}
	size := len(e.Resource) + len(e.Metadata)
	for _, r := range e.Recipients {
		if r.Key == "" || len(r.Key) > maxKeyBytes {
			return nil, fmt.Errorf("%w: recipient key of %d octets", ErrEnvelope, len(r.Key))
		}
		size += len(r.Key) + len(r.Address) + 2
	}
	if size > maxEnvelopeBytes {
		return nil, fmt.Errorf("%w: envelope of %d octets", ErrTooLarge, size)
	}
	buf := make([]byte, 0, size+16)
	buf = appendBlob(buf, e.Resource)
	buf = appendBlob(buf, e.Metadata)
	buf = binary.AppendUvarint(buf, uint64(len(e.Recipients)))
	for _, r := range e.Recipients {
		buf = appendBlob(buf, r.Key)
		buf = appendBlob(buf, r.Address)
	}
	if len(buf) > maxEnvelopeBytes {
		return nil, fmt.Errorf("%w: envelope of %d octets", ErrTooLarge, len(buf))
	}
	return buf, nil
}

// decodeEnvelope reads what encode wrote. It copies what it returns, all strings
// in one piece: who keeps one for long copies that.
func decodeEnvelope(data []byte) (Envelope, bool) {
	d, text := decoder{rest: data}, string(data)
	str := func() string {
		n := len(d.blob())
		end := len(data) - len(d.rest)
		return text[end-n : end]
	}
	e := Envelope{Resource: str(), Metadata: append([]byte(nil), d.blob()...)}
	count := d.number()
	// A recipient takes at least a length, one octet of key, and a length.
	if count == 0 || count > maxRecipients || count > uint64(len(d.rest))/3 {
		return Envelope{}, false
	}
	e.Recipients = make([]Recipient, count)
	for i := range e.Recipients {
		key := str()
		if len(key) == 0 || len(key) > maxKeyBytes {
			return Envelope{}, false
		}
		e.Recipients[i] = Recipient{Key: key, Address: append([]byte(nil), d.blob()...)}
	}
	return e, !d.bad && len(d.rest) == 0
}

func appendBlob[T string | []byte](buf []byte, blob T) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(blob)))
	return append(buf, blob...)
}

// decoder reads varints and blobs. After the first one that does not fit it is
// bad and returns nothing more.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() uint64 {
	n, width := binary.Uvarint(d.rest)
	if d.bad || width <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[width:]
	return n
}

// blob returns a part of the data itself.
func (d *decoder) blob() []byte {
	n := d.number()
	if d.bad || n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}
