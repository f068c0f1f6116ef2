package update

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"furrow/appliance/sockettest"
)

// takenAt has a taker wait for bundles, as the image's does.
func takenAt(t *testing.T, take func(conn net.Conn)) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	sockettest.Serve(t, socket, take)
	return socket
}

func TestHandOver(t *testing.T) {
	b := newTestBox(t)
	var told []int
	tell := func(percent int) { told = append(told, percent) }
	taker := func() string {
		return takenAt(t, func(conn net.Conn) { _ = b.Take(conn, conn) })
	}
	m, err := HandOver(t.Context(), taker(), bytes.NewReader(b.bundle(nil)), false, tell)
	if err != nil || m.Version != "two" || len(told) == 0 || told[len(told)-1] != 100 || !slices.IsSorted(told) {
		t.Fatalf("%+v, %v, told %d", m, err, told)
	}
	if !strings.HasPrefix(b.read(b.Slots[SlotB]), content) {
		t.Error("the slot does not have what was handed over")
	}
	old := b.bundle(func(m *Manifest) { m.Build = 50 })
	var refused *Refused
	if _, err := HandOver(t.Context(), taker(), bytes.NewReader(old), false, tell); !errors.As(err, &refused) || !strings.Contains(err.Error(), ErrOlder.Error()) {
		t.Errorf("an older one: %v", err)
	}
	if _, err := HandOver(t.Context(), taker(), bytes.NewReader(old), true, tell); err != nil {
		t.Errorf("an older one that is wanted: %v", err)
	}
}

func TestHandOverFails(t *testing.T) {
	none := func(int) {}
	if _, err := HandOver(t.Context(), filepath.Join(t.TempDir(), "none"), strings.NewReader(""), false, none); !errors.Is(err, ErrNoTaker) {
		t.Error(err)
	}
	gone := takenAt(t, func(net.Conn) {})
	if _, err := HandOver(t.Context(), gone, strings.NewReader(strings.Repeat("x", 8<<20)), false, none); !errors.Is(err, ErrBrokenOff) {
		t.Errorf("a taker that is gone: %v", err)
	}
	// Who gives up has the other side see the end.
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	slow := takenAt(t, func(conn net.Conn) {
		defer close(ended)
		if _, err := conn.Read(make([]byte, 1)); err != nil { // before that the dialling may be what is given up
			t.Error(err)
		}
		cancel()
		_, _ = io.Copy(io.Discard, conn)
	})
	stuck, end := io.Pipe()
	context.AfterFunc(ctx, func() { end.CloseWithError(ctx.Err()) })
	if _, err := HandOver(ctx, slow, stuck, false, none); !errors.Is(err, ErrBrokenOff) {
		t.Errorf("given up: %v", err)
	}
	<-ended
}

func TestWish(t *testing.T) {
	b := newTestBox(t)
	for _, wish := range []string{"", "newer", "oldest\n", strings.Repeat("x", 100)} {
		var out strings.Builder
		if err := b.Take(strings.NewReader(wish), &out); err == nil || !strings.Contains(out.String(), `"error"`) {
			t.Errorf("%q: %v, %s", wish, err, out.String())
		}
	}
}
