package wandpp

import (
	"fmt"
	"strings"

	"furrow/sstp"
)

// Encode returns the document of a message. It fails for what [Decode] would
// refuse.
func Encode(m Message) ([]byte, error) {
	var urls []string
	switch m := m.(type) {
	case *Subscribe:
		urls = m.Devices
	case *Unsubscribe:
		urls = m.Devices
	case *Notify:
		for _, d := range m.Devices {
			urls = append(urls, d.URL)
		}
	}
	if len(urls) > MaxDevices {
		return nil, beyond("%d devices, at most %d", len(urls), MaxDevices)
	}
	for _, url := range urls {
		if err := checkURL(url); err != nil {
			return nil, err
		}
	}
	document := m.appendTo(nil)
	if len(document) > MaxDocument {
		return nil, beyond("%d octets, at most %d", len(document), MaxDocument)
	}
	return document, nil
}

// checkURL checks the URL of a device.
func checkURL(url string) error {
	if len(url) > MaxURL {
		return malformed("device URL of %d octets, at most %d", len(url), MaxURL)
	}
	if err := sstp.CheckDeviceURL(url); err != nil {
		return fmt.Errorf("%w: device: %w", ErrMalformed, err)
	}
	return nil
}

func (m *Publish) appendTo(dst []byte) []byte {
	dst = append(dst, prolog...)
	dst = append(dst, "<"+elementPublish...)
	dst = appendAttribute(dst, attributeStatus, m.Status.String())
	dst = appendAttribute(dst, attributeVersion, version)
	return append(dst, "/>"...)
}

func (m *Subscribe) appendTo(dst []byte) []byte { return appendList(dst, elementSubscribe, m.Devices) }

func (m *Unsubscribe) appendTo(dst []byte) []byte {
	return appendList(dst, elementUnsubscribe, m.Devices)
}

func appendList(dst []byte, name string, urls []string) []byte {
	dst = appendStart(dst, name)
	for _, url := range urls {
		dst = append(dst, "<"+elementDevice...)
		dst = appendAttribute(dst, attributeURL, url)
		dst = append(dst, "/>"...)
	}
	return appendEnd(dst, name)
}

func (m *Notify) appendTo(dst []byte) []byte {
	dst = AppendNotifyStart(dst)
	for _, d := range m.Devices {
		dst = AppendNotifyDevice(dst, d)
	}
	return AppendNotifyEnd(dst)
}

// AppendNotifyStart, with AppendNotifyDevice for each device and AppendNotifyEnd,
// encodes a [Notify] piece by piece, for whoever wishes not to hold all of it. The
// URLs have to be good.
func AppendNotifyStart(dst []byte) []byte { return appendStart(dst, elementNotify) }

// AppendNotifyDevice appends one device: see [AppendNotifyStart].
func AppendNotifyDevice(dst []byte, d DeviceStatus) []byte {
	dst = append(dst, "<"+elementDevice...)
	dst = appendAttribute(dst, attributeStatus, d.Status.String())
	dst = appendAttribute(dst, attributeURL, d.URL)
	return append(dst, "/>"...)
}

// AppendNotifyEnd appends the end: see [AppendNotifyStart].
func AppendNotifyEnd(dst []byte) []byte { return appendEnd(dst, elementNotify) }

func appendStart(dst []byte, name string) []byte {
	dst = append(dst, prolog...)
	dst = append(dst, '<')
	dst = append(dst, name...)
	dst = appendAttribute(dst, attributeVersion, version)
	return append(dst, '>')
}

func appendEnd(dst []byte, name string) []byte {
	dst = append(dst, "</"...)
	dst = append(dst, name...)
	return append(dst, '>')
}

// appendAttribute appends an attribute. Of what has to be escaped, a URL has the
// ampersand only ([sstp.CheckURL]).
func appendAttribute(dst []byte, name, value string) []byte {
	dst = append(dst, ' ')
	dst = append(dst, name...)
	dst = append(dst, `="`...)
	for {
		i := strings.IndexByte(value, '&')
		if i < 0 {
			break
		}
		dst = append(dst, value[:i]...)
		dst = append(dst, "&amp;"...)
		value = value[i+1:]
	}
	dst = append(dst, value...)
	return append(dst, '"')
}
