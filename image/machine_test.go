//go:build image

package image

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// address is where the box's ports are on this machine, and in the box too, so that one server URL fits both.
const address = "127.0.77.1"

// Limits of an emulated machine, on a host that does other things too.
const (
	bootTime    = 20 * time.Minute
	commandTime = 10 * time.Minute
)

// machine is a box in qemu: power is on from start to cut.
type machine struct {
	t       *testing.T
	arch    architecture
	disk    string
	folder  string // of sockets and logs
	uefi    bool   // rather than what such a box has first
	process *exec.Cmd
	exited  chan struct{}
	kernel  []string // qemu's arguments for a kernel without a boot loader; nil: what is on the disk
	sticks  int      // that were plugged in
	homes   string   // folder of the folders of the members' clients
	people  *browser // who has set the box up
	console *serial  // what a person sees and types on the serial line
	shell   *serial  // of root, which no shipped image has (shellArguments)
}

// serial is a serial line.
type serial struct {
	conn net.Conn
	mu   sync.Mutex
	text strings.Builder // guarded by mu: all that came
	more chan struct{}   // something came
}

func openSerial(t *testing.T, path, log string) *serial {
	t.Helper()
	var conn net.Conn
	var err error
	for deadline := time.Now().Add(time.Minute); ; { // qemu makes the socket when it is up
		if conn, err = net.Dial("unix", path); err == nil || time.Now().After(deadline) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	s := &serial{conn: conn, more: make(chan struct{}, 1)}
	go func() { // ends with qemu
		defer file.Close()
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			file.Write(buf[:n])
			select {
			case s.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

// mark is a position in what came, to look on from.
func (s *serial) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Len()
}

// await waits for text after a mark and returns what came up to it.
func (s *serial) await(m *machine, mark int, text string, limit time.Duration) (string, error) {
	deadline := time.After(limit)
	for {
		s.mu.Lock()
		came := s.text.String()[mark:]
		s.mu.Unlock()
		if before, _, found := strings.Cut(came, text); found {
			return before, nil
		}
		select {
		case <-s.more:
		case <-m.exited:
			return came, errors.New("the machine has stopped")
		case <-deadline:
			return came, fmt.Errorf("no %q within %v; the end of what came: %q", text, limit, came[max(0, len(came)-500):])
		}
	}
}

func (m *machine) start() {
	m.t.Helper()
	at := func(name string) string { return filepath.Join(m.folder, name) }
	for _, name := range []string{"console", "shell", "monitor"} {
		os.Remove(at(name))
	}
	forwards := ""
	for _, port := range []string{"22", "80", "443", "2492"} {
		forwards += ",hostfwd=tcp:" + address + ":" + port + "-:" + port
	}
	args := []string{"-m", "1024", "-smp", "2", "-display", "none",
		"-drive", "file=" + m.disk + ",if=virtio,format=qcow2,cache=writeback",
		"-netdev", "user,id=net" + forwards, "-device", "virtio-net-pci,netdev=net",
		"-device", "i6300esb", "-action", "watchdog=reset", "-device", "qemu-xhci", "-device", "virtio-rng-pci",
		"-chardev", "socket,id=c0,server=on,wait=off,path=" + at("console"), "-serial", "chardev:c0",
		"-chardev", "socket,id=c1,server=on,wait=off,path=" + at("shell"),
		"-chardev", "socket,id=mon,server=on,wait=off,path=" + at("monitor"), "-mon", "chardev=mon,mode=readline",
	}
	args = append(append(args, m.arch.machine...), m.kernel...)
	if m.uefi {
		args = append(args, "-bios", m.arch.uefi)
	}
	m.process = exec.Command(m.arch.emulator, args...)
	m.process.Stderr = os.Stderr
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	process, exited := m.process, make(chan struct{})
	m.exited = exited
	go func() { // ends with qemu
		process.Wait()
		close(exited)
	}()
	m.console = openSerial(m.t, at("console"), at("console.log"))
	m.shell = openSerial(m.t, at("shell"), at("shell.log"))
}

// cut is the power failing.
func (m *machine) cut() {
	process, exited := m.process, m.exited
	if process == nil { // never started
		return
	}
	process.Process.Kill()
	<-exited
}

// ready waits until the screen says that the box serves, counted from a mark on the console, and has a shell answer.
func (m *machine) ready(mark int) {
	m.t.Helper()
	if _, err := m.console.await(m, mark, "State      ready", bootTime); err != nil {
		m.t.Fatal(err)
	}
	m.openShell()
}

// startsAgain has the machine start again by some means, and waits until it serves.
func (m *machine) startsAgain(by func()) {
	m.t.Helper()
	mark := m.console.mark()
	by()
	if _, err := m.console.await(m, mark, "furrow: slot", bootTime); err != nil {
		m.t.Fatal(err)
	}
	m.ready(m.console.mark())
}

func (m *machine) openShell() {
	m.t.Helper()
	mark := m.shell.mark()
	for range 20 { // the shell forgets what is typed before it is there
		fmt.Fprint(m.shell.conn, "stty -echo; PS1=; echo shell is\" \"there\n")
		if _, err := m.shell.await(m, mark, "shell is there", 15*time.Second); err == nil {
			m.must("true") // what else was typed has been answered then
			return
		}
	}
	m.t.Fatal("no shell")
}

// run has the shell run a command, and returns what it printed.
func (m *machine) run(command string) (string, error) {
	mark := m.shell.mark()
	if _, err := fmt.Fprintf(m.shell.conn, "%s; echo =\"\"=$?=\"\"=\n", command); err != nil {
		return "", err
	}
	out, err := m.shell.await(m, mark, "==\r\n", commandTime)
	if err != nil {
		return out, err
	}
	text, status, _ := strings.Cut(out, "==")
	if text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")); status != "0" {
		return text, fmt.Errorf("%s: status %s: %s", command, status, text)
	}
	return text, nil
}

func (m *machine) must(command string) string {
	m.t.Helper()
	out, err := m.run(command)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// monitor gives qemu a command.
func (m *machine) monitor(commands ...string) {
	m.t.Helper()
	conn, err := net.Dial("unix", filepath.Join(m.folder, "monitor"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for _, command := range append([]string{""}, commands...) {
		if command != "" {
			fmt.Fprintln(conn, command)
		}
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := reader.ReadString(')'); err != nil && !errors.Is(err, io.EOF) {
			m.t.Fatal(err)
		}
	}
}

// picture keeps what is on the box's screen, as NAME.png.
func (m *machine) picture(name string) {
	m.t.Helper()
	m.monitor("screendump " + filepath.Join(m.folder, name+".png") + " -f png")
}

// typed has a person type a line at the box's screen.
func (m *machine) typed(line string) {
	m.t.Helper()
	if _, err := fmt.Fprint(m.console.conn, line+"\r"); err != nil {
		m.t.Fatal(err)
	}
}

// plug puts a memory stick in.
func (m *machine) plug(stick string) {
	m.t.Helper()
	m.sticks++ // a name is not free again at once
	name := fmt.Sprintf("stick%d", m.sticks)
	m.monitor("drive_add 0 if=none,id="+name+",format=raw,file="+stick, "device_add usb-storage,id="+name+",drive="+name+",removable=on")
}

func (m *machine) unplug() {
	m.t.Helper()
	m.monitor(fmt.Sprintf("device_del stick%d", m.sticks))
}

// tool runs a program of this machine.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
