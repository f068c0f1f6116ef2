package host

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portOwner names the process that listens on a TCP port, such as "squid (process 123)", by what the kernel shows in
// proc, which is /proc. It is empty when nothing does or, as with another user's process, that may not be seen.
func portOwner(proc, port string) string {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return ""
	}
	sockets := make(map[string]bool)
	for _, table := range []string{"tcp", "tcp6"} {
		listening(filepath.Join(proc, "net", table), number, sockets)
	}
	if len(sockets) == 0 {
		return ""
	}
	descriptors, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*"))
	if err != nil {
		return ""
	}
	for _, descriptor := range descriptors {
		if link, err := os.Readlink(descriptor); err == nil && sockets[link] {
			return processName(filepath.Dir(filepath.Dir(descriptor)))
		}
	}
	return ""
}

// listening adds the sockets that listen on a port, as descriptors name them, from a table of the kernel's. Its lines
// are: number, local address:port, remote address:port, state, ..., and the inode in tenth place (proc(5)).
func listening(table string, port uint64, sockets map[string]bool) {
	file, err := os.Open(table)
	if err != nil {
		return
	}
	defer file.Close()
	const stateListen, inodeField = "0A", 9
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) <= inodeField || fields[3] != stateListen {
			continue
		}
		_, local, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(local, 16, 16); err == nil && n == port {
			sockets["socket:["+fields[inodeField]+"]"] = true
		}
	}
}

// processName names a process by its folder.
func processName(folder string) string {
	name, err := os.ReadFile(filepath.Join(folder, "comm"))
	if err != nil {
		return "process " + filepath.Base(folder)
	}
	return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), filepath.Base(folder))
}
