package wandpp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// Decode reads one document, to the end of r. The error is ErrMalformed, ErrLimit
// or that of r; whatever it is, no more than [MaxDocument] octets have been read
// and no more than [MaxDevices] devices kept. What has an attribute or instruction
// more than the profile is read all the same, what has an element more is not.
func Decode(r io.Reader) (Message, error) {
	source := &bounded{r: r, left: MaxDocument}
	d := decoder{xml: xml.NewDecoder(source)}
	err := d.document()
	switch {
	case source.err != nil: // the decoder sees no more than that the document ends
		return nil, source.err
	case err == nil:
		return d.message, nil
	case errors.Is(err, ErrMalformed), errors.Is(err, ErrLimit):
		return nil, err
	default:
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
}

// bounded reads at most left octets, and none of a document of which a tag is too
// long. It keeps the error of its source.
type bounded struct {
	r    io.Reader
	left int
	span int   // octets since the last that began a tag
	err  error // other than io.EOF
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(len(p), b.left+1)]) // one more, to tell whether there is more
	if b.left -= n; b.left < 0 {
		n, err = 0, beyond("more than %d octets", MaxDocument)
	}
	if !b.spans(p[:n]) {
		n, err = 0, malformed("more than %d octets in one piece", maxSpan)
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// spans reports whether there is a < often enough, which may not stand in the value
// of an attribute.
func (b *bounded) spans(octets []byte) bool {
	for {
		i := bytes.IndexByte(octets, '<')
		if i < 0 {
			b.span += len(octets)
			return b.span <= maxSpan
		}
		if b.span+i > maxSpan {
			return false
		}
		b.span, octets = 0, octets[i+1:]
	}
}

// decoder decodes one document.
type decoder struct {
	xml     *xml.Decoder
	message Message
	ended   bool // the message has
}

func (d *decoder) document() error {
	for {
		token, err := d.xml.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := d.token(token); err != nil {
			return err
		}
	}
	if !d.ended {
		return malformed("no message")
	}
	return nil
}

// token takes what stands outside of the message's element, which is read as a
// whole.
func (d *decoder) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.ProcInst:
		if t.Target != xmlTarget && t.Target != familyTarget || d.ended {
			return malformed("instruction %.20q", t.Target)
		}
	case xml.StartElement:
		if d.ended {
			return malformed("more than one message")
		}
		return d.element(t)
	case xml.CharData:
		return blank(t)
	case xml.Comment:
	default: // a directive: there are no definitions of types
		return malformed("markup that does not belong here")
	}
	return nil
}

// element decodes the message.
func (d *decoder) element(start xml.StartElement) error {
	a, err := attributesOf(start)
	if err != nil {
		return err
	}
	if a.version != version {
		return malformed("version %.20q", a.version)
	}
	switch start.Name.Local {
	case elementPublish:
		status, err := parseStatus(a.status)
		if err != nil {
			return err
		}
		d.message = &Publish{status}
		return d.devices(func(attributes) error { return malformed("a device in a Publish") })
	case elementSubscribe:
		m := new(Subscribe)
		d.message = m
		return d.devices(func(a attributes) error { return appendURL(&m.Devices, a) })
	case elementUnsubscribe:
		m := new(Unsubscribe)
		d.message = m
		return d.devices(func(a attributes) error { return appendURL(&m.Devices, a) })
	case elementNotify:
		m := new(Notify)
		d.message = m
		return d.devices(func(a attributes) error {
			status, err := parseStatus(a.status)
			if err != nil {
				return err
			}
			m.Devices = append(m.Devices, DeviceStatus{a.url, status})
			return checkURL(a.url)
		})
	default:
		return malformed("element %.20q", start.Name.Local)
	}
}

func appendURL(urls *[]string, a attributes) error {
	*urls = append(*urls, a.url)
	return checkURL(a.url)
}

// devices reads the Device elements up to the end of the message.
func (d *decoder) devices(take func(attributes) error) error {
	for n := 0; ; {
		token, err := d.xml.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if n++; n > MaxDevices {
				return beyond("more than %d devices", MaxDevices)
			}
			if err := d.device(t, take); err != nil {
				return err
			}
		case xml.EndElement:
			d.ended = true
			return nil
		case xml.CharData:
			if err := blank(t); err != nil {
				return err
			}
		case xml.Comment:
		default:
			return malformed("markup in a message")
		}
	}
}

// device reads one, which has no content.
func (d *decoder) device(start xml.StartElement, take func(attributes) error) error {
	a, err := attributesOf(start)
	switch {
	case err != nil:
		return err
	case start.Name.Local != elementDevice:
		return malformed("element %.20q", start.Name.Local)
	}
	if err := take(a); err != nil {
		return err
	}
	for {
		token, err := d.xml.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.EndElement:
			return nil
		case xml.CharData:
			if err := blank(t); err != nil {
				return err
			}
		case xml.Comment:
		default:
			return malformed("a device with content")
		}
	}
}

// attributes are those of the profile that an element has.
type attributes struct{ version, status, url string }

func attributesOf(e xml.StartElement) (a attributes, err error) {
	switch {
	case e.Name.Space != "" && e.Name.Space != familyNamespace:
		return a, malformed("namespace %.20q", e.Name.Space)
	case len(e.Attr) > maxAttributes:
		return a, malformed("%d attributes, at most %d", len(e.Attr), maxAttributes)
	}
	for _, attr := range e.Attr {
		var field *string
		switch attr.Name {
		case xml.Name{Local: attributeVersion}:
			field = &a.version
		case xml.Name{Local: attributeStatus}:
			field = &a.status
		case xml.Name{Local: attributeURL}:
			field = &a.url
		default:
			continue
		}
		if *field != "" {
			return a, malformed("two attributes %s", attr.Name.Local)
		}
		*field = attr.Value
	}
	return a, nil
}

func parseStatus(text string) (Status, error) {
	switch text {
	case statusOnline:
		return Online, nil
	case statusOffline:
		return Offline, nil
	default:
		return 0, malformed("status %.20q", text)
	}
}

// blank refuses text, which no element has.
func blank(text xml.CharData) error {
	if len(bytes.TrimSpace(text)) > 0 {
		return malformed("text")
	}
	return nil
}
