package host

import (
	"errors"
	"fmt"
	"os"
)

// SyncDir makes the names in a directory durable.
func SyncDir(path string) (err error) {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("flushing directory: %w", err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("flushing directory %s: %w", path, err)
	}
	return nil
}
