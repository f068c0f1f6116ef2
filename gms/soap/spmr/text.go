package spmr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Byte order marks.
const (
	utf8Mark    = "\uFEFF"
	utf16LEMark = "\xFF\xFE"
)

// windows1252 is what the bytes from 0x80 to 0x9F mean in the code page that
// "ANSI" is on most machines; above them it agrees with Latin-1.
var windows1252 = [32]rune{
	'€', 0xFFFD, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0xFFFD, 'Ž', 0xFFFD,
	0xFFFD, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0xFFFD, 'ž', 'Ÿ',
}

// decodeText reads a file that a Windows program may have saved (reading F4):
// UTF-16 little-endian with or without byte order mark, UTF-8 with one, or ANSI.
func decodeText(file []byte) (string, error) {
	if text, ok := bytes.CutPrefix(file, []byte(utf16LEMark)); ok {
		return decodeUTF16(text)
	}
	if len(file) > 1 && file[0] != 0 && file[1] == 0 { // the text begins with a letter
		return decodeUTF16(file)
	}
	if text, ok := bytes.CutPrefix(file, []byte(utf8Mark)); ok {
		return string(text), nil
	}
	return decodeANSI(file), nil
}

func decodeUTF16(b []byte) (string, error) {
	if len(b)%2 != 0 {
		return "", errors.New("UTF-16 text of an odd number of bytes")
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units)), nil
}

func decodeANSI(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		r := rune(c)
		if c >= 0x80 && c <= 0x9F {
			r = windows1252[c-0x80]
		}
		s.WriteRune(r)
	}
	return s.String()
}

// encodeANSI writes a question mark for what the code page has not.
func encodeANSI(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, ansiByte(r))
	}
	return b
}

func ansiByte(r rune) byte {
	if r < 0x80 || r >= 0xA0 && r <= 0xFF {
		return byte(r)
	}
	for i, w := range windows1252 {
		if w == r && r != utf8.RuneError {
			return byte(0x80 + i)
		}
	}
	return '?'
}
