package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// maxRecord bounds a record, in octets; the longest is of a support access with five keys, some 20 KB.
const maxRecord = 64 << 10

// WriteRecord writes a value as a JSON file in place of what was there, and returns when it is on the disk.
func WriteRecord(path string, value any, mode os.FileMode) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err == nil {
		err = renameio.WriteFile(path, append(text, '\n'), mode)
	}
	if err == nil {
		err = OS{}.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return nil
}

// ReadRecord reads what WriteRecord has written; there being no file is fs.ErrNotExist.
func ReadRecord(path string, into any) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := io.ReadAll(io.LimitReader(file, maxRecord+1))
	if err == nil && len(text) > maxRecord {
		err = errors.New("too large")
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}
