//go:build image

package image

import (
	"os"
	"path/filepath"
	"testing"
)

// architecture is what differs between the kinds of boxes that images are made for.
type architecture struct {
	name     string   // as in the names of files
	emulator string   // qemu's program
	machine  []string // its arguments for such a box, with a second serial line from the character device c1
	uefi     string   // the firmware for boxes without a BIOS
	shell    string   // what the box calls the second serial line
}

// underTest is the one that FURROW_ARCH names, amd64 if it names none.
func underTest(t *testing.T) architecture {
	t.Helper()
	switch name := os.Getenv("FURROW_ARCH"); name {
	case "", "amd64":
		return architecture{
			name: "amd64", emulator: "qemu-system-x86_64", uefi: "/usr/share/ovmf/OVMF.fd", shell: "ttyS1",
			machine: []string{"-machine", "q35", "-cpu", "max", "-vga", "std", "-serial", "chardev:c1"},
		}
	case "arm64":
		uefi := "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"
		return architecture{
			name: name, emulator: "qemu-system-aarch64", uefi: uefi, shell: "hvc0",
			machine: []string{
				"-machine", "virt", "-cpu", "cortex-a72", "-bios", uefi, "-device", "ramfb",
				"-device", "virtio-serial-pci", "-device", "virtconsole,chardev=c1",
			},
		}
	default:
		t.Fatalf("FURROW_ARCH is %s, want amd64 or arm64", name)
		return architecture{}
	}
}

// file is one that image/build made, such as furrow-amd64.img.
func (a architecture) file(t *testing.T, name, ending string) string {
	t.Helper()
	return filepath.Join(imageFolder(t), name+"-"+a.name+ending)
}
