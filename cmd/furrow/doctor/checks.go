package doctor

import (
	"context"
	"errors"
	"fmt"
)

// machineChecks look at the box and the machine below it.
func machineChecks() []check {
	const disk = "look at the disk of the data directory: it may be full or failing"
	return []check{
		{name: "box", tried: "ask the running box how it is", run: box,
			remedy: "start it with furrow serve, or name its data directory with --data"},
		{name: "disk-speed", tried: "write durably to the disk of the data directory", run: diskSpeed, remedy: disk},
		{name: "disk-space", tried: "ask for the free space of the data directory", run: freeSpace, remedy: disk},
		{name: "clock", tried: "look at the clock", run: clock},
		{name: "names", tried: "resolve the names that clients are told", run: needsBox(names)},
		{name: "ports", tried: "connect to each port of the box", run: needsBox(ports)},
		{name: "certificate", tried: "look at the certificate that browsers are shown", run: needsBox(tlsCertificate),
			remedy: "see the log of the box"},
	}
}

// clientChecks do what members do, as real clients.
func clientChecks() []check {
	const log = "see the log of the box, which says what it did not like"
	return append([]check{
		{name: "domain", tried: "make a hidden test domain with two members", run: needsBox(makeDomain), remedy: log},
		{name: "join", tried: "join both members by their configuration codes", run: join, remedy: log},
		{name: "directory", tried: "look a member up in the contact directory", run: search, remedy: log},
		{name: "register", tried: "register both accounts with their relay", run: register,
			remedy: "see furrow relay status: the relay must be reachable and know the members"},
		{name: "presence", tried: "watch one member come online and go", run: presence, remedy: log},
		{name: "offline-delivery", tried: "send to a member who is offline, who receives later", run: offline, remedy: log},
		{name: "fan-out", tried: "send one message to both members", run: fanOut, remedy: log},
	}, wayChecks()...)
}

// box asks the box whether it runs and is sound.
func box(ctx context.Context, e *examination) (string, error) {
	status, err := e.api.Status(ctx)
	if err != nil {
		return "", err
	}
	e.status = status
	if r := status.Recovery; r != nil {
		return "", failed("decide with furrow recovery accept, or restore a backup", "its state was restored from damaged files and is read-only: %s", r.Damage)
	}
	found := fmt.Sprintf("version %s serves %s, %d domains with %d members", status.Version, status.ServerURL, status.Domains, status.Members)
	if status.Version != e.Version {
		return "", warn("restart the box, so that it runs the program that is installed", "%s; this program is version %s", found, e.Version)
	}
	return found, nil
}

// needsBox has a check not tried that a box has to answer for.
func needsBox(run func(context.Context, *examination) (string, error)) func(context.Context, *examination) (string, error) {
	return func(ctx context.Context, e *examination) (string, error) {
		if e.status.ServerURL == "" {
			return "", notTried("the box does not answer")
		}
		if e.status.Recovery != nil {
			return "", notTried("the box is read-only")
		}
		return run(ctx, e)
	}
}

// ErrNotWell is the end of an examination that has found something failed.
var ErrNotWell = errors.New("something is not well; see above what to do")
