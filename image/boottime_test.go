//go:build image

package image

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// bootRounds is how often both are started, in turns, of which the fastest counts: the emulator's host does other things.
const bootRounds = 3

// TestBootTime compares the start of the box, from the kernel's first instant until it serves, with that of a bare Debian
// until it has reached its target, in the same emulator. The aim is at most 1.3 times.
func TestBootTime(t *testing.T) {
	box := newMachine(t)
	box.start()
	box.ready(0) // what a box does once in its life is not counted
	box.must("sync")
	box.cut()

	file := func(name string) string { return filepath.Join(imageFolder(t), "bare."+name) }
	disk := filepath.Join(t.TempDir(), "disk")
	tool(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", file("ext4"), "-F", "raw", disk)
	bare := &machine{t: t, arch: box.arch, disk: disk, folder: box.folder, kernel: []string{
		"-kernel", file("vmlinuz"), "-initrd", file("initrd"), "-append", "root=/dev/vda rw quiet console=ttyS0 " + box.arch.shellArguments(),
	}}
	t.Cleanup(bare.cut)

	best := func(m *machine, unit string, before time.Duration) time.Duration {
		m.start()
		m.openShell()
		m.must("until systemctl -q is-active " + unit + "; do sleep 1; done")
		took := m.must("systemctl show -P ActiveEnterTimestampMonotonic " + unit)
		m.must("sync")
		m.cut()
		µs, err := strconv.ParseInt(took, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if now := time.Duration(µs) * time.Microsecond; before == 0 || now < before {
			return now
		}
		return before
	}
	var ours, theirs time.Duration
	for range bootRounds {
		ours = best(box, "furrow.service", ours)
		theirs = best(bare, "multi-user.target", theirs)
	}
	t.Logf("the box serves after %v, a bare Debian is up after %v: %.2f times", ours.Round(time.Millisecond), theirs.Round(time.Millisecond),
		ours.Seconds()/theirs.Seconds())
}
