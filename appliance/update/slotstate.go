package update

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Slot is one of the two places for a system.
type Slot string

const (
	SlotA Slot = "A"
	SlotB Slot = "B"
)

// Other is the other one.
func (s Slot) Other() Slot {
	if s == SlotA {
		return SlotB
	}
	return SlotA
}

func (s Slot) valid() bool { return s == SlotA || s == SlotB }

// trialStarts is how many starts a slot on trial has (image/grub/grub.cfg counts them).
const trialStarts = 3

// SlotState is what the boot loader goes by; image/grub/grub.cfg describes its variables.
type SlotState struct {
	// Slot is the one that is known to be good.
	Slot Slot
	// Pending is on trial; empty: none.
	Pending Slot
	// Tries are the starts that Pending still has.
	Tries int
	// Failed is the slot whose trial the boot loader ended; empty: none.
	Failed Slot
	// Factory asks for a new data partition at the next start.
	Factory bool
	// Machine is the machine's number for systemd, 32 hexadecimal digits; empty: not yet known.
	Machine string
}

// The environment block of GRUB: a line of its own, name=value lines, and filled with # to 1024 octets, always. GRUB
// overwrites it in place and so do we. A disk writes whole sectors, so what matters is kept within the first.
const (
	blockSize   = 1024
	blockHeader = "# GRUB Environment Block\n"
	sectorSize  = 512
)

// machineForm is what systemd takes for a machine's number (machine-id(5)).
var machineForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// parseSlotState reads an environment block. What it does not know is left out; a value that makes no sense is an error.
func parseSlotState(block []byte) (SlotState, error) {
	state := SlotState{Slot: SlotA}
	if len(block) != blockSize || !bytes.HasPrefix(block, []byte(blockHeader)) {
		return state, errors.New("not an environment block of GRUB")
	}
	for line := range strings.Lines(string(block[len(blockHeader):])) {
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !found || value == "" {
			continue
		}
		if err := state.set(name, value); err != nil {
			return SlotState{Slot: SlotA}, err
		}
	}
	return state, nil
}

func (s *SlotState) set(name, value string) (err error) {
	sound := true
	switch name {
	case "slot":
		s.Slot = Slot(value)
		sound = s.Slot.valid()
	case "pending":
		s.Pending = Slot(value)
		sound = s.Pending.valid()
	case "failed":
		s.Failed = Slot(value)
		sound = s.Failed.valid()
	case "tries":
		s.Tries, err = strconv.Atoi(value)
		sound = err == nil && s.Tries >= 0 && s.Tries <= trialStarts
	case "factory":
		s.Factory = value == "1"
	case "machine":
		s.Machine = value
		sound = machineForm.MatchString(value)
	}
	if !sound {
		return fmt.Errorf("slot state: %s=%q", name, value)
	}
	return nil
}

// block is the state as GRUB reads it.
func (s SlotState) block() ([]byte, error) {
	factory := 0
	if s.Factory {
		factory = 1
	}
	text := fmt.Sprintf("%sslot=%s\npending=%s\ntries=%d\nfailed=%s\nfactory=%d\nmachine=%s\n",
		blockHeader, s.Slot, s.Pending, s.Tries, s.Failed, factory, s.Machine)
	if len(text) > sectorSize {
		return nil, fmt.Errorf("slot state of %d octets, only the first %d are written in one go", len(text), sectorSize)
	}
	block := append([]byte(text), bytes.Repeat([]byte{'#'}, blockSize-len(text))...)
	again, err := parseSlotState(block)
	if err != nil {
		return nil, err
	}
	if again != s {
		return nil, fmt.Errorf("slot state %+v would be read as %+v", s, again)
	}
	return block, nil
}

// ReadSlotState reads the environment block.
func ReadSlotState(path string) (SlotState, error) {
	block, err := os.ReadFile(path)
	if err != nil {
		return SlotState{Slot: SlotA}, fmt.Errorf("slot state: %w", err)
	}
	return parseSlotState(block)
}

// WriteSlotState overwrites the environment block in place, with one write that has reached the disk on return. The
// file is never made anew: GRUB writes to the sectors that it has.
func WriteSlotState(path string, s SlotState) (err error) {
	block, err := s.block()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("slot state: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.WriteAt(block, 0); err != nil {
		return fmt.Errorf("writing the slot state: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("flushing the slot state: %w", err)
	}
	return nil
}
