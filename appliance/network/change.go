package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"furrow/appliance/disk"
)

// Prepare writes what is kept into the files that the system reads, before it does; what is damaged is as on a new box.
// It comes at each start, when there is no trial and nobody to tell.
func (h *Host) Prepare() error {
	return h.locked(func() error {
		settings, damage := h.kept()
		if damage != nil {
			h.Log.Error("the network settings cannot be used: DHCP", "reason", damage)
		}
		clock, damage := h.clock()
		if damage != nil {
			h.Log.Error("the clock's settings cannot be used", "reason", damage)
		}
		return errors.Join(h.write(settings), h.writeClock(clock))
	})
}

// Try begins a trial of settings; Apply brings them in force. In between there is time to say so to somebody who will
// be cut off.
func (h *Host) Try(ctx context.Context, s Settings) error {
	s, err := s.Checked()
	if err != nil {
		return err
	}
	return h.locked(func() error {
		// The end comes before the timer's, so that what the timer starts finds the trial over.
		trial := onTrial{s, h.Uptime() + TrialTime}
		if err := h.System.Restart(ctx, trialTimer); err != nil {
			return fmt.Errorf("arming the return to the old setting: %w", err)
		}
		return disk.WriteRecord(filepath.Join(h.Run, trialName), trial, disk.FileMode)
	})
}

// Apply brings in force what is on trial or, without a trial, what is kept.
func (h *Host) Apply(ctx context.Context) error {
	return h.locked(func() error {
		trial, ok, err := h.trial()
		if err != nil {
			h.Log.Error("the trial cannot be read", "reason", err)
		}
		settings := trial.Settings
		if !ok {
			settings, _ = h.kept() // Prepare has told of damage
		}
		return h.apply(ctx, settings)
	})
}

func (h *Host) apply(ctx context.Context, s Settings) error {
	h.Log.Info("network settings", "name", s.Name, "addresses", s.Addresses)
	if err := h.write(s); err != nil {
		return err
	}
	return h.System.Reload(ctx)
}

// Keep confirms what is on trial, which is on the disk when Keep returns.
func (h *Host) Keep(ctx context.Context) error {
	return h.locked(func() error {
		trial, ok, err := h.trial()
		if err != nil {
			return err
		}
		if !ok {
			return ErrNoTrial
		}
		if err := disk.WriteRecord(filepath.Join(h.Kept, settingsName), trial.Settings, disk.FileMode); err != nil {
			return err
		}
		h.Log.Info("network settings confirmed")
		h.disarm(ctx)
		return h.endTrial()
	})
}

// Return ends a trial that nobody has confirmed and brings the kept settings in force. It does nothing while the trial
// has time left: a newer one was begun, which has armed the timer for itself.
func (h *Host) Return(ctx context.Context) error {
	return h.locked(func() error {
		if _, err := os.Stat(filepath.Join(h.Run, trialName)); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if _, ok, _ := h.trial(); ok { // one that cannot be read is over, too
			return nil
		}
		h.Log.Warn("nobody has confirmed the network settings: back to those before")
		settings, _ := h.kept()
		if err := h.apply(ctx, settings); err != nil {
			return err // and the trial stays, so that the next try finds it
		}
		return h.endTrial()
	})
}

// Reset forgets name and addresses, on trial and kept: those of a new box, with DHCP. Apply brings them in force.
func (h *Host) Reset(ctx context.Context) error {
	return h.locked(func() error {
		if err := disk.WriteRecord(filepath.Join(h.Kept, settingsName), Settings{Name: DefaultName}, disk.FileMode); err != nil {
			return err
		}
		h.Log.Warn("network settings reset")
		h.disarm(ctx)
		return h.endTrial()
	})
}

// disarm stops the timer of a trial that is over. One that goes on finds none.
func (h *Host) disarm(ctx context.Context) {
	if err := h.System.Stop(ctx, trialTimer); err != nil {
		h.Log.Warn("the timer of the trial goes on", "error", err)
	}
}

// SetClock keeps how the machine knows the time, and brings it in force. Programs that run go by the zone from their next
// start on.
func (h *Host) SetClock(ctx context.Context, c Clock) error {
	zones, err := Zones(h.Zones)
	if err == nil {
		c, err = c.Checked(zones)
	}
	if err != nil {
		return err
	}
	return h.locked(func() error {
		if err := disk.WriteRecord(filepath.Join(h.Kept, clockName), c, disk.FileMode); err != nil {
			return err
		}
		h.Log.Info("clock settings", "servers", c.Servers, "zone", c.Zone)
		return errors.Join(h.writeClock(c), h.System.Restart(ctx, timeService))
	})
}

// write has the system find checked settings.
func (h *Host) write(s Settings) error {
	// The name first: the DHCP client tells it to its server.
	return errors.Join(h.System.SetName(s.Name), replace(h.NetworkFile, s.networkFile()))
}

func (h *Host) writeClock(c Clock) error {
	err := renameio.Symlink(filepath.Join(h.Zones, c.Zone), filepath.Join(h.Run, "localtime"))
	if err != nil {
		err = fmt.Errorf("setting the time zone: %w", err)
	}
	return errors.Join(err, replace(h.TimeFile, c.timeFile()))
}

// replace writes a file in one step, for everybody to read.
func replace(path, text string) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = renameio.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
