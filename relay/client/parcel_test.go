package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func testParcel() *Parcel {
	return &Parcel{ID: strings.Repeat("0a", parcelIDSize), Name: "Grüße <1>.txt", Size: 1 << 40, SHA256: [32]byte{1, 2, 3}}
}

// rawParcel is a parcel with any header.
func rawParcel(header string) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(parcelMagic), uint32(len(header)))
	return append(b, header...)
}

func TestParcelRoundTrip(t *testing.T) {
	want := testParcel()
	octets, err := want.AppendHeader(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(append(octets, "content"...))
	got, err := ReadParcel(iotest.OneByteReader(r))
	if err != nil || *got != *want {
		t.Fatalf("%+v, %v", got, err)
	}
	if rest, err := io.ReadAll(r); err != nil || string(rest) != "content" {
		t.Errorf("content %q, %v", rest, err)
	}
}

func TestNotParcel(t *testing.T) {
	good, err := testParcel().AppendHeader(nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := strings.Repeat("00", 32)
	id := strings.Repeat("0a", 16)
	for name, octets := range map[string][]byte{
		"empty":             nil,
		"cut in the magic":  good[:5],
		"cut in the header": good[:len(good)-1],
		"other magic":       append([]byte("X"), good[1:]...),
		"endless header":    binary.LittleEndian.AppendUint32([]byte(parcelMagic), 1<<32-1),
		"no JSON":           rawParcel("{"),
		"short digest":      rawParcel(`{"id":"` + id + `","name":"a","sha256":"00"}`),
		"path as id":        rawParcel(`{"id":"../../../../../../etc/cron.d/xx","name":"a","sha256":"` + digest + `"}`),
		"id in upper case":  rawParcel(`{"id":"` + strings.ToUpper(id) + `","name":"a","sha256":"` + digest + `"}`),
		"no name":           rawParcel(`{"id":"` + id + `","sha256":"` + digest + `"}`),
		"long name":         rawParcel(`{"id":"` + id + `","name":"` + strings.Repeat("a", 256) + `","sha256":"` + digest + `"}`),
		"negative size":     rawParcel(`{"id":"` + id + `","name":"a","size":-1,"sha256":"` + digest + `"}`),
	} {
		if p, err := ReadParcel(bytes.NewReader(octets)); !errors.Is(err, ErrNotParcel) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	broken := errors.New("broken")
	if _, err := ReadParcel(failing{broken}); !errors.Is(err, broken) || errors.Is(err, ErrNotParcel) {
		t.Errorf("a lost connection: %v", err)
	}
}

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"report.pdf":                      "report.pdf",
		"Grüße (1).txt":                   "Grüße (1).txt",
		"../../etc/passwd":                "_.._.._etc_passwd",
		`C:\boot.ini`:                     "C:_boot.ini",
		".bashrc":                         "_.bashrc",
		"..":                              "_..",
		"   ":                             "_   ",
		"a\x1b[2Jb\nc\u202e":              "a_[2Jb_c_",
		strings.Repeat("ü", 127):          strings.Repeat("ü", 107),
		strings.Repeat("a", 251) + ".txt": strings.Repeat("a", 211) + ".txt",
	} {
		if got := SafeName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzReadParcel(f *testing.F) {
	good, err := testParcel().AppendHeader(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(rawParcel(`{"id":1}`))
	f.Fuzz(func(t *testing.T, octets []byte) {
		p, err := ReadParcel(bytes.NewReader(octets))
		if err != nil {
			return
		}
		again, err := p.AppendHeader(nil)
		if err != nil {
			t.Fatalf("%+v was read and cannot be written: %v", p, err)
		}
		if q, err := ReadParcel(bytes.NewReader(again)); err != nil || *p != *q {
			t.Fatalf("%+v became %+v, %v", p, q, err)
		}
		if name := SafeName(p.Name); strings.ContainsAny(name, "/\x00") || name == "." || name == ".." || name == "" || len(name) > maxName-20 {
			t.Fatalf("%q became %q", p.Name, name)
		}
	})
}
