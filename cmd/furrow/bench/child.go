package bench

import (
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// stopPatience is how long a server may take to end when it is asked to.
const stopPatience = 20 * time.Second

// lastWords is how much of the end of a server's log is kept for errors.
const lastWords = 2 << 10

// Child is the process of a server under load.
type Child struct {
	cmd      *exec.Cmd
	stopping chan struct{} // closed by Stop
	ended    chan struct{} // closed when the process has ended and gone has returned
	err      error         // of a server that has ended by itself, once ended is closed
}

// StartChild starts a server, in a process group of its own: an interrupt of the
// terminal is for the caller, who stops it in order. If the server ends by itself,
// gone is told how, with the end of what it has written to standard error and, if
// cmd has not taken that, to standard output. The caller calls Stop at the end.
func StartChild(name string, cmd *exec.Cmd, gone func(error)) (*Child, error) {
	c := &Child{cmd: cmd, stopping: make(chan struct{}), ended: make(chan struct{})}
	log := new(tail)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = log
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait() // ProcessState says the same
		select {
		case <-c.stopping:
		default:
			c.err = fmt.Errorf("%s has ended by itself, %v: %s", name, cmd.ProcessState, log)
			gone(c.err)
		}
	}()
	return c, nil
}

// Usage implements [Server].
func (c *Child) Usage() (Usage, error) { return ProcessUsage(c.cmd.Process.Pid) }

// noticePatience is how long after a failure the end of the server may be noticed.
const noticePatience = time.Second

// Explain returns why something has failed that was asked of the server: err, or
// the end of the server, which those who are connected see first.
func (c *Child) Explain(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-c.ended:
	case <-time.After(noticePatience):
		return err
	}
	if c.err == nil {
		return err
	}
	return c.err
}

// Stop ends the server and returns when it is gone. It is called once.
func (c *Child) Stop() {
	close(c.stopping)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = c.cmd.Process.Signal(signal) // it may have ended
		select {
		case <-c.ended:
			return
		case <-time.After(stopPatience):
		}
	}
	<-c.ended
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if over := len(t.end) - lastWords; over > 0 {
		t.end = t.end[over:]
	}
	return len(p), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.end) == 0 {
		return "(it has said nothing)"
	}
	return string(t.end)
}
