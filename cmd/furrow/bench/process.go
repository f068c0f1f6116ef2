package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Usage is what a process has taken.
type Usage struct {
	// RSS is the memory in use now, VmRSS, in octets.
	RSS int64 `json:"rss"`
	// CPU is the processor time since the process began, all threads together.
	CPU time.Duration `json:"cpu"`
}

// tick is the unit of processor times in /proc, the same on every Linux.
const tick = time.Second / 100

// ProcessUsage asks the kernel about a process.
func ProcessUsage(pid int) (Usage, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Usage{}, fmt.Errorf("memory of the server: %w", err)
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Usage{}, fmt.Errorf("processor time of the server: %w", err)
	}
	var u Usage
	if u.RSS, err = parseRSS(status); err != nil {
		return Usage{}, fmt.Errorf("memory of the server: %w", err)
	}
	if u.CPU, err = parseCPU(stat); err != nil {
		return Usage{}, fmt.Errorf("processor time of the server: %w", err)
	}
	return u, nil
}

// parseRSS reads proc_pid_status(5). A process that has ended has no VmRSS.
func parseRSS(status []byte) (int64, error) {
	for line := range bytes.Lines(status) {
		value, ok := bytes.CutPrefix(line, []byte("VmRSS:"))
		if !ok {
			continue
		}
		number, ok := bytes.CutSuffix(bytes.TrimSpace(value), []byte(" kB"))
		if !ok {
			return 0, fmt.Errorf("VmRSS is %q", value)
		}
		kilo, err := strconv.ParseInt(string(number), 10, 64)
		return kilo << 10, err
	}
	return 0, errors.New("no VmRSS: the process has ended")
}

// parseCPU reads utime and stime of proc_pid_stat(5), the 14th and 15th field.
// The second is the name in parentheses, which may hold anything.
func parseCPU(stat []byte) (time.Duration, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("stat is %q", stat)
	}
	var ticks time.Duration
	for _, i := range []int{utime, stime} {
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += time.Duration(n)
	}
	return ticks * tick, nil
}
