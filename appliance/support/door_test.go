package support

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// newDoor is one whose unit is told to done.
func newDoor(t *testing.T, done func(string) error) *Door {
	dir := t.TempDir()
	act := func(what string) func(context.Context) error {
		return func(context.Context) error { return done(what) }
	}
	return &Door{
		Dir: filepath.Join(dir, "kept"), Shown: dir, Start: act("start"), Stop: act("stop"), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
}

// quiet is for a unit of which nothing is asked.
func quiet(string) error { return nil }

// onScreen is an access without keys, so without sshd.
func onScreen(d *Door, length time.Duration) Access {
	return Access{Who: "Jo", Shell: true, Until: d.Now().Add(length)}
}

func TestOpenAndClose(t *testing.T) {
	var done []string
	d := newDoor(t, func(what string) error { done = append(done, what); return nil })
	if err := d.Open(t.Context(), Access{Who: "Jo", Shell: true}); !errors.Is(err, ErrInvalid) || done != nil {
		t.Errorf("%v, %v", err, done)
	}
	if err := d.Open(t.Context(), onScreen(d, time.Hour)); err != nil {
		t.Fatal(err)
	}
	if r, ok, err := d.kept(); !ok || err != nil || r.Who != "Jo" || r.Left <= 59*time.Minute {
		t.Errorf("%+v, %v, %v", r, ok, err)
	}
	if info, err := os.Stat(d.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.kept(); ok || err != nil {
		t.Errorf("closed, and kept: %v, %v", ok, err)
	}
	if got := len(done); got != 3 || done[1] != "start" || done[2] != "stop" {
		t.Errorf("the unit was told %q", done)
	}
}

// A unit that does not come up leaves nothing that would at the next start of the machine.
func TestUnitFails(t *testing.T) {
	d := newDoor(t, func(what string) error {
		if what == "start" {
			return errors.New("no such unit")
		}
		return nil
	})
	if err := d.Open(t.Context(), onScreen(d, time.Hour)); err == nil {
		t.Error("opened")
	}
	if _, ok, err := d.kept(); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// TestGuard has time pass in a bubble, and the clock set meanwhile.
func TestGuard(t *testing.T) {
	for name, test := range map[string]struct {
		at, jump, want time.Duration
	}{
		"to its end":          {0, 0, 4 * time.Hour},
		"the clock goes back": {time.Hour, -100 * time.Hour, 4 * time.Hour},
		"the clock goes on":   {time.Hour, 100 * time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, quiet)
			synctest.Test(t, func(t *testing.T) {
				began, ready := time.Now(), false
				d.Now = func() time.Time {
					if time.Since(began) >= test.at {
						return time.Now().Add(test.jump)
					}
					return time.Now()
				}
				if err := d.Open(t.Context(), onScreen(d, 4*time.Hour)); err != nil {
					t.Fatal(err)
				}
				guard := Guard{Door: d, Ready: func() error {
					ready = true
					if o, err := Look(d.Shown); err != nil || o == nil || !o.Shell || o.HostFingerprint != "" {
						t.Errorf("ready with %+v, %v", o, err)
					}
					return nil
				}}
				if err := guard.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(began); got < test.want || got > test.want+2*lookEvery || !ready {
					t.Errorf("ended after %v, want %v; ready %v", got, test.want, ready)
				}
				if o, err := Look(d.Shown); o != nil || err != nil {
					t.Errorf("still shown: %+v, %v", o, err)
				}
				if _, ok, err := d.kept(); ok || err != nil {
					t.Errorf("still kept: %v, %v", ok, err)
				}
			})
		})
	}
}

// What is left goes on after a restart of the machine, and is never more than what was.
func TestRestart(t *testing.T) {
	d := newDoor(t, quiet)
	synctest.Test(t, func(t *testing.T) {
		var set time.Duration
		d.Now = func() time.Time { return time.Now().Add(set) }
		if err := d.Open(t.Context(), onScreen(d, 4*time.Hour)); err != nil {
			t.Fatal(err)
		}
		guard := Guard{Door: d, Ready: func() error { return nil }}
		first, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := guard.Run(first); err != nil {
			t.Fatal(err)
		}
		set = -time.Hour // as if no time had passed
		began := time.Now()
		if err := guard.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(began); got != 3*time.Hour {
			t.Errorf("open for another %v", got)
		}
	})
}

// A guard comes up with nothing that is over, damaged, or from a time that has not come yet.
func TestNothingOpen(t *testing.T) {
	for name, test := range map[string]struct {
		now    time.Duration // since it was opened
		damage string
	}{
		"over": {now: time.Hour}, "a clock set back": {now: -time.Minute}, "damaged": {damage: "{"}, "tampered": {damage: `{"until":"9999-01-01T00:00:00Z","left":1}`},
		"nothing": {damage: "-"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, quiet)
			if err := d.Open(t.Context(), onScreen(d, time.Hour)); err != nil {
				t.Fatal(err)
			}
			opened := time.Now()
			d.Now = func() time.Time { return opened.Add(test.now) }
			if test.damage != "" {
				if err := os.WriteFile(d.file(recordFile), []byte(test.damage), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if test.damage == "-" {
				if err := d.forget(); err != nil {
					t.Fatal(err)
				}
			}
			guard := Guard{Door: d, Ready: func() error { return nil }, SSHD: []string{"/nonexistent"}}
			if err := guard.Run(t.Context()); (err != nil) != (name == "damaged") {
				t.Error(err)
			}
			if _, ok, err := d.kept(); ok || err != nil {
				t.Errorf("%v, %v", ok, err)
			}
			if o, err := Look(d.Shown); o != nil || err != nil {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
}

// Without sshd there is no access that seems to be open.
func TestNoSSHD(t *testing.T) {
	for name, sshd := range map[string]string{"not there": "/nonexistent", "ends": "/bin/false"} {
		d := newDoor(t, quiet)
		wanted := onScreen(d, time.Hour)
		wanted.Keys = []string{newLine(t)}
		if err := d.Open(t.Context(), wanted); err != nil {
			t.Fatal(err)
		}
		guard := Guard{Door: d, SSHD: []string{sshd}}
		if err := guard.Run(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
		if o, err := Look(d.Shown); o != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}
