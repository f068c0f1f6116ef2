package keys

import (
	"bytes"
	"crypto/sha1"
	"testing"
)

func TestSum(t *testing.T) {
	// RFC 3174 section 7.3, test 1.
	const abc = "a9993e364706816aba3e25717850c26c9cd0d89d"
	if got := Sum(1, []byte("a"), nil, []byte("bc")).String(); got != abc {
		t.Errorf("one round is %s, want %s", got, abc)
	}
	again := Digest(sha1.Sum(unhex(t, abc)))
	if got := Sum(2, []byte("abc")); got != again {
		t.Errorf("two rounds are %s, want %s", got, again)
	}
	if got, want := Sum(3, []byte("abc")), Digest(sha1.Sum(again[:])); got != want {
		t.Errorf("three rounds are %s, want %s", got, want)
	}
	if got := Sum(0, []byte("abc")).String(); got != abc {
		t.Errorf("no round is %s, want %s", got, abc)
	}
}

func TestUTF16LE(t *testing.T) {
	for _, test := range []struct {
		in   string
		want []byte
	}{
		{"", []byte{}},
		{"RSA", []byte{0x52, 0, 0x53, 0, 0x41, 0}}, // as the dump in MS-GRVSPCM 3.1.3
		{"é€", []byte{0xe9, 0, 0xac, 0x20}},
		{"\U0001d11e", []byte{0x34, 0xd8, 0x1e, 0xdd}},
		{"a\xffb", []byte{0x61, 0, 0xfd, 0xff, 0x62, 0}},
	} {
		if got := UTF16LE(test.in); !bytes.Equal(got, test.want) {
			t.Errorf("UTF16LE(%q) = %x, want %x", test.in, got, test.want)
		}
	}
}
