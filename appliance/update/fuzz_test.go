package update

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"strings"
	"testing"
)

// FuzzOpenBundle: nothing that the key has not signed is opened.
func FuzzOpenBundle(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	var good bytes.Buffer
	if err := WriteBundle(&good, Manifest{Version: "v", Build: 1, Architecture: "amd64"}, key, strings.NewReader("slot")); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte(magic + "\x00\x00\x00\x02{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := OpenBundle(bytes.NewReader(data), key.Public().(ed25519.PublicKey))
		if err != nil {
			return
		}
		if header := good.Bytes()[:good.Len()-len("slot")]; !bytes.Equal(b.Header(), header) {
			t.Fatalf("opened a header that nobody signed: %q", b.Header())
		}
		if _, err := io.ReadAll(b.content); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzSlotState: what is understood is written in a form that is understood alike.
func FuzzSlotState(f *testing.F) {
	f.Add(block("slot=B\npending=A\ntries=1\nmachine=" + machine + "\n"))
	f.Fuzz(func(t *testing.T, text string) {
		state, err := parseSlotState([]byte(text))
		if err != nil {
			return
		}
		written, err := state.block()
		if err != nil {
			t.Fatalf("%+v: %v", state, err)
		}
		if again, err := parseSlotState(written); err != nil || again != state {
			t.Fatalf("%+v, then %+v, %v", state, again, err)
		}
	})
}
