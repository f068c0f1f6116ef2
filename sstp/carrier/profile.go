package carrier

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Everything in this file is wire profile 1: choices this project makes where
// the text of [MS-GRVHENC] could not be had, or is at odds with itself. None of
// it is known to be what the original products do. A capture that shows otherwise
// is obeyed here, and nowhere else in the package.

// echo is the Encapsulation-Echo-String of the handshakes (2.2.1.1.3), as the
// length of 22 in the example 4.2 leaves room for.
const echo = "GroovePing: 1.0,Ping\r\n"

// Wire profile 1: times.
const (
	// meetTime is how long one half of a virtual connection waits for the other.
	meetTime = 30 * time.Second
	// holdTime is how long a GET of KeepAlive waits for octets to answer.
	holdTime = 45 * time.Second
	// idleTime is how long a virtual connection lasts without any traffic.
	idleTime = 180 * time.Second
	// receiveTime is how long a request or response that has been begun may
	// take, and a client waits for one (NetworkReceiveIO).
	receiveTime = 60 * time.Second
	// answerTime is how long a response to a poll waits for what the octets in
	// the poll lead to: a client may want data in the last response of the
	// handshake (3.5.5.1.1.1), and else it would come with the next poll.
	answerTime = 200 * time.Millisecond
)

// Wire profile 1: the values of headers, from the example 4.2.
const (
	acceptValue      = "*/*"
	contentTypeValue = "application/octet-stream"
	pragmaValue      = "no-cache"
	expiresValue     = "0"
	keepAliveValue   = "Keep-Alive"
)

// statusLine is that of every response (2.2.2.3.1).
const statusLine = "HTTP/1.0 "

// guidEncoding is the form of a Virtual-Connection-GUID, of 24 octets.
var guidEncoding = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

func newGUID() string {
	var octets [24]byte
	rand.Read(octets[:])
	return guidEncoding.EncodeToString(octets[:])
}

// maxGUID bounds the GUIDs of others, which are taken as they are.
const maxGUID = 64

// isGUID reports whether s may be a Virtual-Connection-GUID.
func isGUID(s string) bool {
	return len(s) <= maxGUID && isToken(s)
}

// pollTerms are what a Polling response asks of the client's timer (3.5.2.3), in
// seconds: to begin with min, to double that after as many polls as repetitions,
// and not to pass max.
type pollTerms struct{ min, max, repetitions uint32 }

// termsSize is the most that appendTo appends, in octets.
const termsSize = 3 * (10 + 1)

// The terms while nothing waits, and while there is more.
var (
	idleTerms = pollTerms{min: 5, max: 5, repetitions: 1}
	busyTerms = pollTerms{min: 0, max: 0, repetitions: 1}
)

// appendTo appends the Response-Message: three decimal fields, each ended by NUL,
// by analogy with the Virtual-Connection-Message.
func (t pollTerms) appendTo(b []byte) []byte {
	for _, v := range [...]uint32{t.min, t.max, t.repetitions} {
		b = append(strconv.AppendUint(b, uint64(v), 10), 0)
	}
	return b
}

// parsePollTerms returns the Response-Message at the beginning of b, and what
// comes after it.
func parsePollTerms(b []byte) (pollTerms, []byte, error) {
	var t pollTerms
	for _, v := range [...]*uint32{&t.min, &t.max, &t.repetitions} {
		text, rest, ok := cutNUL(b, maxNumber)
		if !ok || !isDigits(text) {
			return t, nil, fmt.Errorf("%w: response message", errMessage)
		}
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return t, nil, fmt.Errorf("%w: response message: %w", errMessage, err)
		}
		*v, b = uint32(n), rest
	}
	return t, b, nil
}

// A checksumReading is one way to understand the pseudo-code of 2.2.4.1.3.1.3:
// the sum of (signed octet + 1) * weight.
type checksumReading struct {
	// skip says that the first octet does not count.
	skip bool
	// weight is that of the first octet; it grows by one with each.
	weight int64
	// wide says that the sum has 64 bits, not 32.
	wide bool
	// signed says that a negative sum has a minus sign, and is not printed as an
	// unsigned number.
	signed bool
}

// checksumReadings are all that is thought possible, the likely before others.
// The index of an octet counts from 0 or 1, and if the first is left out perhaps
// anew.
var checksumReadings = func() []checksumReading {
	var all []checksumReading
	for _, print := range []struct{ wide, signed bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		for _, sum := range []struct {
			skip   bool
			weight int64
		}{{false, 1}, {false, 2}, {true, 1}, {true, 2}, {true, 0}} {
			all = append(all, checksumReading{sum.skip, sum.weight, print.wide, print.signed})
		}
	}
	return all
}()

// checksums are the readings of checksumReadings that a peer may have, one bit
// for each: those that have agreed with all it has sent.
type checksums uint32

func anyChecksum() checksums { return 1<<len(checksumReadings) - 1 }

// accept compares the checksum of data that a peer has sent, and reports whether
// any reading is left that agrees.
func (c *checksums) accept(text string, data []byte) bool {
	if len(data) == 0 {
		return strings.Trim(text, "0") == ""
	}
	sum, weighted := sums(data)
	left := checksums(0)
	for i, r := range checksumReadings {
		if *c&(1<<i) != 0 && r.print(data, sum, weighted) == text {
			left |= 1 << i
		}
	}
	if left != 0 {
		*c = left
	}
	return left != 0
}

// of returns the checksum of data as the peer is likely to read it.
func (c checksums) of(data []byte) string {
	if len(data) == 0 {
		return "0"
	}
	sum, weighted := sums(data)
	for i, r := range checksumReadings {
		if c&(1<<i) != 0 {
			return r.print(data, sum, weighted)
		}
	}
	panic("carrier: no reading of checksums left")
}

// sums returns the sum of signed octet + 1, and the same weighted from 1 up.
func sums(data []byte) (sum, weighted int64) {
	for i, b := range data {
		term := int64(int8(b)) + 1
		sum += term
		weighted += term * int64(i+1)
	}
	return sum, weighted
}

func (r checksumReading) print(data []byte, sum, weighted int64) string {
	total := weighted + (r.weight-1)*sum
	if r.skip {
		total -= (int64(int8(data[0])) + 1) * r.weight
	}
	switch {
	case r.wide && r.signed:
		return strconv.FormatInt(total, 10)
	case r.wide:
		return strconv.FormatUint(uint64(total), 10)
	case r.signed:
		return strconv.FormatInt(int64(int32(total)), 10)
	default:
		return strconv.FormatUint(uint64(uint32(total)), 10)
	}
}
