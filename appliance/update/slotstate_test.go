package update

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const machine = "0123456789abcdef0123456789abcdef"

func block(lines string) string {
	return blockHeader + lines + strings.Repeat("#", blockSize-len(blockHeader)-len(lines))
}

func TestParseSlotState(t *testing.T) {
	for _, test := range []struct {
		name, block string
		want        SlotState
		fails       bool
	}{
		{"as the image is made", block("slot=A\npending=\ntries=0\nfailed=\nfactory=0\nmachine=\n"), SlotState{Slot: SlotA}, false},
		{"all there is", block("slot=B\npending=A\ntries=2\nfailed=B\nfactory=1\nmachine=" + machine + "\n"),
			SlotState{Slot: SlotB, Pending: SlotA, Tries: 2, Failed: SlotB, Factory: true, Machine: machine}, false},
		{"more than we know", block("saved_entry=3\nslot=B\n"), SlotState{Slot: SlotB}, false},
		{"empty", block(""), SlotState{Slot: SlotA}, false},
		{"a slot that is not there", block("slot=C\n"), SlotState{Slot: SlotA}, true},
		{"many tries", block("tries=4\n"), SlotState{Slot: SlotA}, true},
		{"a machine of another form", block("machine=x y\n"), SlotState{Slot: SlotA}, true},
		{"cut", block("slot=B\n")[:sectorSize], SlotState{Slot: SlotA}, true},
		{"zeros", strings.Repeat("\x00", blockSize), SlotState{Slot: SlotA}, true},
	} {
		got, err := parseSlotState([]byte(test.block))
		if got != test.want || (err != nil) != test.fails {
			t.Errorf("%s: %+v, %v; want %+v", test.name, got, err, test.want)
		}
	}
}

// TestWriteSlotStateInPlace is what the boot loader relies on: the file keeps its length and its sectors.
func TestWriteSlotStateInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grubenv")
	if err := os.WriteFile(path, []byte(block("slot=A\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	want := SlotState{Slot: SlotB, Pending: SlotA, Tries: 3, Failed: SlotA, Factory: true, Machine: machine}
	if err := WriteSlotState(path, want); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) || after.Size() != blockSize {
		t.Errorf("another file, or of %d octets", after.Size())
	}
	if got, err := ReadSlotState(path); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if err := WriteSlotState(path, SlotState{Slot: "A\nslot=B"}); err == nil {
		t.Error("a slot with a line break was written")
	}
	if err := WriteSlotState(filepath.Join(t.TempDir(), "none"), want); err == nil {
		t.Error("a block was made that GRUB does not know")
	}
}
