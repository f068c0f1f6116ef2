package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"furrow/appliance/checkup"
)

// outcome is what a check that returned these would be shown as.
func outcome(found string, err error) (checkup.Outcome, string) {
	var f *ending
	switch {
	case err == nil:
		return checkup.Well, found
	case errors.As(err, &f):
		return f.outcome, f.found
	}
	return checkup.Failed, err.Error()
}

func expect(t *testing.T, name string, want checkup.Outcome, words string, found string, err error) {
	t.Helper()
	if got, text := outcome(found, err); got != want || !strings.Contains(text, words) {
		t.Errorf("%s: %s, %q; want %s with %q", name, got, text, want, words)
	}
}

func TestJudgeDisk(t *testing.T) {
	for name, test := range map[string]struct {
		speed  float64
		median time.Duration
		want   checkup.Outcome
		words  string
	}{
		"fast":        {180_000, time.Millisecond, checkup.Well, "100.0 times"},
		"just enough": {demanded, time.Millisecond, checkup.Well, "1.0 times"},
		"slow":        {900, time.Millisecond, checkup.Failed, "0.5 times"},
		"late":        {5000, 200 * time.Millisecond, checkup.Warning, "200ms"},
	} {
		found, err := judgeDisk(test.speed, test.median, 2*test.median)
		expect(t, name, test.want, test.words, found, err)
	}
}

func TestJudgeSpace(t *testing.T) {
	for name, test := range map[string]struct {
		free uint64
		want checkup.Outcome
	}{"plenty": {10e9, checkup.Well}, "little": {1e9, checkup.Warning}, "none": {1e8, checkup.Failed}} {
		found, err := judgeSpace(test.free, 20e9, 5e6)
		expect(t, name, test.want, "takes 5.0 MB", found, err)
	}
}

func TestJudgeClock(t *testing.T) {
	later := builtAfter().Add(time.Hour)
	for name, test := range map[string]struct {
		now  time.Time
		kept bool
		want checkup.Outcome
	}{
		"kept": {later, true, checkup.Well}, "free": {later, false, checkup.Warning},
		"from 1970": {time.Unix(0, 0), true, checkup.Failed},
	} {
		found, err := judgeClock(test.now, test.kept, time.Second)
		expect(t, name, test.want, "UTC", found, err)
	}
}

func TestJudgeName(t *testing.T) {
	own := []string{"127.0.0.1", "192.0.2.7"}
	lookup := func(_ context.Context, host string) ([]string, error) {
		switch host {
		case "here":
			return []string{"192.0.2.7", "192.0.2.8"}, nil
		case "there":
			return []string{"203.0.113.1"}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host}
	}
	for host, want := range map[string]checkup.Outcome{
		"here": checkup.Well, "there": checkup.Warning, "nowhere": checkup.Failed, "198.51.100.1": checkup.Well, "2001:db8::1": checkup.Well,
	} {
		found, err := judgeName(t.Context(), host, lookup, own)
		expect(t, host, want, host, found, err)
	}
}

func TestRelayHost(t *testing.T) {
	for relay, want := range map[string]string{
		"grooveDNS://relay.example": "relay.example", "grooveDNS://relay.example:1": "relay.example",
		"grooveDNS://[::1]:2": "::1", "grooveDNS://[::1]": "::1",
	} {
		if got := relayHost(relay); got != want {
			t.Errorf("%s: %s, want %s", relay, got, want)
		}
	}
}

func TestJudgeCertificate(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	made := func(name string, from, until time.Time) []*x509.Certificate {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: from, NotAfter: until}
		der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		return []*x509.Certificate{c}
	}
	year := 365 * 24 * time.Hour
	for name, test := range map[string]struct {
		chain []*x509.Certificate
		want  checkup.Outcome
		words string
	}{
		"self-signed":  {made("box", now.Add(-year), now.Add(year)), checkup.Well, "made by the box itself"},
		"another name": {made("other", now.Add(-year), now.Add(year)), checkup.Failed, "for other, not for box"},
		"ended":        {made("box", now.Add(-year), now.Add(-time.Hour)), checkup.Failed, "ended on 2026-03-14"},
		"ends soon":    {made("box", now.Add(-year), now.Add(72*time.Hour)), checkup.Warning, "ends on 2026-03-17"},
		"not yet":      {made("box", now.Add(year), now.Add(2*year)), checkup.Failed, "begins on 2027"},
	} {
		found, err := judgeCertificate(test.chain, "box", now)
		expect(t, name, test.want, test.words, found, err)
	}
}

func TestReachable(t *testing.T) {
	for address, want := range map[string]string{
		"[::]:80": "localhost:80", "0.0.0.0:80": "localhost:80", "127.0.0.1:80": "127.0.0.1:80", "[::1]:80": "[::1]:80",
	} {
		if got := reachable(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, test := range []struct {
		results []checkup.Outcome
		want    checkup.Outcome
	}{
		{nil, checkup.Well}, {[]checkup.Outcome{checkup.Well, checkup.NotTried}, checkup.NotTried},
		{[]checkup.Outcome{checkup.Warning, checkup.NotTried, checkup.Well}, checkup.Warning},
		{[]checkup.Outcome{checkup.Failed, checkup.Warning}, checkup.Failed},
	} {
		var findings []checkup.Finding
		for _, o := range test.results {
			findings = append(findings, checkup.Finding{Outcome: o})
		}
		if got := Worst(findings); got != test.want {
			t.Errorf("%v: %s", test.results, got)
		}
	}
}
