//go:build image

// Package image boots what image/build made, in qemu under software emulation, and uses it as people do. Run it by
// `make test-image`; FURROW_IMAGE names the folder with furrow-ARCH.img, the next version furrow-ARCH.update, and furrow,
// the program.
package image

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// partESP is where the image's boot partition begins, for mtools (layout).
const partESP = "@@2M"

// shellArguments have systemd open root's shell on the second serial line. They are added to a copy of the image.
func (a architecture) shellArguments() string {
	return `systemd.unit=multi-user.target systemd.wants=kernel-command-line.service ` +
		`systemd.run_success_action=none systemd.run_failure_action=none ` +
		`"systemd.run=/usr/bin/systemd-run -p StandardInput=tty -p StandardOutput=tty -p StandardError=tty -p TTYPath=/dev/` +
		a.shell + ` /bin/sh" `
}

func imageFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("FURROW_IMAGE")
	if folder == "" {
		t.Fatal("FURROW_IMAGE names no folder: use make test-image")
	}
	return folder
}

// newMachine makes a disk of 3 GiB, larger than the image, with the image on it.
func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	image, config := filepath.Join(dir, "image"), filepath.Join(dir, "grub.cfg")
	arch := underTest(t)
	tool(t, "cp", "--sparse=always", arch.file(t, "furrow", ".img"), image)
	tool(t, "mcopy", "-n", "-i", image+partESP, "::grub/grub.cfg", config)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), " quiet panic=5", " quiet panic=5 "+arch.shellArguments(), 1)
	if changed == string(text) {
		t.Fatal("grub.cfg has no place for the shell")
	}
	if err := os.WriteFile(config, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, "mcopy", "-o", "-i", image+partESP, config, "::grub/grub.cfg")
	disk := filepath.Join(dir, "disk")
	tool(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", disk, "3G")
	logs := filepath.Join(imageFolder(t), "logs", t.Name())
	if err := os.MkdirAll(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, arch: arch, disk: disk, folder: logs, homes: filepath.Join(dir, "homes")}
	t.Cleanup(m.cut)
	return m
}

// inBox runs it in the box.
const inBox = "furrow --data /var/lib/furrow "

// TestImage is one box's life. What comes later stands on what came before, so the first failure ends it. With FURROW_BRIEF
// set it is a short one.
func TestImage(t *testing.T) {
	m := newMachine(t)
	for _, step := range []struct {
		name string
		live func(*testing.T, *machine)
		long bool // left out of the brief test
	}{
		{"the first start", firstStart, false},
		{"the set-up by its pages", setUp, false},
		{"a client joins and writes", clientJoins, false},
		{"what is written to the disk", writesToDisk, true},
		{"the journal has fields", journalFields, false},
		{"restarts and power off", powerByPages, true},
		{"a restart under load", restartUnderLoad, true},
		{"support access", supportAccess, false},
		{"name, addresses and clock are set", networkSet, true},
		{"a tampered bundle is refused", tampered, false},
		{"power fails while an update is written", cutInUpdate, true},
		{"an update by memory stick", updateByStick, true},
		{"power fails during writes, and a good slot stays", powerCuts, false},
		{"a blank slot on trial", blankSlot, true},
		{"a slot without init", withoutInit, true},
		{"a slot that hangs", hangs, true},
		{"a version that never becomes healthy", neverHealthy, true},
		{"factory reset", factoryReset, true},
	} {
		if step.long && os.Getenv("FURROW_BRIEF") != "" {
			t.Log("left out:", step.name)
			continue
		}
		began := time.Now()
		if !t.Run(step.name, func(t *testing.T) {
			m.t = t
			step.live(t, m)
		}) {
			return
		}
		t.Logf("%s: %v", step.name, time.Since(began).Round(time.Second))
	}
}

// TestImageStartsByUEFI is for boxes without a BIOS.
func TestImageStartsByUEFI(t *testing.T) {
	m := newMachine(t)
	m.uefi = true
	m.start()
	m.ready(0)
	runsFrom(t, m, "A")
}

