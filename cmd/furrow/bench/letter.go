package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"sync"
)

// A letter is the body of a message: route, number, a sum over both and filler, and
// the filler, which does not compress.
const (
	letterHead = 4 + 4 + 4
	// minLetter is the least that can be sent.
	minLetter = letterHead + 1
	// maxLetter is what the servers take in one message without being told.
	maxLetter = 1 << 20
)

// letters writes and checks the letters of a scenario.
type letters struct {
	filler []byte
	table  *crc32.Table
}

func newLetters(size int) (letters, error) {
	if size < minLetter || size > maxLetter {
		return letters{}, fmt.Errorf("messages of %d octets: %d to %d are possible", size, minLetter, maxLetter)
	}
	filler := make([]byte, size-letterHead)
	var seed [32]byte
	_, _ = rand.NewChaCha8(seed).Read(filler) // never fails
	return letters{filler, crc32.MakeTable(crc32.Castagnoli)}, nil
}

// sum is cheap: the clients take the machine's time too.
func (l letters) sum(head, filler []byte) uint32 {
	return crc32.Update(crc32.Checksum(head, l.table), l.table, filler)
}

// write returns a letter.
func (l letters) write(route, number int) []byte {
	b := make([]byte, 0, letterHead+len(l.filler))
	b = binary.BigEndian.AppendUint32(b, uint32(route))
	b = binary.BigEndian.AppendUint32(b, uint32(number))
	b = binary.BigEndian.AppendUint32(b, l.sum(b, l.filler))
	return append(b, l.filler...)
}

// read checks a letter.
func (l letters) read(b []byte) (route, number int, err error) {
	if len(b) != letterHead+len(l.filler) {
		return 0, 0, fmt.Errorf("a message of %d octets has come that was sent with %d", len(b), letterHead+len(l.filler))
	}
	if l.sum(b[:8], b[letterHead:]) != binary.BigEndian.Uint32(b[8:]) {
		return 0, 0, errors.New("a message has come that is not what was sent")
	}
	return int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:])), nil
}

// mailbox is what a person has got.
type mailbox struct {
	letters letters
	route   int

	mu   sync.Mutex
	seen []bool // by number
	left int
}

func newMailbox(l letters, route, count int) *mailbox {
	return &mailbox{letters: l, route: route, seen: make([]bool, count), left: count}
}

// take checks a letter that has come, and reports whether it was the last one.
func (m *mailbox) take(body []byte) (last bool, err error) {
	route, number, err := m.letters.read(body)
	if err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case route != m.route || number >= len(m.seen):
		return false, fmt.Errorf("message %d of route %d has come to who has %d messages of route %d", number, route, len(m.seen), m.route)
	case m.seen[number]:
		return false, fmt.Errorf("message %d of route %d has come twice", number, route)
	}
	m.seen[number] = true
	m.left--
	return m.left == 0, nil
}
