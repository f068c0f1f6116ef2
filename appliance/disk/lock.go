package disk

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Locked does something while no other that was called with the same folder does, in whatever process. It waits for its
// turn, and the lock goes with the process that holds it.
func Locked(dir string, do func() error) (err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }() // unlocks
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", dir, err)
	}
	return do()
}
