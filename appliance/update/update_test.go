package update

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// testBox is a box whose slots are files.
type testBox struct {
	*Box
	t   *testing.T
	key ed25519.PrivateKey
	now time.Time
	// What the running version says of the state.
	changes bool
	misfit  error
}

func newTestBox(t *testing.T) *testBox {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	b := &testBox{t: t, key: private, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	b.Box = &Box{
		Slots: map[Slot]string{SlotA: at("a"), SlotB: at("b")}, Boot: at("boot"), Records: at("records"), State: at("state"),
		Key: at("key"), OSRelease: at("os-release"), CommandLine: at("cmdline"),
		Fits: func() (bool, error) {
			_, err := os.Stat(at("state"))
			return b.changes, errors.Join(err, b.misfit)
		},
		Closed: at("closed"),
		Now:    func() time.Time { return b.now }, Log: slog.New(slog.DiscardHandler),
	}
	for _, folder := range []string{b.Boot, b.Records, b.State} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.write(b.Key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	b.write(b.OSRelease, "ID=debian\nIMAGE_VERSION=one\nBUILD_ID=100\n")
	b.write(b.Slots[SlotA], strings.Repeat("old", 1000))
	b.write(b.Slots[SlotB], strings.Repeat("\x00", 4<<20))
	b.write(b.environment(), blockHeader+"slot=A\npending=\n"+strings.Repeat("#", blockSize-len(blockHeader)-len("slot=A\npending=\n")))
	b.write(filepath.Join(b.State, "state.00000001"), "written by one")
	b.start(SlotA, false)
	return b
}

func (b *testBox) write(path, content string) {
	b.t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *testBox) read(path string) string {
	b.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(content)
}

// start is what the boot loader tells a system that it starts.
func (b *testBox) start(s Slot, trial bool) {
	state := "good"
	if trial {
		state = "trial"
	}
	b.write(b.CommandLine, fmt.Sprintf("root=PARTLABEL=x quiet furrow.slot=%s furrow.state=%s\n", s, state))
}

func (b *testBox) slotState() SlotState {
	b.t.Helper()
	state, err := ReadSlotState(b.environment())
	if err != nil {
		b.t.Fatal(err)
	}
	return state
}

// content is a slot of more than one chunk.
var content = strings.Repeat("new system ", chunkSize/8)

func (b *testBox) bundle(change func(*Manifest)) []byte {
	b.t.Helper()
	m := Manifest{Version: "two", Build: 200, Architecture: runtime.GOARCH}
	if change != nil {
		change(&m)
	}
	var out bytes.Buffer
	if err := WriteBundle(&out, m, b.key, strings.NewReader(content)); err != nil {
		b.t.Fatal(err)
	}
	return out.Bytes()
}

func (b *testBox) install() {
	b.t.Helper()
	if _, err := b.Install(bytes.NewReader(b.bundle(nil)), InstallOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *testBox) settle() {
	b.t.Helper()
	if err := b.Settle(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *testBox) last() Record {
	b.t.Helper()
	r, err := b.LastUpdate()
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func TestInstall(t *testing.T) {
	b := newTestBox(t)
	var told []int64
	m, err := b.Install(bytes.NewReader(b.bundle(nil)), InstallOptions{Told: func(written, size int64) { told = append(told, written) }})
	if err != nil {
		t.Fatal(err)
	}
	if m.Version != "two" || len(told) != 2 || told[1] != int64(len(content)) {
		t.Errorf("%+v, told %v", m, told)
	}
	if got := b.read(b.Slots[SlotB]); got[:len(content)] != content {
		t.Error("the other slot does not hold the content")
	}
	if got, want := b.slotState(), (SlotState{Slot: SlotA, Pending: SlotB, Tries: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if r := b.last(); r.Outcome != OnTrial || r.From.Version != "one" || r.Slot != SlotB {
		t.Errorf("%+v", r)
	}
	b.start(SlotB, false)
	checked := func(damaged bool) {
		t.Helper()
		if v, err := b.Versions(); err != nil || v.Check == nil || (v.Check.Damage != "") != damaged || !v.Check.At.Equal(b.Now()) {
			t.Errorf("the check of a slot: %+v, %v", v.Check, err)
		}
	}
	if c, err := b.lastCheck(); c != nil || err != nil {
		t.Errorf("before the first check: %+v, %v", c, err)
	}
	if err := b.Verify(); err != nil {
		t.Error(err)
	}
	checked(false)
	b.write(b.Slots[SlotB], "flipped"+content[7:])
	if err := b.Verify(); !errors.Is(err, ErrSlotDamaged) {
		t.Errorf("a damaged slot: %v", err)
	}
	checked(true)
	var other bytes.Buffer
	if err := WriteBundle(&other, Manifest{Version: "three", Build: 300}, b.key, strings.NewReader("other")); err != nil {
		t.Fatal(err)
	}
	b.write(b.headerFile(SlotB), other.String())
	if c, err := b.lastCheck(); c != nil || err != nil {
		t.Errorf("of what the slot had before: %+v, %v", c, err)
	}
}

// TestInstallRefuses has nothing change but, for damage found while writing, the slot that is not in use.
func TestInstallRefuses(t *testing.T) {
	whole := func(b *testBox) []byte { return b.bundle(nil) }
	for _, test := range []struct {
		name    string
		bundle  func(*testBox) []byte
		want    error
		written bool
	}{
		{"a changed manifest", func(b *testBox) []byte { return bytes.Replace(whole(b), []byte(`"two"`), []byte(`"tow"`), 1) }, ErrSignature, false},
		{"another key", func(b *testBox) []byte { return newTestBox(b.t).bundle(nil) }, ErrSignature, false},
		{"as old", func(b *testBox) []byte { return b.bundle(func(m *Manifest) { m.Build = 100 }) }, ErrOlder, false},
		{"another architecture", func(b *testBox) []byte { return b.bundle(func(m *Manifest) { m.Architecture = "vax" }) }, ErrNotForThisBox, false},
		{"a step left out", func(b *testBox) []byte { return b.bundle(func(m *Manifest) { m.Replaces = 150 }) }, ErrNotForThisBox, false},
		{"cut in the header", func(b *testBox) []byte { return whole(b)[:50] }, nil, false},
		{"cut in the content", func(b *testBox) []byte { return whole(b)[:chunkSize] }, nil, true},
		{"changed content", func(b *testBox) []byte {
			all := whole(b)
			all[len(all)-1] ^= 1
			return all
		}, nil, true},
		{"nothing", func(*testBox) []byte { return nil }, nil, false},
		{"a long manifest", func(*testBox) []byte { return []byte(magic + "\x7f\xff\xff\xff") }, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newTestBox(t)
			before, slot := b.slotState(), b.read(b.Slots[SlotB])
			_, err := b.Install(bytes.NewReader(test.bundle(b)), InstallOptions{})
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if got := b.slotState(); got != before {
				t.Errorf("slot state %+v, was %+v", got, before)
			}
			if got := b.read(b.Slots[SlotB]); got != slot && !test.written {
				t.Error("the slot was written")
			}
			if b.read(b.Slots[SlotA]) != strings.Repeat("old", 1000) {
				t.Error("the running slot was written")
			}
		})
	}
}

func TestInstallOlderWhenInsisted(t *testing.T) {
	b := newTestBox(t)
	older := b.bundle(func(m *Manifest) { m.Build = 50 })
	if _, err := b.Install(bytes.NewReader(older), InstallOptions{AllowOlder: true}); err != nil {
		t.Fatal(err)
	}
}

func TestInstallDuringATrial(t *testing.T) {
	b := newTestBox(t)
	b.install()
	b.start(SlotB, true)
	if _, err := b.Install(bytes.NewReader(b.bundle(nil)), InstallOptions{}); err == nil {
		t.Error("the good slot was given to a bundle while the other is on trial")
	}
}

// terms examine once a minute on the test's clock.
func (b *testBox) terms(examine func() error) TrialTerms {
	return TrialTerms{Hold: 3 * time.Minute, Deadline: 10 * time.Minute, Examine: func(context.Context) error {
		b.now = b.now.Add(time.Minute)
		return examine()
	}}
}

func TestTrialComesOutWell(t *testing.T) {
	b := newTestBox(t)
	b.install()
	b.start(SlotB, true)
	b.settle()
	if got := b.read(filepath.Join(b.asideDir(), "state.00000001")); got != "written by one" {
		t.Errorf("set aside: %q", got)
	}
	b.write(filepath.Join(b.State, "state.00000001"), "written by two")
	b.settle() // another start of the same trial leaves what is set aside alone
	examined := 0
	err := b.Confirm(t.Context(), b.terms(func() error {
		if examined++; examined == 3 {
			return errors.New("a stumble")
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if examined != 7 {
		t.Errorf("good after %d examinations, want 7: three minutes without a stumble", examined)
	}
	if got, want := b.slotState(), (SlotState{Slot: SlotB}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if r := b.last(); r.Outcome != Good || r.Settled.IsZero() || r.Closed {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(b.asideDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was set aside: %v", err)
	}
	if b.read(filepath.Join(b.State, "state.00000001")) != "written by two" {
		t.Error("the state of the new version is gone")
	}
}

// TestReturnKeepsWhatWasAcknowledged is a trial that comes to nothing after it has written what the old version can read.
func TestReturnKeepsWhatWasAcknowledged(t *testing.T) {
	b := newTestBox(t)
	b.install()
	b.start(SlotB, true)
	b.settle()
	b.write(filepath.Join(b.State, "state.00000001"), "written by two")
	if err := WriteSlotState(b.environment(), SlotState{Slot: SlotA, Failed: SlotB}); err != nil {
		t.Fatal(err)
	}
	b.start(SlotA, false)
	b.settle()
	if got := b.read(filepath.Join(b.State, "state.00000001")); got != "written by two" {
		t.Errorf("the state is %q", got)
	}
	if r := b.last(); r.Outcome != Returned || r.Closed {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(b.asideDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was set aside: %v", err)
	}
}

// TestTrialBehindClosedDoors is a version that changes the form of the state: what it acknowledged would be lost.
func TestTrialBehindClosedDoors(t *testing.T) {
	b := newTestBox(t)
	b.install()
	b.start(SlotB, true)
	b.changes = true
	b.settle()
	b.read(b.Closed)
	b.changes = false // has happened
	if err := os.Remove(b.Closed); err != nil {
		t.Fatal(err)
	}
	b.settle() // the next start of the same trial
	b.read(b.Closed)
	if err := b.Confirm(t.Context(), b.terms(func() error { return nil })); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.Closed); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a good version is still closed: %v", err)
	}
}

func TestTrialComesOutBadly(t *testing.T) {
	b := newTestBox(t)
	b.install()
	b.start(SlotB, true)
	b.settle()
	b.misfit = errors.New("written by a newer version")
	b.write(filepath.Join(b.State, "state.00000001"), "written by two")
	err := b.Confirm(t.Context(), b.terms(func() error { return errors.New("no relay") }))
	if !errors.Is(err, ErrNotHealthy) {
		t.Fatal(err)
	}
	if got, want := b.slotState(), (SlotState{Slot: SlotA, Failed: SlotB}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	b.start(SlotA, false)
	b.settle()
	if got := b.read(filepath.Join(b.State, "state.00000001")); got != "written by one" {
		t.Errorf("the state is %q", got)
	}
	if r := b.last(); r.Outcome != Returned || r.Reason != "no relay" {
		t.Errorf("%+v", r)
	}
	b.settle()
	if got := b.read(filepath.Join(b.State, "state.00000001")); got != "written by one" {
		t.Errorf("after another start the state is %q", got)
	}
	// The memory stick that brought it is still there, and then a person insists.
	if _, err := b.Install(bytes.NewReader(b.bundle(nil)), InstallOptions{NotAgain: true}); !errors.Is(err, ErrTakenBack) {
		t.Errorf("the same version again: %v", err)
	}
	if _, err := b.Install(bytes.NewReader(b.bundle(nil)), InstallOptions{}); err != nil {
		t.Errorf("insisted on: %v", err)
	}
}

// TestReturnAfterACut has the power fail between the two changes of names.
func TestReturnAfterACut(t *testing.T) {
	b := newTestBox(t)
	b.install()
	b.start(SlotB, true)
	b.settle()
	if err := os.Rename(b.State, b.takenBackDir()); err != nil {
		t.Fatal(err)
	}
	if err := WriteSlotState(b.environment(), SlotState{Slot: SlotA, Failed: SlotB}); err != nil {
		t.Fatal(err)
	}
	b.start(SlotA, false)
	b.settle()
	if got := b.read(filepath.Join(b.State, "state.00000001")); got != "written by one" {
		t.Errorf("the state is %q", got)
	}
}

func TestSettleBeforeTheTrial(t *testing.T) {
	b := newTestBox(t)
	b.settle()
	b.install()
	b.settle()
	if r := b.last(); r.Outcome != OnTrial {
		t.Errorf("%+v", r)
	}
}

func TestConfirmOutsideATrial(t *testing.T) {
	b := newTestBox(t)
	before := b.slotState()
	if err := b.Confirm(t.Context(), b.terms(func() error { return errors.New("not asked") })); err != nil {
		t.Fatal(err)
	}
	if b.slotState() != before {
		t.Error("the slot state was changed")
	}
}
