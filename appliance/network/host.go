package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"furrow/appliance/disk"
)

// System is what is told that files have changed, and asked what is in force.
type System interface {
	// SetName has the machine go by a host name until its next start.
	SetName(name string) error
	// Reload has systemd-networkd read its files again, and bring the ports in line with them.
	Reload(context.Context) error
	// Restart starts a unit of systemd, again if it runs; Stop stops one.
	Restart(ctx context.Context, unit string) error
	Stop(ctx context.Context, unit string) error
	Links(context.Context) ([]Link, error)
	TimeSource(context.Context) (TimeSource, error)
}

// Host is where the files are that set name, addresses and clock. Its methods need root's rights, and take turns with
// those of other processes.
type Host struct {
	// Kept is a folder that only root writes, on the data partition.
	Kept string
	// Run is one that is empty at each start. In it are the trial, and localtime, to which /etc/localtime points.
	Run string
	// NetworkFile and TimeFile are read by systemd-networkd and systemd-timesyncd.
	NetworkFile, TimeFile string
	// Zones is the folder of the time zones.
	Zones string
	// Sensors is the folder of the machine's thermometers.
	Sensors string
	System  System
	// Uptime is the time since the machine's start; unlike the time of day nobody sets it.
	Uptime func() time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

// Image is the host of a machine that was started from the image.
func Image(log *slog.Logger) *Host {
	return &Host{
		Kept: "/var/lib/furrow-host", Run: "/run/furrow-host",
		// Comes before 80-wired.network of the image.
		NetworkFile: "/run/systemd/network/10-furrow.network", TimeFile: "/run/systemd/timesyncd.conf.d/furrow.conf",
		Zones: "/usr/share/zoneinfo", Sensors: "/sys/class", System: Bus{}, Uptime: uptime, Now: time.Now, Log: log,
	}
}

func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil { // by which timers of systemd go, too
		panic(err) // there is no Linux without this clock
	}
	return time.Duration(t.Nano())
}

// onTrial is a trial as it is in the folder Run.
type onTrial struct {
	Settings Settings      `json:"settings"`
	Ends     time.Duration `json:"ends"` // in nanoseconds since the machine's start
}

const (
	settingsName = "network.json"
	clockName    = "clock.json"
	trialName    = "network-trial.json"
)

// locked does something while no other process does. It goes by the folder that only root can open.
func (h *Host) locked(do func() error) error {
	if err := errors.Join(os.MkdirAll(h.Kept, disk.DirMode), os.MkdirAll(h.Run, 0o755)); err != nil {
		return err
	}
	return disk.Locked(h.Kept, do)
}

// kept are the settings that are kept. When they cannot be used, damage says why, and they are those of a new box.
func (h *Host) kept() (s Settings, damage error) {
	err := disk.ReadRecord(filepath.Join(h.Kept, settingsName), &s)
	if err == nil {
		s, err = s.Checked()
	}
	if err == nil {
		return s, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return Settings{Name: DefaultName}, err
}

// clock is kept for the clock.
func (h *Host) clock() (c Clock, damage error) {
	zones, err := Zones(h.Zones)
	if err == nil {
		err = disk.ReadRecord(filepath.Join(h.Kept, clockName), &c)
	}
	if err == nil {
		c, err = c.Checked(zones)
	}
	if err == nil {
		return c, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return Clock{Zone: DefaultZone}, err
}

// trial is the one that goes on; ok is false when there is none, or its time is over.
func (h *Host) trial() (t onTrial, ok bool, err error) {
	err = disk.ReadRecord(filepath.Join(h.Run, trialName), &t)
	if errors.Is(err, fs.ErrNotExist) {
		return t, false, nil
	}
	return t, err == nil && h.Uptime() < t.Ends, err
}

func (h *Host) endTrial() error {
	if err := os.Remove(filepath.Join(h.Run, trialName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ending the trial: %w", err)
	}
	return nil
}
