// Package ntlmtest is the server's side of NTLM for tests: it checks the proof of one
// user ([MS-NLMP] 3.3.2), by itself and as the program that squid asks.
package ntlmtest

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //lint:ignore SA1019 NTLM is made of it
)

// Verifier knows one user, and serves one connection after the other.
type Verifier struct {
	Domain, User, Password string
	challenged             bool
}

var serverChallenge = []byte{1, 2, 3, 4, 5, 6, 7, 8}

// Take takes a message, in base 64. It returns the CHALLENGE_MESSAGE for a
// NEGOTIATE_MESSAGE, and nothing and whether it is authentic for an
// AUTHENTICATE_MESSAGE.
func (v *Verifier) Take(value string) (challenge string, passed bool) {
	message, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(message) < 12 || string(message[:8]) != "NTLMSSP\x00" {
		return "", false
	}
	switch kind := binary.LittleEndian.Uint32(message[8:]); {
	case kind == 1:
		v.challenged = true
		return base64.StdEncoding.EncodeToString(v.challengeMessage()), false
	case kind == 3 && v.challenged:
		v.challenged = false
		return "", v.authentic(message)
	}
	return "", false
}

// Help answers squid, whose lines are YR for a connection that begins, with the
// client's message if there is one, and KK with the next.
func (v *Verifier) Help(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		command, message, _ := strings.Cut(lines.Text(), " ")
		answer := "BH not understood"
		switch challenge, passed := v.Take(message); {
		case command == "YR" && challenge == "": // without a message
			v.challenged = true
			answer = "TT " + base64.StdEncoding.EncodeToString(v.challengeMessage())
		case command == "YR":
			answer = "TT " + challenge
		case command == "KK" && passed:
			answer = "AF " + v.User
		case command == "KK":
			answer = "NA not authentic"
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

// challengeMessage is a CHALLENGE_MESSAGE ([MS-NLMP] 2.2.1.2).
func (v *Verifier) challengeMessage() []byte {
	target := toUTF16(v.Domain)
	info := append(attribute(2, target), attribute(0, nil)...)
	const header = 56
	m := make([]byte, header)
	copy(m, "NTLMSSP\x00")
	binary.LittleEndian.PutUint32(m[8:], 2)
	field(m[12:], len(target), header)
	// Unicode, target is a domain, NTLM, extended session security, target info.
	binary.LittleEndian.PutUint32(m[20:], 0x1|0x4|0x200|0x10000|0x80000|0x800000)
	copy(m[24:], serverChallenge)
	field(m[40:], len(info), header+len(target))
	return append(append(m, target...), info...)
}

func field(at []byte, size, offset int) {
	binary.LittleEndian.PutUint16(at, uint16(size))
	binary.LittleEndian.PutUint16(at[2:], uint16(size))
	binary.LittleEndian.PutUint32(at[4:], uint32(offset))
}

func attribute(id uint16, value []byte) []byte {
	a := binary.LittleEndian.AppendUint16(nil, id)
	a = binary.LittleEndian.AppendUint16(a, uint16(len(value)))
	return append(a, value...)
}

// authentic checks the NTLMv2 response of an AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1.3,
// 3.3.2).
func (v *Verifier) authentic(m []byte) bool {
	response, domain, name := payload(m, 20), payload(m, 28), payload(m, 36)
	if len(response) < 16 || !bytes.Equal(domain, toUTF16(v.Domain)) || !bytes.Equal(name, toUTF16(v.User)) {
		return false
	}
	hash := md4.New()
	hash.Write(toUTF16(v.Password))
	key := hmacMD5(hash.Sum(nil), toUTF16(strings.ToUpper(v.User)+v.Domain))
	return hmac.Equal(response[:16], hmacMD5(key, serverChallenge, response[16:]))
}

// payload is the value of the field at an offset.
func payload(m []byte, at int) []byte {
	if len(m) < at+8 {
		return nil
	}
	size, offset := int(binary.LittleEndian.Uint16(m[at:])), int(binary.LittleEndian.Uint32(m[at+4:]))
	if offset+size > len(m) {
		return nil
	}
	return m[offset : offset+size]
}

func hmacMD5(key []byte, pieces ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, piece := range pieces {
		h.Write(piece)
	}
	return h.Sum(nil)
}

func toUTF16(s string) []byte {
	var octets []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		octets = binary.LittleEndian.AppendUint16(octets, unit)
	}
	return octets
}
