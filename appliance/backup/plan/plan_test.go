package plan

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/appliance/backup"
	"furrow/appliance/backup/target"
	"furrow/appliance/keys"
	"furrow/appliance/state"
)

const passphrase = "correct horse battery staple"

// office is a box with a plan and a clock of its own.
type office struct {
	*Plan
	dir string

	mu  sync.Mutex
	now time.Time // guarded by mu
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{dir: t.TempDir(), now: time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)}
	o.open(t)
	t.Cleanup(func() { check(t, o.Store.Close()) })
	return o
}

func (o *office) open(t *testing.T) {
	t.Helper()
	schema := state.NewSchema()
	tables := Declare(schema)
	store, _, err := state.Open(filepath.Join(o.dir, "state"), schema, state.Options{})
	check(t, err)
	vault, err := keys.OpenVault(o.dir)
	check(t, err)
	o.Plan = New(Config{
		Store: store, Tables: tables, Vault: vault, Hostname: "Büro.example",
		Source: &backup.Source{Store: store, StateDir: "state", Vault: vault, Version: "test", Now: o.clock},
		Now:    o.clock, Log: slog.New(slog.DiscardHandler),
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) names(t *testing.T) string {
	t.Helper()
	files, err := o.List(t.Context())
	check(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return strings.Join(names, " ")
}

// Backups are made when they are due, verified, and the oldest go; those of others, and what else is there, stay.
func TestPlannedBackups(t *testing.T) {
	o, dir := newOffice(t), t.TempDir()
	if !o.Next().IsZero() {
		t.Error("something is due without settings")
	}
	if _, err := o.Make(t.Context()); !errors.Is(err, ErrNoTarget) {
		t.Error(err)
	}
	others := []string{
		"furrow-b-ro.example-2-20260101T000000Z.backup", "furrow-b-ro.example-20260101T000000Z.backup.part", "holiday.jpg",
	}
	for _, name := range others {
		check(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	check(t, o.SetSettings(t.Context(), Settings{
		Target: target.Address{URL: dir}, Passphrase: passphrase, Daily: "02:30", Keep: 2,
	}))
	night := time.Date(2026, 3, 15, 2, 30, 0, 0, time.UTC)
	if next := o.Next(); !next.Equal(night) {
		t.Fatalf("due %v", next)
	}
	if wait := o.makeDue(t.Context()); wait != maxIdle || o.names(t) != "" {
		t.Fatalf("made too early, or back in %v", wait)
	}
	for range 3 {
		o.advance(o.Next().Sub(o.clock()))
		o.makeDue(t.Context())
	}
	if got, want := o.names(t), "furrow-b-ro.example-20260316T023000Z.backup furrow-b-ro.example-20260317T023000Z.backup"; got != want {
		t.Fatalf("there are %q, want %q", got, want)
	}
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	done := o.Outcome()
	f, err := os.Open(filepath.Join(dir, done.Name))
	check(t, err)
	defer f.Close()
	m, err := backup.Verify(t.Context(), f, passphrase)
	check(t, err)
	info, err := f.Stat()
	check(t, err)
	if !m.Made.Equal(o.clock()) || done.Size != info.Size() || done.Error != "" || done.Failures != 0 || !done.Succeeded.Equal(o.clock()) {
		t.Errorf("made %v, outcome %+v", m.Made, done)
	}

	// After a restart, two days later, one is due at once.
	check(t, o.Store.Close())
	o.open(t)
	o.advance(48 * time.Hour)
	if next := o.Next(); next.After(o.clock()) {
		t.Errorf("due %v at %v", next, o.clock())
	}
	check(t, o.Clear(t.Context()))
	if !o.Next().IsZero() {
		t.Error("something is due after Clear")
	}
}

// What fails is tried again, ever more rarely, and told.
func TestFailures(t *testing.T) {
	o := newOffice(t)
	dir := filepath.Join(t.TempDir(), "disk")
	check(t, o.SetSettings(t.Context(), Settings{
		Target: target.Address{URL: dir}, Passphrase: passphrase, Every: time.Hour, Keep: 3,
	}))
	o.advance(time.Hour)
	last := time.Duration(0)
	for n := 1; n < 10; n++ {
		pause := o.makeDue(t.Context())
		out := o.Outcome()
		if out.Failures != n || out.Error == "" || !out.Tried.Equal(o.clock()) {
			t.Fatalf("after %d failures: %+v", n, out)
		}
		if wait := o.Next().Sub(o.clock()); wait < last || wait > lastPause || pause > wait {
			t.Fatalf("after %d failures: next in %v, after %v; Run comes in %v", n, wait, last, pause)
		} else {
			last = wait
			o.advance(wait)
		}
	}
	if last != lastPause {
		t.Errorf("the last pause is %v", last)
	}
	check(t, os.Mkdir(dir, 0o700))
	o.makeDue(t.Context())
	if out := o.Outcome(); out.Failures != 0 || out.Error != "" || out.Name == "" || !o.Next().Equal(o.clock().Add(time.Hour)) {
		t.Errorf("after the disk is there: %+v, next %v", out, o.Next())
	}
	o.advance(-10 * time.Hour) // the clock was set
	if wait := o.Next().Sub(o.clock()); wait > time.Hour {
		t.Errorf("with the clock set back the next is in %v", wait)
	}
	// Who gives up waiting has not failed.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Make(ctx); !errors.Is(err, context.Canceled) || o.Outcome().Failures != 0 {
		t.Errorf("%v, %+v", err, o.Outcome())
	}
}

func TestRunMakesWhatIsDueAndStops(t *testing.T) {
	o, dir := newOffice(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { o.Run(ctx) })
	o.advance(-24 * time.Hour)
	// Set a day ago, so due now; the change wakes Run.
	set := o.clock()
	o.advance(24 * time.Hour)
	check(t, o.Store.Update(ctx, func(tx *state.Tx) error {
		sealed, err := o.Vault.Seal(secretsPurpose, []byte(`{"Passphrase":"`+passphrase+`"}`))
		check(t, err)
		return o.Tables.settings.Put(tx, settingsRow{
			Settings: Settings{Target: target.Address{URL: dir}, Every: time.Hour, Keep: 1}, Changed: set, Sealed: sealed,
		})
	}))
	o.wake <- struct{}{}
	for o.Outcome().Name == "" {
		if ctx.Err() != nil {
			t.Fatal("no backup was made")
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	running.Wait()
}

// Somebody may take a backup with a password of his own; one is made at a time.
func TestWrite(t *testing.T) {
	o := newOffice(t)
	var file bytes.Buffer
	if _, err := o.Write(t.Context(), &file, ""); !errors.Is(err, backup.ErrNoPassword) {
		t.Error(err)
	}
	_, err := o.Write(t.Context(), writerFunc(func(p []byte) (int, error) {
		if _, err := o.Write(t.Context(), &bytes.Buffer{}, "another"); !errors.Is(err, ErrBusy) {
			t.Errorf("a second at the same time: %v", err)
		}
		if o.Running() == nil {
			t.Error("no backup is shown to run")
		}
		return file.Write(p)
	}), "my own")
	check(t, err)
	if _, err := backup.Verify(t.Context(), &file, "my own"); err != nil || o.Running() != nil {
		t.Errorf("%v, %+v", err, o.Running())
	}
	check(t, o.SetSettings(t.Context(), Settings{Target: target.Address{URL: "/none"}, Passphrase: passphrase, Keep: 1}))
	file.Reset()
	_, err = o.Write(t.Context(), &file, "")
	check(t, err)
	_, err = backup.Verify(t.Context(), &file, passphrase)
	check(t, err)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestSettings(t *testing.T) {
	o := newOffice(t)
	good := Settings{Target: target.Address{URL: "s3://host/bucket", Login: "access", Password: "secret"}, Passphrase: passphrase, Keep: 7}
	for want, change := range map[string]func(*Settings){
		"passphrase":     func(s *Settings) { s.Passphrase = "short" },
		"no time such":   func(s *Settings) { s.Daily = "24:00" },
		"not both":       func(s *Settings) { s.Daily, s.Every = "02:30", time.Hour },
		"every: must":    func(s *Settings) { s.Every = time.Second },
		"keep: must":     func(s *Settings) { s.Keep = 0 },
		"neither a path": func(s *Settings) { s.Target.URL = "here" },
		"at most":        func(s *Settings) { s.Target.PrivateKey = strings.Repeat("a", maxSetting+1) },
	} {
		s := good
		change(&s)
		if err := o.SetSettings(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) ||
			!errors.Is(err, ErrInvalid) && !errors.Is(err, target.ErrInvalid) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if _, ok := o.Settings(); ok {
		t.Error("refused settings are in force")
	}
	check(t, o.SetSettings(t.Context(), good))
	row, _ := o.Tables.settings.Get(o.Store.Snapshot(), singleton)
	if bytes.Contains(row.Sealed, []byte("secret")) || row.Passphrase != "" || row.Target.Password != "" {
		t.Error("secrets are stored in the clear")
	}
	// Secrets stay in a change that names none, but not for another target.
	same := good
	same.Passphrase, same.Target.Password, same.Keep = "", "", 8
	check(t, o.SetSettings(t.Context(), same))
	full, err := o.complete()
	check(t, err)
	if full.Passphrase != passphrase || full.Target.Password != "secret" || full.Keep != 8 {
		t.Errorf("after a change of what is kept: %+v", full)
	}
	same.Target.URL = "s3://elsewhere/bucket"
	if err := o.SetSettings(t.Context(), same); !errors.Is(err, target.ErrInvalid) {
		t.Errorf("another server gets the secret key of this one: %v", err)
	}
}

// What is asked for is made though nothing is due, one at a time, and not without a target.
func TestStart(t *testing.T) {
	o := newOffice(t)
	if err := o.Start(); !errors.Is(err, ErrNoTarget) {
		t.Error(err)
	}
	check(t, o.SetSettings(t.Context(), Settings{Target: target.Address{URL: t.TempDir()}, Passphrase: passphrase, Keep: 1}))
	check(t, o.Start())
	if err := o.Start(); !errors.Is(err, ErrBusy) {
		t.Errorf("asked twice: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { o.Run(ctx) })
	for o.Outcome().Name == "" {
		if ctx.Err() != nil {
			t.Fatal("no backup was made")
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	running.Wait()
}
