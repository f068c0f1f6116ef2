package auditlog

import (
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
)

const device = "7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i"

var marked = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// Keys are made once: making them is slow.
var (
	domainKey = sync.OnceValue(func() *keys.RSAPrivateKey { return generate() })
	otherKey  = sync.OnceValue(func() *keys.RSAPrivateKey { return generate() })
)

func generate() *keys.RSAPrivateKey {
	key, err := keys.GenerateRSAKey()
	if err != nil {
		panic(err)
	}
	return key
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t testing.TB) keys.SharedKey {
	t.Helper()
	key, err := NewKey()
	must(t, err)
	return key
}

// seal returns a log of one session with these events.
func seal(t testing.TB, lockOn keys.SharedKey, sequence int32, events ...string) []byte {
	t.Helper()
	w := NewWriter(device, lockOn, domainKey().EncryptionKey())
	must(t, w.Begin([]byte("<Begin/>")))
	for _, e := range events {
		must(t, w.Add([]byte(e)))
	}
	must(t, w.End([]byte("<End/>")))
	log, err := w.Seal(sequence, marked)
	must(t, err)
	return log
}

func parse(t testing.TB, data []byte) *Log {
	t.Helper()
	l, err := Parse(data)
	must(t, err)
	return l
}
