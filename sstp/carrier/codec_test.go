package carrier

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const testGUID = "abcdefghijkmnpqrstuvwxyz23456789abcdefa"

func TestGUIDForm(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		g := newGUID()
		if len(g) != 39 || !isGUID(g) || !strings.Contains("ais2", g[38:]) {
			t.Fatalf("GUID %q", g)
		}
		if strings.Trim(g, "abcdefghijkmnpqrstuvwxyz23456789") != "" || seen[g] {
			t.Fatalf("GUID %q", g)
		}
		seen[g] = true
	}
}

func TestTarget(t *testing.T) {
	const ll = "/2.0/relay.example/" + testGUID + ",ConnType=LongLived,ContentLength=2147479552"
	const ka = "/2.0/relay.example/" + testGUID + ",ConnType=KeepAlive"
	longLived := target{"relay.example", testGUID, LongLived, fullBudget}
	keepAlive := target{"relay.example", testGUID, KeepAlive, 0}
	for _, tt := range []struct {
		in   string
		want target
		err  error
	}{
		{ll, longLived, nil},
		{ka, keepAlive, nil},
		{"http://relay.example" + ll, longLived, nil},
		{"HTTP://relay.example:80" + ka, keepAlive, nil},
		{ll + ", ID=" + testGUID, longLived, nil},
		{ka + ",ID=x,Other", keepAlive, nil},
		{strings.Replace(ka, "2.0", "3.0", 1), target{}, errVersion},
		{"/2.0/relay.example/" + testGUID + ",ConnType=Other", target{}, errTarget},
		{"/2.0/relay.example/" + testGUID, target{}, errTarget},
		{"/2.0/relay.example/,ConnType=KeepAlive", target{}, errTarget},
		{"/2.0//" + testGUID + ",ConnType=KeepAlive", target{}, errTarget},
		{"/2.0/relay.example/" + strings.Repeat("a", 65) + ",ConnType=KeepAlive", target{}, errTarget},
		{"/2.0/relay.example/a/b,ConnType=KeepAlive", target{}, errTarget},
		{strings.Replace(ll, "2147479552", "-1", 1), target{}, errTarget},
		{strings.Replace(ll, "2147479552", "99999999999999999999", 1), target{}, errTarget},
		{"/", target{}, errTarget},
		{"http://relay.example", target{}, errTarget},
		{"", target{}, errTarget},
	} {
		got, err := parseTarget(tt.in)
		if !errors.Is(err, tt.err) || err == nil && got != tt.want {
			t.Errorf("%s: got %+v, %v", tt.in, got, err)
		}
	}
	if got := string(longLived.appendTo(nil)); got != ll {
		t.Errorf("LongLived is %s", got)
	}
	if got := string(keepAlive.appendTo(nil)); got != ka {
		t.Errorf("KeepAlive is %s", got)
	}
}

func TestMessage(t *testing.T) {
	const text = "1.2\x00grooveDNS://relay.example\x00" + testGUID + "\x007\x0012345\x00"
	want := message{"relay.example", testGUID, 7, "12345"}
	if got := string(want.appendTo(nil)); got != text {
		t.Errorf("message is %q", got)
	}
	got, data, err := parseMessage([]byte(text + "data\x00"))
	if err != nil || got != want || string(data) != "data\x00" {
		t.Errorf("got %+v, %q, %v", got, data, err)
	}
	for _, bad := range []string{
		"",
		text[:len(text)-1],
		strings.Replace(text, "1.2", "1.3", 1),
		strings.Replace(text, "grooveDNS://", "http://", 1),
		strings.Replace(text, "relay.example", "", 1),
		strings.Replace(text, testGUID, "", 1),
		strings.Replace(text, testGUID, strings.Repeat("a", 65), 1),
		strings.Replace(text, "\x007\x00", "\x00-7\x00", 1),
		strings.Replace(text, "\x007\x00", "\x0099999999999999999999\x00", 1),
		strings.Replace(text, "12345", "", 1),
		strings.Replace(text, "12345", "x", 1),
	} {
		if m, _, err := parseMessage([]byte(bad)); !errors.Is(err, errMessage) {
			t.Errorf("%q: got %+v, %v", bad, m, err)
		}
	}
}

