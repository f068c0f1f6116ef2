package wandpp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	start  = "<?xml version='1.0'?><?groove.net version='1.0'?>"
	device = "dpp://relay.example/e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s"
	other  = "dpp:///7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i"
)

// golden are the messages of wire profile 1, letter by letter.
var golden = []struct {
	message Message
	text    string
}{
	{&Publish{Online}, start + `<Publish Status="Online" Version="1"/>`},
	{&Publish{Offline}, start + `<Publish Status="Offline" Version="1"/>`},
	{&Subscribe{[]string{device}}, start + `<Subscribe Version="1"><Device URL="` + device + `"/></Subscribe>`},
	{&Unsubscribe{[]string{device, other}}, start + `<Unsubscribe Version="1"><Device URL="` + device + `"/><Device URL="` + other + `"/></Unsubscribe>`},
	{&Notify{[]DeviceStatus{{device, Online}, {other, Offline}}}, start + `<Notify Version="1"><Device Status="Online" URL="` + device +
		`"/><Device Status="Offline" URL="` + other + `"/></Notify>`},
	{&Subscribe{}, start + `<Subscribe Version="1"></Subscribe>`},
	{&Subscribe{[]string{"dpp://a&b&/'c'"}}, start + `<Subscribe Version="1"><Device URL="dpp://a&amp;b&amp;/'c'"/></Subscribe>`},
}

func TestGolden(t *testing.T) {
	for _, test := range golden {
		text, err := Encode(test.message)
		if err != nil || string(text) != test.text {
			t.Errorf("%+v: %v\n%s\nwant\n%s", test.message, err, text, test.text)
		}
		// Whatever pieces it comes in.
		for _, r := range []io.Reader{strings.NewReader(test.text), iotest.OneByteReader(strings.NewReader(test.text)), iotest.DataErrReader(strings.NewReader(test.text))} {
			if m, err := Decode(r); err != nil || !reflect.DeepEqual(m, test.message) {
				t.Errorf("%s: %+v, %v", test.text, m, err)
			}
		}
	}
}

