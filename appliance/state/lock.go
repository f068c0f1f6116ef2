package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"furrow/appliance/disk"
)

const lockName = "lock"

// Lock takes the folder as an open Store has it, for who replaces it. ErrLocked says that it is taken. Closing the result
// gives it back.
func Lock(dir string) (io.Closer, error) { return lockDir(dir) }

// lockDir takes the folder for this Store. The kernel releases the lock when
// the process dies, however it dies.
func lockDir(dir string) (_ *os.File, err error) {
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, disk.FileMode)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := f.Chmod(disk.FileMode); err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, fmt.Errorf("%s: %w", dir, ErrLocked)
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return f, nil
}