func firstStart(t *testing.T, m *machine) {
	m.start()
	m.ready(0)
	size, err := strconv.ParseInt(m.must("df --output=size -B 1M /var | tail -1 | tr -d ' '"), 10, 64)
	if err != nil || size < 2000 {
		t.Errorf("the data partition has %d MiB of a disk of 3 GiB, %v", size, err)
	}
	if out, err := m.run("touch /etc/x /usr/x"); err == nil {
		t.Errorf("the system can be written: %s", out)
	}
	noneFailed(t, m)
	t.Logf("ready %s µs after the kernel's start", m.must("systemctl show -P ActiveEnterTimestampMonotonic furrow"))
}

// noneFailed wants every unit well.
func noneFailed(t *testing.T, m *machine) {
	t.Helper()
	if failed := m.must("systemctl --failed --plain --no-legend | cat"); failed != "" {
		t.Errorf("units that failed: %s", failed)
	}
}

// between is the text between two others.
func between(s, left, right string) string {
	_, s, _ = strings.Cut(s, left)
	s, _, _ = strings.Cut(s, right)
	return s
}

// stick makes a memory stick with a bundle.
func stick(t *testing.T, bundle string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stick")
	tool(t, "truncate", "-s", "300M", path)
	tool(t, "mkfs.vfat", "-n", "STICK", path)
	tool(t, "mcopy", "-i", path, bundle, "::"+filepath.Base(nextVersion(t)))
	return path
}

func nextVersion(t *testing.T) string { return underTest(t).file(t, "furrow", ".update") }

