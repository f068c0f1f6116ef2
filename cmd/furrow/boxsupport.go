package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"furrow/appliance/host"
	"furrow/appliance/support"
)

// supportUnit is what keeps the box open to support.
const supportUnit = "furrow-support.service"

func supportDoor() *support.Door {
	return &support.Door{
		Dir: support.Dir, Shown: support.ShownDir, Now: time.Now, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Start: func(ctx context.Context) error { return host.StartUnit(ctx, supportUnit) },
		Stop:  func(ctx context.Context) error { return host.StopUnit(ctx, supportUnit) },
	}
}

type boxSupportCmd struct{}

func (boxSupportCmd) Run(s *session) error {
	guard := support.Guard{
		Door: supportDoor(), SSHD: []string{"/usr/sbin/sshd", "-D", "-e"}, Ready: func() error { return host.Ready("open") },
	}
	return guard.Run(s.ctx)
}

// shellIsOpen says whether the screen offers a shell.
func shellIsOpen() bool {
	open, err := support.Look(support.ShownDir)
	return err == nil && open != nil && open.Shell
}

// shellLooksEvery is how often a shell's time is looked at.
const shellLooksEvery = time.Second

// supportShell runs a shell on the screen until it is left, or support access is over. The screen's unit then starts
// anew, which ends whatever the shell has left running there.
func supportShell(ctx context.Context) (string, error) {
	if !shellIsOpen() {
		return "", errors.New("support access is over")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shell := exec.CommandContext(ctx, "/bin/bash", "--login")
	shell.Stdin, shell.Stdout, shell.Stderr = os.Stdin, os.Stdout, os.Stdout
	shell.Dir = "/"
	shell.Env = append(os.Environ(), "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "FURROW_DATA="+imageData)
	fmt.Fprintln(os.Stderr, "furrow: support: a shell was begun on the screen")
	if err := shell.Start(); err != nil {
		return "", fmt.Errorf("starting a shell: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- shell.Wait() }() // ends with the shell
	look := time.NewTicker(shellLooksEvery)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			fmt.Fprintln(os.Stderr, "furrow: support: the shell on the screen has ended")
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				err = nil // what its last command said
			}
			return "ended", err
		case <-look.C:
			if !shellIsOpen() {
				cancel()
			}
		}
	}
}
