package registry

import (
	"context"
	"errors"
	"strings"
	"testing"

	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
)

func TestRelayIdentity(t *testing.T) {
	f := newFixture(t)
	if _, err := f.RelayIdentity(); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("identity before it was made: %v", err)
	}
	if _, err := f.SSTPKeys(); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("keys before they were made: %v", err)
	}
	const device, soap = "grooveDNS://relay.example.com", "http://relay.example.com:8009/SOAP"
	made, err := f.EnsureIdentity(t.Context(), device, soap)
	must(t, err)
	f.reopen(t)
	again, err := f.EnsureIdentity(t.Context(), device, soap)
	must(t, err)
	if string(again.Encode()) != string(made.Encode()) {
		t.Error("another identity after a restart")
	}
	soapKeys, err := f.SOAPKeys()
	must(t, err)
	sstpKeys, err := f.SSTPKeys()
	must(t, err)
	if !soapKeys.Matches(made.SOAPCertificate) || !sstpKeys.Matches(made.SSTPCertificate) || sstpKeys.Matches(made.SOAPCertificate) {
		t.Error("keys are not those of the certificates")
	}
	// 3.2.3 step 2, reading F3.
	if made.SOAPCertificate.Name().CommonName != soap || made.SSTPCertificate.Name().CommonName != device {
		t.Errorf("certificates for %v and %v", made.SOAPCertificate.Name(), made.SSTPCertificate.Name())
	}
	moved, err := f.EnsureIdentity(t.Context(), "grooveDNS://other.example.com", "http://other.example.com/SOAP")
	must(t, err)
	if moved.SOAPCertificate.Equal(made.SOAPCertificate) || !soapKeys.Matches(moved.SOAPCertificate) || !sstpKeys.Matches(moved.SSTPCertificate) {
		t.Error("a relay with other URLs has not new certificates of the same keys")
	}
	if _, err := f.EnsureIdentity(t.Context(), "http://other.example.com", soap); err == nil {
		t.Error("a device URL of another scheme is accepted")
	}
	if now, err := f.RelayIdentity(); err != nil || now.DeviceURL != "grooveDNS://other.example.com" {
		t.Errorf("identity %+v, %v", now, err)
	}
}

func TestImportManager(t *testing.T) {
	f := newFixture(t)
	a := f.manager(t, "A")
	a.build(t, "u")
	before := f.managerRow(t, "A")

	// The same again, and under another name.
	_, err := f.ImportManager(t.Context(), identity(t, "A", "A.example.com", 0))
	must(t, err)
	_, err = f.ImportManager(t.Context(), identity(t, "A", "new.example.com", 0))
	must(t, err)
	after := f.managerRow(t, "A")
	if after.KeyID != before.KeyID || after.Epoch != before.Epoch || after.Name != "new.example.com/gms.dll" {
		t.Errorf("renamed manager is %s with epoch %d and key %q, want %d, %q", after.Name, after.Epoch, after.KeyID, before.Epoch, before.KeyID)
	}
	for _, spelling := range []string{"NEW.example.com/gms.dll", "http://new.example.com/gms.dll"} {
		if m, err := f.ManagerByName(spelling); err != nil || m.GUID != "A" {
			t.Errorf("manager by %s: %+v, %v", spelling, m, err)
		}
	}
	if _, err := f.ManagerByName("A.example.com/gms.dll"); !errors.Is(err, ErrManagerNotFound) {
		t.Errorf("manager by its old name: %v", err)
	}

	if _, err := f.ImportManager(t.Context(), identity(t, "B", "New.example.com", 1)); !errors.Is(err, ErrManagerName) {
		t.Errorf("another manager with the name: %v", err)
	}
	if _, err := f.ImportManager(t.Context(), identity(t, "", "x.example.com", 1)); err == nil {
		t.Error("a manager without GUID is accepted")
	}

	// With other keys it is a stranger who must build.
	_, err = f.ImportManager(t.Context(), identity(t, "A", "new.example.com", 1))
	must(t, err)
	if _, err := f.SharedKey("A"); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("key after another certificate: %v", err)
	}
	if row := f.managerRow(t, "A"); row.Epoch != 0 || row.Requests != 0 {
		t.Errorf("after another certificate: %+v", row)
	}
	if !f.enabled(t, "u") {
		t.Error("users are gone before the build")
	}

	must(t, f.RemoveManager(t.Context(), "A"))
	if f.enabled(t, "u") || len(f.Managers()) != 0 || f.t.spentKeys.Len(f.store.Snapshot()) != 0 {
		t.Error("something is left of a removed manager")
	}
	if err := f.RemoveManager(t.Context(), "A"); !errors.Is(err, ErrManagerNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestShareKey(t *testing.T) {
	f := newFixture(t)
	if _, err := f.SharedKey("A"); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("key of nobody: %v", err)
	}
	a := f.manager(t, "A")
	first := a.key
	if _, err := f.ShareKey(t.Context(), "A", first); err != nil {
		t.Errorf("the same key again: %v", err)
	}
	a.register(t)
	f.reopen(t)
	if got, err := f.SharedKey("A"); err != nil || !got.Equal(a.key) {
		t.Errorf("key after a restart: %v", err)
	}
	if _, err := f.ShareKey(t.Context(), "A", first); !errors.Is(err, ErrSpentKey) {
		t.Errorf("a recorded Registration: %v", err)
	}
	if got, err := f.SharedKey("A"); err != nil || !got.Equal(a.key) {
		t.Errorf("key after a recorded Registration: %v", err)
	}
	if _, err := f.AddUsers(t.Context(), Request{Manager: "A", Key: first}, []string{"u"}); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("request under an old key: %v", err)
	}
	if _, err := f.ShareKey(t.Context(), "B", first); !errors.Is(err, ErrManagerNotFound) {
		t.Errorf("key of an unknown manager: %v", err)
	}
}