func TestPollTerms(t *testing.T) {
	text := idleTerms.appendTo(nil)
	if string(text) != "5\x005\x001\x00" {
		t.Errorf("terms are %q", text)
	}
	got, rest, err := parsePollTerms(append(text, "rest"...))
	if err != nil || got != idleTerms || string(rest) != "rest" {
		t.Errorf("got %+v, %q, %v", got, rest, err)
	}
	for _, bad := range []string{"", "5\x005\x00", "5\x00-5\x001\x00", "5\x004294967296\x001\x00", "5\x00\x001\x00"} {
		if _, _, err := parsePollTerms([]byte(bad)); !errors.Is(err, errMessage) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// The sums of short data, computed by hand from the pseudo-code.
func TestChecksumReadings(t *testing.T) {
	data := []byte{1, 2, 0x80, 0xff} // terms 2, 3, -127, 0
	for _, tt := range []struct {
		reading checksumReading
		want    string
	}{
		{checksumReading{weight: 1}, "4294966923"}, // 2*1 + 3*2 - 127*3 = -373
		{checksumReading{weight: 1, signed: true}, "-373"},
		{checksumReading{weight: 1, wide: true}, "18446744073709551243"},
		{checksumReading{weight: 1, wide: true, signed: true}, "-373"},
		{checksumReading{weight: 2, signed: true}, "-495"},             // 4 + 9 - 508
		{checksumReading{skip: true, weight: 1, signed: true}, "-375"}, // 6 - 381
		{checksumReading{skip: true, weight: 2, signed: true}, "-499"}, // 9 - 508
		{checksumReading{skip: true, weight: 0, signed: true}, "-251"}, // 3 - 254
	} {
		sum, weighted := sums(data)
		if got := tt.reading.print(data, sum, weighted); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.reading, got, tt.want)
		}
	}
}

// Whatever reading a peer has, it is found out, kept to and answered with.
func TestChecksumReadingIsRemembered(t *testing.T) {
	bodies := [][]byte{{0x90, 3}, random(3, maxBody), {200}, random(4, 50)}
	for i, r := range checksumReadings {
		t.Run(fmt.Sprintf("%+v", r), func(t *testing.T) {
			c := anyChecksum()
			for _, data := range bodies {
				sum, weighted := sums(data)
				text := r.print(data, sum, weighted)
				if !c.accept("0", nil) || !c.accept(text, data) || c&(1<<i) == 0 {
					t.Fatalf("%s of %d octets: not accepted", text, len(data))
				}
				if got := c.of(data); got != text {
					t.Errorf("answered with %s, want %s", got, text)
				}
			}
			for _, bad := range []string{"0", "", "1x", "12345"} {
				if c.accept(bad, bodies[1]) {
					t.Errorf("%q accepted", bad)
				}
			}
			if c&(1<<i) == 0 {
				t.Error("a bad checksum has changed the reading")
			}
		})
	}
	c := anyChecksum()
	if c.accept("1", nil) {
		t.Error("a checksum of nothing accepted")
	}
	if got := c.of(nil); got != "0" {
		t.Errorf("the checksum of nothing is %s", got)
	}
}

func TestResponseOverheadIsEnough(t *testing.T) {
	m := message{server: strings.Repeat("a", maxServerName), guid: strings.Repeat("a", maxGUID), sequence: 1<<64 - 1}
	limit := responseOverhead(m)
	m.checksum = strings.Repeat("9", maxNumber)
	body := pollTerms{1<<32 - 1, 1<<32 - 1, 1<<32 - 1}.appendTo(m.appendTo(nil))
	if len(body) > limit || limit > maxBody/2 {
		t.Errorf("%d octets, reckoned with %d", len(body), limit)
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("http://relay.example/2.0/relay.example/" + testGUID + ",ConnType=LongLived,ContentLength=2147479552, ID=x")
	f.Add("/2.0/r/g,ConnType=KeepAlive")
	f.Fuzz(func(t *testing.T, in string) {
		first, err := parseTarget(in)
		if err != nil {
			return
		}
		again, err := parseTarget(string(first.appendTo(nil)))
		if first.mode == KeepAlive {
			again.budget = first.budget // is not sent
		}
		if err != nil || again != first {
			t.Fatalf("%+v, sent and parsed again %+v, %v", first, again, err)
		}
	})
}

// One target for both parsers of Polling's bodies, as a client meets them.
func FuzzMessage(f *testing.F) {
	f.Add([]byte("1.2\x00grooveDNS://relay.example\x00" + testGUID + "\x007\x0012345\x005\x005\x001\x00data"))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, rest, err := parseMessage(in)
		if err != nil {
			return
		}
		if again, rest2, err := parseMessage(append(m.appendTo(nil), rest...)); err != nil || again != m || string(rest2) != string(rest) {
			t.Fatalf("%+v, sent and parsed again %+v, %v", m, again, err)
		}
		terms, data, err := parsePollTerms(rest)
		if err != nil {
			return
		}
		c := anyChecksum()
		if c.accept(m.checksum, data) {
			c.of(data)
		}
		if again, _, err := parsePollTerms(terms.appendTo(nil)); err != nil || again != terms {
			t.Fatalf("%+v, sent and parsed again %+v, %v", terms, again, err)
		}
	})
}
