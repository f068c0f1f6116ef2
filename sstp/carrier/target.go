package carrier

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// version is that of LongLived and KeepAlive ([MS-GRVHENC] 2.2.2.1.1.1).
const version = "2.0"

// fullBudget is how many octets a direction of LongLived may carry, where a
// client has no wish of its own ([MS-GRVHENC] 2.2.2.1.1.3).
const fullBudget = 0x7ffff000

// maxServerName bounds a Relay-Server-Name: that of names in DNS, and a port.
const maxServerName = 253 + 6

const connTypeMark = ",ConnType="

var (
	errTarget  = errors.New("carrier: not the URI of a virtual connection")
	errVersion = errors.New("carrier: version of the encapsulation")
)

// target is the URI of a request of LongLived or KeepAlive ([MS-GRVHENC]
// 2.2.2.1.1, 2.2.3.1.1).
type target struct {
	server string
	guid   string
	mode   Mode
	budget int64 // of LongLived; 0 if there is none
}

// appendTo appends the URI as it is sent to a relay.
func (t target) appendTo(b []byte) []byte {
	b = append(b, '/')
	b = append(b, version...)
	b = append(b, '/')
	b = append(b, t.server...)
	b = append(b, '/')
	b = append(b, t.guid...)
	b = append(b, connTypeMark...)
	b = append(b, t.mode.String()...)
	if t.mode == LongLived {
		b = append(b, ",ContentLength="...)
		b = strconv.AppendInt(b, t.budget, 10)
	}
	return b
}

// path returns the part of a request target after "http://" and the name of the
// host, if it has these: proxies are given them, and odd ones hand them on.
func path(s string) string {
	const scheme = "http://"
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return s
	}
	s = s[len(scheme):]
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[i:]
	}
	return "/"
}

// parseTarget takes a URI apart. What it does not know, such as the request id, it
// ignores ([MS-GRVHENC] 3.2.5.1.1). The error is errVersion if nothing else is
// known to be wrong.
func parseTarget(s string) (target, error) {
	var t target
	parts := strings.SplitN(path(s), "/", 4)
	if len(parts) != 4 || parts[0] != "" {
		return t, errTarget
	}
	t.server = parts[2]
	words := strings.Split(parts[3], ",")
	t.guid = words[0]
	if parts[1] != version {
		return t, fmt.Errorf("%w: %.10q", errVersion, parts[1])
	}
	if !isServerName(t.server) || !isGUID(t.guid) {
		return t, fmt.Errorf("%w: name or GUID", errTarget)
	}
	typed := false
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(word), "=")
		switch name {
		case "ConnType":
			if value != LongLived.String() && value != KeepAlive.String() {
				return t, fmt.Errorf("%w: type %.20q", errTarget, value)
			}
			typed = true
			if value == KeepAlive.String() {
				t.mode = KeepAlive
			}
		case "ContentLength":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || !isDigits(value) {
				return t, fmt.Errorf("%w: length %.20q", errTarget, value)
			}
			t.budget = n
		}
	}
	if !typed {
		return t, fmt.Errorf("%w: no type", errTarget)
	}
	return t, nil
}

// isServerName reports whether s may be a Relay-Server-Name.
func isServerName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("/,?#@\\", c) >= 0 {
			return false
		}
	}
	return s != "" && len(s) <= maxServerName
}