// TestEpoch follows one manager (MS-GRVSPMR 2.2.2.3.2, 3.3.4.4).
func TestEpoch(t *testing.T) {
	f := newFixture(t)
	a := f.manager(t, "A")
	for i, step := range []struct {
		do    func() int32
		epoch int32
		quiet bool
	}{
		{func() int32 { return a.add(t, "before") }, 0, false}, // until the build nothing changes that
		{func() int32 { return a.inactive(t, false) }, 0, false},
		{func() int32 { return a.inactive(t, true) }, 2, true},
		{func() int32 { return a.add(t, "u") }, 3, true},
		{func() int32 { return a.inactive(t, true) }, 4, true}, // begins anew
		{func() int32 { return a.add(t, "v") }, 5, true},
		{func() int32 { f.reopen(t); return a.add(t, "w") }, 6, true},
		{func() int32 { return a.inactive(t, false) }, 7, false},
		{func() int32 { return a.add(t, "u") }, 8, false},
		{func() int32 { return a.register(t) }, 8, false},
		{func() int32 { return a.inactive(t, true) }, 9, true}, // not for a build
		{func() int32 { return a.inactive(t, false) }, 10, false},
		{func() int32 { must(t, f.RequestRebuild(t.Context(), "A")); return a.add(t, "u") }, 0, false},
		{func() int32 { return a.inactive(t, true) }, 2, true},
		{func() int32 { return a.register(t) }, 0, true}, // in the middle of a build
		{func() int32 { return a.inactive(t, true) }, 2, true},
		{func() int32 { must(t, f.Activate(t.Context(), "A")); return a.add(t, "u") }, 0, false},
	} {
		if epoch := step.do(); epoch != step.epoch || f.Quiescent() != step.quiet {
			t.Errorf("step %d: epoch %d, quiescent %v, want %d, %v", i, epoch, f.Quiescent(), step.epoch, step.quiet)
		}
	}
	m := managerRow{Manager: Manager{Epoch: 1<<31 - 1}}
	if m.count(); m.Epoch != 1 {
		t.Errorf("after the highest epoch comes %d", m.Epoch)
	}
}

