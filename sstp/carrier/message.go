package carrier

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// maxBody bounds the body of a request or response of KeepAlive and Polling,
	// in octets ([MS-GRVHENC] 3.4.4.3, 3.5.4.3.1).
	maxBody = 32768

	// messageVersion is that of Polling ([MS-GRVHENC] 2.2.4.1.3.1.1).
	messageVersion = "1.2"

	// serverScheme precedes the name of the relay ([MS-GRVHENC] 2.2.4.1.3.1.4).
	serverScheme = "grooveDNS://"

	// maxNumber bounds decimal fields, in octets: 64 bits and a sign.
	maxNumber = 20
)

var errMessage = errors.New("carrier: not a virtual connection message")

// message is a Virtual-Connection-Message, the beginning of each body of Polling
// ([MS-GRVHENC] 2.2.4.1.3.1).
type message struct {
	server   string // the name without the scheme
	guid     string
	sequence uint64
	checksum string
}

func (m message) appendTo(b []byte) []byte {
	b = append(b, messageVersion...)
	b = append(b, 0)
	b = append(b, serverScheme...)
	b = append(b, m.server...)
	b = append(b, 0)
	b = append(b, m.guid...)
	b = append(b, 0)
	b = append(strconv.AppendUint(b, m.sequence, 10), 0)
	b = append(b, m.checksum...)
	return append(b, 0)
}

// parseMessage returns the message at the beginning of a body, and what comes
// after it.
func parseMessage(b []byte) (message, []byte, error) {
	var m message
	v, b, ok := cutNUL(b, maxNumber)
	if !ok {
		return m, nil, errMessage
	}
	if v != messageVersion {
		return m, nil, fmt.Errorf("%w: %w: %q", errMessage, errVersion, v)
	}
	url, b, ok := cutNUL(b, len(serverScheme)+maxServerName)
	if !ok || len(url) < len(serverScheme) || !strings.EqualFold(url[:len(serverScheme)], serverScheme) {
		return m, nil, fmt.Errorf("%w: server", errMessage)
	}
	m.server = url[len(serverScheme):]
	m.guid, b, ok = cutNUL(b, maxGUID)
	if !ok || !isGUID(m.guid) || !isServerName(m.server) {
		return m, nil, fmt.Errorf("%w: server or GUID", errMessage)
	}
	sequence, b, ok := cutNUL(b, maxNumber)
	if !ok || !isDigits(sequence) {
		return m, nil, fmt.Errorf("%w: sequence number", errMessage)
	}
	var err error
	if m.sequence, err = strconv.ParseUint(sequence, 10, 64); err != nil {
		return m, nil, fmt.Errorf("%w: sequence number: %w", errMessage, err)
	}
	m.checksum, b, ok = cutNUL(b, maxNumber)
	if !ok || !isDigits(strings.TrimPrefix(m.checksum, "-")) {
		return m, nil, fmt.Errorf("%w: checksum", errMessage)
	}
	return m, b, nil
}

// cutNUL returns the text before the first NUL of b, of at most limit octets, and
// what comes after it.
func cutNUL(b []byte, limit int) (string, []byte, bool) {
	i := bytes.IndexByte(b[:min(len(b), limit+1)], 0)
	if i < 0 {
		return "", nil, false
	}
	return string(b[:i]), b[i+1:], true
}

// responseOverhead returns how much of a response is not data, at most.
func responseOverhead(m message) int {
	return len(m.appendTo(nil)) + maxNumber + termsSize
}
