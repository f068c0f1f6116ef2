package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// demanded is what the product that Furrow takes the place of asked of its disk, in KB of 1,024 octets a second
	// (Groove Server 2010 planning).
	demanded = 1800
	// probeBlock and probeBlocks are what is written to find the speed: 16 MB, each block made durable.
	probeBlock  = 1 << 20
	probeBlocks = 16
	// flushes is how many small durable writes are timed; a person waits for one of them with each change.
	flushes = 40
	// slowFlush is how long a small durable write may take before people feel it.
	slowFlush = 100 * time.Millisecond
	// Free space: below the first the box is about to refuse messages, below the second somebody should act.
	failFree, warnFree = 256 << 20, 2 << 30
)

func diskSpeed(ctx context.Context, e *examination) (found string, err error) {
	f, err := os.CreateTemp(e.DataDir, ".doctor-*")
	if err != nil {
		return "", fmt.Errorf("making a file in the data directory: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, probeBlock)
	if _, err := rand.Read(block); err != nil {
		return "", err
	}
	began := e.Now()
	for range probeBlocks {
		if err := writeThrough(ctx, f, block); err != nil {
			return "", err
		}
	}
	speed := float64(probeBlocks*probeBlock) / 1024 / e.Now().Sub(began).Seconds()
	waits := make([]time.Duration, flushes)
	for i := range waits {
		began := e.Now()
		if err := writeThrough(ctx, f, block[:4096]); err != nil {
			return "", err
		}
		waits[i] = e.Now().Sub(began)
	}
	slices.Sort(waits)
	return judgeDisk(speed, waits[flushes/2], waits[flushes-1])
}

func writeThrough(ctx context.Context, f *os.File, data []byte) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("making what was written durable: %w", err)
	}
	return nil
}

// judgeDisk weighs the speed in KB a second and the median and longest time of a small durable write.
func judgeDisk(speed float64, median, longest time.Duration) (string, error) {
	found := fmt.Sprintf("%.0f KB/s of durable writing, %.1f times the %d KB/s that the old product demanded; a small change is durable in %v, at worst %v",
		speed, speed/demanded, demanded, median.Round(10*time.Microsecond), longest.Round(10*time.Microsecond))
	switch {
	case speed < demanded:
		return "", failed("put the data directory on a faster disk: an SSD, or an eMMC or card of a better class", "%s", found)
	case median > slowFlush:
		return "", warn("people wait this long for each change: a disk with a write cache that survives power cuts helps", "%s", found)
	}
	return found, nil
}

func freeSpace(_ context.Context, e *examination) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(e.DataDir, &fs); err != nil {
		return "", fmt.Errorf("asking for the free space of %s: %w", e.DataDir, err)
	}
	used, err := size(e.DataDir)
	if err != nil {
		return "", err
	}
	return judgeSpace(fs.Bavail*uint64(fs.Bsize), fs.Blocks*uint64(fs.Bsize), used)
}

func judgeSpace(free, total, used uint64) (string, error) {
	found := fmt.Sprintf("%.1f GB free of %.1f GB; the box itself takes %.1f MB", float64(free)/1e9, float64(total)/1e9, float64(used)/1e6)
	const remedy = "make room on the disk of the data directory, or put it on a larger one"
	switch {
	case free < failFree:
		return "", failed(remedy, "%s", found)
	case free < warnFree:
		return "", warn(remedy, "%s", found)
	}
	return found, nil
}

// size is what a folder holds, in octets. Files may come and go meanwhile.
func size(dir string) (total uint64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var info os.FileInfo
			if info, err = entry.Info(); err == nil {
				total += uint64(info.Size())
			}
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("adding up the data directory: %w", err)
	}
	return total, nil
}