func TestBuild(t *testing.T) {
	f := newFixture(t)
	a, b := f.manager(t, "A"), f.manager(t, "B")
	a.build(t, "kept", "dropped", "locked")
	b.build(t, "other")
	a.lock(t, "locked", true)
	must(t, f.RequestRebuild(t.Context(), "A"))

	a.inactive(t, true)
	a.add(t, "forgotten") // announced before the build began anew
	a.inactive(t, true)
	a.add(t, "KEPT", "locked")
	if !f.Quiescent() || !f.enabled(t, "dropped") {
		t.Error("users are dropped before the build is complete")
	}
	a.inactive(t, false)
	for id, want := range map[string]bool{"kept": true, "dropped": false, "forgotten": false, "locked": true, "other": true} {
		if got := f.enabled(t, id); got != want {
			t.Errorf("after the build %s is enabled: %v, want %v", id, got, want)
		}
	}
	// Without a build nobody is dropped.
	a.inactive(t, true)
	a.inactive(t, false)
	if !f.enabled(t, "kept") {
		t.Error("user dropped without a build")
	}
	// Two managers may hold the relay inactive.
	a.inactive(t, true)
	b.inactive(t, true)
	a.inactive(t, false)
	if !f.Quiescent() {
		t.Error("active while one manager holds it inactive")
	}
	must(t, f.Activate(t.Context(), "B"))
	if f.Quiescent() {
		t.Error("inactive though nobody holds it so")
	}
}

// TestReplay carries each request out once, also after a restart.
func TestReplay(t *testing.T) {
	f := newFixture(t)
	a := f.manager(t, "A")
	a.build(t, "u")
	unlock := a.request()
	_, err := f.ModifyUsers(t.Context(), unlock, []Lockout{{"u", false}})
	must(t, err)
	epoch := a.lock(t, "u", true)
	f.reopen(t)
	if !f.Done(unlock) {
		t.Error("request is not noted")
	}
	got, err := f.ModifyUsers(t.Context(), unlock, []Lockout{{"u", false}})
	if err != nil || got != epoch || f.enabled(t, "u") {
		t.Errorf("recorded request: epoch %d, %v, user enabled %v; want %d", got, err, f.enabled(t, "u"), epoch)
	}
	// A request that failed changed nothing and may come again.
	fails := a.request()
	if _, err := f.ModifyUsers(t.Context(), fails, []Lockout{{"u", false}, {"nobody", false}}); !errors.Is(err, ErrUser) || f.enabled(t, "u") {
		t.Errorf("user that is not there: %v, u enabled %v", err, f.enabled(t, "u"))
	}
	if f.Done(fails) {
		t.Error("failed request is noted")
	}
	// Under a new key the notes are gone with the old one.
	a.register(t)
	if n := f.t.requests.Len(f.store.Snapshot()); n != 0 {
		t.Errorf("%d notes under a new key", n)
	}
}

// TestExhaustion makes a manager register anew before its notes are too many.
func TestExhaustion(t *testing.T) {
	f := newFixture(t)
	a := f.manager(t, "A")
	a.build(t, "u")
	must(t, f.store.Update(t.Context(), func(tx *state.Tx) error {
		row, _ := f.t.managers.Get(tx, "A")
		row.Requests = maxRequests
		return f.t.managers.Put(tx, row)
	}))
	if _, err := f.AddUsers(t.Context(), a.request(), []string{"v"}); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("request beyond the limit: %v", err)
	}
	if _, err := f.SharedKey("A"); !errors.Is(err, ErrNotRegistered) || f.enabled(t, "v") {
		t.Errorf("after it: %v", err)
	}
	if epoch := a.register(t); epoch == 0 {
		t.Error("registering anew asks for a build")
	}
	a.add(t, "v")
}

func TestSettings(t *testing.T) {
	f := newFixture(t)
	a := f.manager(t, "A")
	if f.Settings() != DefaultSettings() {
		t.Errorf("at first %+v", f.Settings())
	}
	set := func(s Settings) {
		_, err := f.SetDefaults(context.Background(), a.request(), s)
		must(t, err)
	}
	set(Settings{1, 2, 3, 4, false, true})
	f.reopen(t)
	if got, want := f.Settings(), (Settings{1, 2, 3, 4, false, true}); got != want {
		t.Errorf("settings %+v, want %+v", got, want)
	}
	// Note <2>: what is out of range is ignored.
	set(Settings{0, -1, 7, -1 << 31, true, false})
	if got, want := f.Settings(), (Settings{1, 2, 7, 4, true, false}); got != want {
		t.Errorf("settings %+v, want %+v", got, want)
	}
}

func TestLogHasNoSecrets(t *testing.T) {
	f := newFixture(t)
	a := f.manager(t, "A")
	a.build(t, "secret-token")
	if log := f.log.String(); strings.Contains(log, "secret-token") || strings.Contains(log, string(a.key.Bytes())) || log == "" {
		t.Errorf("log: %s", log)
	}
	if spmr.SharedKeySize != len(a.key.Bytes()) {
		t.Error("key of another size")
	}
}