// TestReadings has other spellings of the same.
func TestReadings(t *testing.T) {
	want := &Subscribe{[]string{device}}
	for name, text := range map[string]string{
		"no prolog":         `<Subscribe Version="1"><Device URL="` + device + `"/></Subscribe>`,
		"an encoding":       `<?xml version="1.0" encoding="utf-8"?><Subscribe Version="1"><Device URL="` + device + `"/></Subscribe>`,
		"space":             start + "\r\n<Subscribe Version='1'>\n\t<Device\n URL='" + device + "'></Device>\n</Subscribe>\n",
		"comments":          "<!-- a --><Subscribe Version='1'><!-- b --><Device URL='" + device + "'><!-- c --></Device></Subscribe><!-- d -->",
		"unknown attribute": `<Subscribe Flags="3" Version="1"><Device Name="x" URL="` + device + `"/></Subscribe>`,
		"a prefix":          `<g:Subscribe xmlns:g="urn:groove.net" Version="1"><g:Device URL="` + device + `"/></g:Subscribe>`,
		"a namespace":       `<Subscribe xmlns="urn:groove.net" Version="1"><Device URL="` + device + `"/></Subscribe>`,
		"references":        `<Subscribe Version="&#49;"><Device URL="d&#x70;p` + strings.TrimPrefix(device, "dpp") + `"/></Subscribe>`,
	} {
		if m, err := Decode(strings.NewReader(text)); err != nil || !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                 "",
		"prolog only":           start,
		"cut off":               start + `<Subscribe Version="1"><Device URL="` + device + `"/>`,
		"cut off in a device":   start + `<Subscribe Version="1"><Device URL="` + device + `">`,
		"text":                  "hello",
		"text in a message":     `<Subscribe Version="1">x</Subscribe>`,
		"text in a device":      `<Subscribe Version="1"><Device URL="` + device + `">x</Device></Subscribe>`,
		"text after":            `<Publish Status="Online" Version="1"/>x`,
		"two messages":          `<Publish Status="Online" Version="1"/><Publish Status="Offline" Version="1"/>`,
		"other element":         `<Hello Version="1"/>`,
		"other child":           `<Subscribe Version="1"><Identity URL="` + device + `"/></Subscribe>`,
		"nested device":         `<Subscribe Version="1"><Device URL="` + device + `"><Device URL="` + device + `"/></Device></Subscribe>`,
		"device in a publish":   `<Publish Status="Online" Version="1"><Device URL="` + device + `"/></Publish>`,
		"ends do not match":     `<Subscribe Version="1"></Unsubscribe>`,
		"no version":            `<Publish Status="Online"/>`,
		"other version":         `<Publish Status="Online" Version="2"/>`,
		"no status":             `<Publish Version="1"/>`,
		"other status":          `<Publish Status="Away" Version="1"/>`,
		"status in other case":  `<Publish Status="online" Version="1"/>`,
		"no status in a notify": `<Notify Version="1"><Device URL="` + device + `"/></Notify>`,
		"two versions":          `<Publish Status="Online" Version="1" Version="1"/>`,
		"no URL":                `<Subscribe Version="1"><Device/></Subscribe>`,
		"URL of a relay":        `<Subscribe Version="1"><Device URL="grooveDNS://relay.example"/></Subscribe>`,
		"URL with a quote":      `<Subscribe Version="1"><Device URL="dpp://&quot;"/></Subscribe>`,
		"URL with a line break": `<Subscribe Version="1"><Device URL="dpp://a&#10;b"/></Subscribe>`,
		"long URL":              `<Subscribe Version="1"><Device URL="dpp://` + strings.Repeat("x", MaxURL) + `"/></Subscribe>`,
		"many attributes":       `<Publish Status="Online" Version="1" a="" b="" c="" d="" e="" f="" g=""/>`,
		"other namespace":       `<Publish xmlns="urn:other" Status="Online" Version="1"/>`,
		"attribute prefix":      `<Publish xmlns:g="urn:groove.net" g:Status="Online" Version="1"/>`,
		"definition of a type":  `<!DOCTYPE Publish [<!ENTITY a "b">]><Publish Status="Online" Version="1"/>`,
		"unknown entity":        `<Publish Status="&a;" Version="1"/>`,
		"other instruction":     `<?php exec?><Publish Status="Online" Version="1"/>`,
		"instruction inside":    `<Subscribe Version="1"><?groove.net version='1.0'?></Subscribe>`,
		"instruction after":     `<Publish Status="Online" Version="1"/><?groove.net version='1.0'?>`,
		"other encoding":        `<?xml version="1.0" encoding="utf-16"?><Publish Status="Online" Version="1"/>`,
		"not UTF-8":             "<Publish Status=\"Online\" Version=\"1\" a=\"\xff\"/>",
	} {
		if m, err := Decode(strings.NewReader(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestLimits(t *testing.T) {
	urls := slices.Repeat([]string{"dpp://" + strings.Repeat("x", MaxURL-len("dpp://"))}, MaxDevices)
	text, err := Encode(&Subscribe{urls})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := Decode(bytes.NewReader(text)); err != nil || len(m.(*Subscribe).Devices) != MaxDevices {
		t.Errorf("the most and longest: %v", err)
	}
	if _, err := Encode(&Unsubscribe{append(urls, device)}); !errors.Is(err, ErrLimit) {
		t.Errorf("encoding too many: %v", err)
	}
	for _, bad := range []string{"", "x", "dpp://", "dpp://<", "dpp://" + strings.Repeat("x", MaxURL)} {
		if _, err := Encode(&Notify{[]DeviceStatus{{URL: bad}}}); !errors.Is(err, ErrMalformed) {
			t.Errorf("encoding %.20q: %v", bad, err)
		}
	}
	if _, err := Encode(&Subscribe{slices.Repeat([]string{"dpp://" + strings.Repeat("&", MaxURL-6)}, MaxDevices)}); !errors.Is(err, ErrLimit) {
		t.Errorf("encoding too much: %v", err)
	}

	comment := "<!--" + strings.Repeat("a", maxSpan/2) + "-->"
	for name, test := range map[string]struct {
		head, piece string
		want        error
		atMost      int // octets read
	}{
		"devices":     {`<Subscribe Version="1">`, `<Device URL="` + device + `"/>`, ErrLimit, MaxDocument},
		"comments":    {" ", comment, ErrLimit, MaxDocument + 1},
		"space":       {`<Subscribe Version="1">`, "    ", ErrMalformed, 3 * maxSpan},
		"depth":       {`<Subscribe Version="1">`, `<Device URL="` + device + `">`, ErrMalformed, 3 * maxSpan},
		"attributes":  {`<Subscribe`, ` a=">"`, ErrMalformed, 3 * maxSpan},
		"one value":   {`<Subscribe a="`, "aaaa", ErrMalformed, 3 * maxSpan},
		"one comment": {`<!--`, "aaaa", ErrMalformed, 3 * maxSpan},
		"name":        {`<`, "aaaa", ErrMalformed, 3 * maxSpan},
	} {
		r := &endlessReader{head: test.head, piece: test.piece}
		if _, err := Decode(r); !errors.Is(err, test.want) || r.read > test.atMost {
			t.Errorf("endless %s: %v after %d octets, want %v after %d at most", name, err, r.read, test.want, test.atMost)
		}
	}
}

// endlessReader repeats a piece.
type endlessReader struct {
	head, piece, rest string
	read              int
}

func (r *endlessReader) Read(p []byte) (int, error) {
	if r.rest == "" {
		r.rest = r.piece
		if r.read == 0 {
			r.rest = r.head
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	r.read += n
	return n, nil
}

// TestReadError has the sequence cut off: that is not the document's fault.
func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"", start, start + "<Subscribe", golden[2].text} {
		_, err := Decode(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestStatusString(t *testing.T) {
	if got := fmt.Sprint(Online, Offline, Status(7)); got != "Online Offline Status(7)" {
		t.Error(got)
	}
}

// FuzzDecode has what was read be written and read again.
func FuzzDecode(f *testing.F) {
	for _, g := range golden {
		f.Add([]byte(g.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Decode(bytes.NewReader(text))
		if err != nil {
			if m != nil || !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrLimit) {
				t.Fatalf("%+v, %v", m, err)
			}
			return
		}
		again, err := Encode(m)
		if errors.Is(err, ErrLimit) { // escapes make a document longer
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if same, err := Decode(bytes.NewReader(again)); err != nil || !reflect.DeepEqual(same, m) {
			t.Fatalf("%+v, %v after %+v", same, err, m)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text, err := Encode(&Subscribe{slices.Repeat([]string{device}, MaxDevices)})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Decode(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