func tampered(t *testing.T, m *machine) {
	bundle, err := os.ReadFile(nextVersion(t))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "bundle")
	if err := os.WriteFile(copied, []byte(strings.Replace(string(bundle), `"replaces":0`, `"replaces":1`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	m.plug(stick(t, copied))
	m.must("until journalctl -q -b -u 'furrow-stick@*' | grep 'not signed by the key'; do sleep 1; done")
	m.unplug()
	if state := m.slotState(); !strings.Contains(state, "pending=\n") {
		t.Errorf("after a tampered bundle: %s", state)
	}
}

func cutInUpdate(t *testing.T, m *machine) {
	m.plug(stick(t, nextVersion(t)))
	// Until the other slot is being written.
	m.must("until [ \"$(head -c 4 /dev/disk/by-partlabel/furrow-b)\" = hsqs ]; do sleep 0.2; done")
	m.cut()
	m.start()
	m.ready(0)
	runsFrom(t, m, "A")
	m.must(inBox + "member list --domain Office | grep Ann")
}

func updateByStick(t *testing.T, m *machine) {
	mark := m.console.mark()
	m.plug(stick(t, nextVersion(t)))
	if _, err := m.console.await(m, mark, "slot B (trial)", bootTime); err != nil {
		t.Fatal(err)
	}
	m.unplug()
	m.ready(m.console.mark())
	settled(t, m, "good")
	runsFrom(t, m, "B")
	m.must(inBox + "member list --domain Office | grep Ann")
}

// slot is the one that the box runs from.
func (m *machine) slot() string {
	m.t.Helper()
	return between(m.must("furrow --json update show"), `"slot": "`, `"`)
}

// slotState is what the boot loader knows of the slots.
func (m *machine) slotState() string {
	m.t.Helper()
	return m.must("head -n 7 /boot/efi/grub/grubenv")
}

// runsFrom wants the box to be on a slot that is known to be good.
func runsFrom(t *testing.T, m *machine, slot string) {
	t.Helper()
	show := m.must("furrow --json update show")
	if got := between(show, `"slot": "`, `"`); got != slot {
		t.Errorf("the box runs from slot %s, want %s:\n%s", got, slot, show)
	}
	if state := m.slotState(); !strings.Contains(state, "slot="+slot+"\npending=\n") {
		t.Errorf("the slot state: %s", state)
	}
}

// settled waits until the last update has an outcome.
func settled(t *testing.T, m *machine, outcome string) {
	t.Helper()
	for deadline := time.Now().Add(bootTime); ; time.Sleep(5 * time.Second) {
		show := m.must("furrow --json update show")
		if got := between(show, `"outcome": "`, `"`); got == outcome {
			return
		} else if got != "on trial" || time.Now().After(deadline) {
			t.Fatalf("want %s: %s\n%s", outcome, show, m.must("journalctl -q -b -u furrow-confirm -u furrow-settle | tail -20"))
		}
	}
}

// powerCuts kills the machine while members are added and a message waits, and wants all that was acknowledged.
func powerCuts(t *testing.T, m *machine) {
	cuts := 10
	if number, err := strconv.Atoi(os.Getenv("FURROW_CUTS")); err == nil {
		cuts = number
	}
	slot := m.slot()
	var added []string
	for cut := range cuts {
		note := fmt.Appendf(nil, "sent before cut %d", cut)
		m.send("Ann", "Bob", note)
		timer := time.AfterFunc(time.Duration(2000+rand.IntN(8000))*time.Millisecond, m.cut)
		for i := 0; ; i++ {
			name := fmt.Sprintf("Member-%d-%d", cut, i)
			if _, err := m.run(inBox + "member add --domain Office --full-name " + name + " --email " + name + "@example.com"); err != nil {
				break
			}
			added = append(added, name)
		}
		timer.Stop()
		<-m.exited
		m.start()
		if _, err := m.console.await(m, 0, "slot "+slot+" (good)", bootTime); err != nil {
			t.Fatal(err)
		}
		m.ready(0)
		list := m.must(inBox + "member list --domain Office")
		for _, name := range added {
			if !strings.Contains(list, name) {
				t.Errorf("cut %d: %s was acknowledged and is lost", cut, name)
			}
		}
		m.receive("Bob", note)
	}
	// Three in a row while it starts: only a slot on trial has its starts counted.
	for range 3 {
		m.cut()
		m.start()
		if _, err := m.console.await(m, 0, "slot "+slot+" (good)", bootTime); err != nil {
			t.Fatal(err)
		}
	}
	m.ready(0)
	runsFrom(t, m, slot)
	t.Logf("%d cuts, %d members acknowledged", cuts, len(added))
}

// onTrial has the boot loader try a slot, whatever is in it.
func onTrial(m *machine, slot string) {
	m.must("cd /boot/efi/grub && sed -e 's/^pending=.*/pending=" + slot + "/' -e 's/^tries=.*/tries=3/' grubenv | head -c 1024 > /run/env && " +
		"dd if=/run/env of=grubenv conv=notrunc status=none && sync")
}

func blankSlot(t *testing.T, m *machine) {
	m.must("dd if=/dev/zero of=/dev/disk/by-partlabel/furrow-a bs=1M count=4 conv=fsync status=none")
	onTrial(m, "A")
	mark := m.console.mark()
	m.must("systemctl --no-block reboot")
	if _, err := m.console.await(m, mark, "slot A (trial)", bootTime); err != nil {
		t.Fatal(err)
	}
	m.ready(m.console.mark())
	if state := m.slotState(); !strings.Contains(state, "pending=\n") || !strings.Contains(state, "failed=A") {
		t.Errorf("after a blank slot: %s", state)
	}
}

// badVersion makes a bundle of the slot as a version that was not tried before it was signed.
func badVersion(t *testing.T, name string, spoil func(at func(string) string)) string {
	t.Helper()
	dir := t.TempDir()
	root, slot, bundle := filepath.Join(dir, "root"), filepath.Join(dir, "slot"), filepath.Join(dir, name+".update")
	tool(t, "unsquashfs", "-q", "-n", "-d", root, underTest(t).file(t, "slot", ".squashfs"))
	spoil(func(path string) string { return filepath.Join(root, path) })
	tool(t, "mksquashfs", root, slot, "-quiet", "-no-progress", "-comp", "gzip")
	furrow(t, "update", "bundle", "--slot", slot, "--key", filepath.Join(imageFolder(t), "update.key"), "--release", name,
		"--build", strconv.FormatInt(time.Now().Unix(), 10), "--architecture", underTest(t).name, "--output", bundle)
	return bundle
}

// place writes a file with its folders.
func place(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// withoutInit is a slot with a kernel and nothing to start: it panics, and the boot loader counts.
func withoutInit(t *testing.T, m *machine) {
	bundle := badVersion(t, "no-init", func(at func(string) string) {
		for _, folder := range []string{"usr", "etc"} {
			if err := os.RemoveAll(at(folder)); err != nil {
				t.Fatal(err)
			}
		}
	})
	returns(t, m, 3, func() { m.plug(stick(t, bundle)) })
	m.unplug()
}

// hangs is a version whose process 1 stands still, so that nothing but the watchdog of the machine can help.
func hangs(t *testing.T, m *machine) {
	bundle := badVersion(t, "hangs", func(at func(string) string) {
		place(t, at("etc/systemd/system/hang.service"), "[Service]\nType=oneshot\nExecStart=/bin/kill -SEGV 1\n")
		place(t, at("etc/systemd/system/furrow.service.d/hang.conf"), "[Unit]\nWants=hang.service\n")
	})
	returns(t, m, 3, func() { m.plug(stick(t, bundle)) })
	m.unplug()
}

// neverHealthy is a version that starts and does not serve. It comes by the box's pages.
func neverHealthy(t *testing.T, m *machine) {
	bundle := badVersion(t, "never-healthy", func(at func(string) string) {
		place(t, at("etc/systemd/system/furrow.service.d/broken.conf"), "[Service]\nExecStart=\nExecStart=/bin/false\n")
		place(t, at("etc/systemd/system/furrow-confirm.service.d/soon.conf"),
			"[Service]\nExecStart=\nExecStart=/usr/bin/furrow --data /var/lib/furrow box confirm --deadline 30s\n")
	})
	returns(t, m, 1, func() { m.people.upload("/updates", "updateBundle", bundle, "never-healthy") })
	m.people.get("/updates", "went back to the version before")
	m.must("until " + inBox + "alert list | grep 'an update was taken back'; do sleep 1; done")
	m.people.get("/", "An update was taken back")
}

// returns has a version that is no good brought to the box, and wants it to come back by itself with all it had, after so
// many starts of that version.
func returns(t *testing.T, m *machine, starts int, bring func()) {
	t.Helper()
	slot, mark := m.slot(), m.console.mark()
	other := map[string]string{"A": "B", "B": "A"}[slot]
	bring()
	for range starts {
		if _, err := m.console.await(m, mark, "slot "+other+" (trial)", bootTime); err != nil {
			t.Fatal(err)
		}
		mark = m.console.mark()
	}
	if _, err := m.console.await(m, mark, "slot "+slot+" (good)", bootTime); err != nil {
		t.Fatal(err)
	}
	m.ready(m.console.mark())
	settled(t, m, "returned")
	m.must(inBox + "member list --domain Office | grep Ann")
}

func factoryReset(t *testing.T, m *machine) {
	mark := m.console.mark()
	m.typed("f")
	if _, err := m.console.await(m, mark, "type ERASE", time.Minute); err != nil {
		t.Fatal(err)
	}
	m.startsAgain(func() { m.typed("ERASE") })
	if list := m.must(inBox + "domain list"); strings.Contains(list, "Office") {
		t.Errorf("after a factory reset:\n%s", list)
	}
	if _, at := newBrowser(t).get("/", "Furrow"); at != "/setup" {
		t.Errorf("after a factory reset the box shows %s", at)
	}
	if state := m.slotState(); !strings.Contains(state, "factory=0") {
		t.Errorf("after a factory reset: %s", state)
	}
}
