package machine

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/appliance/setting"
	"furrow/appliance/sockettest"
	"furrow/appliance/support"
	"furrow/appliance/update"
)

// waiting returns a socket each of whose connections is served.
func waiting(t *testing.T, serve func(net.Conn)) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	sockettest.Serve(t, socket, serve)
	return socket
}

func TestOrders(t *testing.T) {
	var done []string
	doing := func(what string, err error) func(context.Context) error {
		return func(context.Context) error {
			done = append(done, what)
			return err
		}
	}
	steward := &Steward{
		Versions: func() (update.Versions, error) {
			return update.Versions{Running: update.Release{Version: "one", Build: 100}, Slot: update.SlotB}, nil
		},
		Restart: doing("restart", nil), PowerOff: doing("power off", errors.New("somebody\nis at work")), Erase: doing("erase", nil),
	}
	m := New(waiting(t, func(conn net.Conn) { _ = steward.Attend(t.Context(), conn, conn) }), "", "")
	ctx := t.Context()
	if v, err := m.Versions(ctx); err != nil || v.Running.Version != "one" || v.Slot != update.SlotB {
		t.Errorf("%+v, %v", v, err)
	}
	var refused *update.Refused
	if err := m.PowerOff(ctx); !errors.As(err, &refused) || refused.Reason != "somebody is at work" {
		t.Error(err)
	}
	if err := errors.Join(m.Restart(ctx), m.Erase(ctx)); err != nil {
		t.Error(err)
	}
	if want := []string{"power off", "restart", "erase"}; !slices.Equal(done, want) {
		t.Errorf("done %q, want %q", done, want)
	}
}

func TestSupportOrders(t *testing.T) {
	shown := t.TempDir()
	var opened support.Access
	closed := false
	steward := &Steward{
		OpenSupport:  func(_ context.Context, a support.Access) error { opened = a; return a.Check(time.Now()) },
		CloseSupport: func(context.Context) error { closed = true; return nil },
	}
	m := New(waiting(t, func(conn net.Conn) { _ = steward.Attend(t.Context(), conn, conn) }), "", shown)
	ctx := t.Context()
	if o, err := m.Support(); o != nil || err != nil {
		t.Errorf("nothing is open: %+v, %v", o, err)
	}
	wanted := support.Access{Who: "Jo\nfactory reset", Shell: true, Until: time.Now().Add(time.Hour)}
	var refused *setting.Error
	if err := m.OpenSupport(ctx, wanted); !errors.As(err, &refused) || refused.Field != "who" || opened.Who != wanted.Who {
		t.Errorf("%+v, %v", opened, err)
	}
	wanted.Who = "Jo"
	if err := errors.Join(m.OpenSupport(ctx, wanted), m.CloseSupport(ctx)); err != nil || !closed || !opened.Until.Equal(wanted.Until) {
		t.Errorf("%+v, %v", opened, err)
	}
	if err := os.WriteFile(filepath.Join(shown, "opened.json"), []byte(`{"who":"Jo","shell":true}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if o, err := m.Support(); err != nil || o == nil || o.Who != "Jo" || !o.Shell {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestNoOrders(t *testing.T) {
	steward := &Steward{Restart: func(context.Context) error { t.Error("restarted"); return nil }}
	for _, line := range []string{
		"", "restart", "restart now\n", strings.Repeat("restart", maxOrder) + "\n", "\x00\n", "support open\n", "support open {\n",
	} {
		var out strings.Builder
		if err := steward.Attend(t.Context(), strings.NewReader(line), &out); err == nil {
			t.Errorf("%q is taken for an order", line)
		}
	}
}

// Anywhere but on the image there are no sockets.
func TestNotImage(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	m := New(none, none, none)
	if _, err := m.Versions(t.Context()); !errors.Is(err, ErrNotImage) {
		t.Error(err)
	}
	if _, err := m.Install(t.Context(), strings.NewReader("bundle"), false); !errors.Is(err, ErrNotImage) {
		t.Error(err)
	}
	if _, err := m.Support(); !errors.Is(err, ErrNotImage) {
		t.Error(err)
	}
}

func TestInstall(t *testing.T) {
	m := New("", "", "")
	var taken string
	m.taker = waiting(t, func(conn net.Conn) {
		all, err := io.ReadAll(conn)
		if err != nil {
			t.Error(err)
		}
		taken = string(all)
		if _, err := io.WriteString(conn, `{"percent":40}{"installed":{"version":"two"}}`); err != nil {
			t.Error(err)
		}
	})
	_, err := m.Install(t.Context(), readerFunc(func([]byte) (int, error) {
		if _, err := m.Install(t.Context(), strings.NewReader(""), false); !errors.Is(err, ErrBusy) {
			t.Errorf("a second at the same time: %v", err)
		}
		if percent, ok := m.Installing(); percent != 0 || !ok {
			t.Errorf("%d %%, %v", percent, ok)
		}
		return 0, io.EOF
	}), true)
	if err != nil || taken != "older too\n" {
		t.Errorf("%q, %v", taken, err)
	}
	if percent, ok := m.Installing(); percent != 40 || ok {
		t.Errorf("%d %%, %v", percent, ok)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
