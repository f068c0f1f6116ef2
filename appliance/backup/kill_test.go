package backup

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// childDir names, for a child process, the folder that it is to restore into until it is killed.
const childDir = "FURROW_BACKUP_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		_, err := Restore(context.Background(), os.Stdin, password, dir)
		fmt.Println(err) // not reached when killed
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A process that is killed while it restores leaves no data directory, and the next one is not in its way.
func TestKilledRestore(t *testing.T) {
	data := made(t, 500_000)
	dir := filepath.Join(t.TempDir(), "var")
	for _, part := range []int{headerBytes + 2*chunkBytes, len(data) - chunkBytes, len(data) - 1, len(data)} {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir)
		in, err := child.StdinPipe()
		check(t, err)
		check(t, child.Start())
		// A pipe holds one chunk at most: when all is written the child has read all but that. It then waits for more, or,
		// with all of it, for the end of the file, which only closing would be.
		_, err = io.Copy(in, bytes.NewReader(data[:part]))
		check(t, err)
		check(t, child.Process.Kill())
		_ = child.Wait() // reports the kill
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Fatalf("killed after %d octets of %d: there is a data directory: %v", part, len(data), err)
		}
		if _, err := os.Stat(dir + workSuffix); err != nil {
			t.Fatalf("killed after %d octets of %d: the child had not begun: %v", part, len(data), err)
		}
	}
	restored(t, data, dir).close(t)
	if _, err := os.Stat(dir + workSuffix); !os.IsNotExist(err) {
		t.Errorf("left beside the data directory: %v", err)
	}
}
