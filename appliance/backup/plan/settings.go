package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"furrow/appliance/backup/target"
	"furrow/appliance/state"
)

const (
	// secretsPurpose is what the secrets of the settings are sealed for.
	secretsPurpose = "backup secrets"
	// maxSetting bounds each text of the settings, in octets; the longest is a private key.
	maxSetting = 16 << 10
	// minPassphrase is how short a passphrase may be, in octets: somebody who has the file can try for years.
	minPassphrase = 12
	// minEvery is how often backups may be made.
	minEvery = 10 * time.Minute
	// maxEvery is a year.
	maxEvery = 366 * 24 * time.Hour
	// maxKeep bounds the listing of a target.
	maxKeep = 1000
	// dailyLayout is a time of the day.
	dailyLayout = "15:04"
)

// Settings say where backups go, and when.
type Settings struct {
	Target target.Address `json:"target"`
	// Passphrase is what backups are encrypted with.
	Passphrase string `json:"-"`
	// Daily is the time of a daily backup, 15:04 by the clock of the box; empty for none.
	Daily string `json:"daily,omitempty"`
	// Every is the time between backups; zero for none. With neither they are made when somebody asks.
	Every time.Duration `json:"every,omitempty"`
	// Keep is how many backups stay at the target.
	Keep int `json:"keep"`
}

func (s Settings) check() error {
	for name, text := range map[string]string{
		"target": s.Target.URL, "login": s.Target.Login, "host key": s.Target.HostKey, "region": s.Target.Region,
		"password": s.Target.Password, "private key": s.Target.PrivateKey, "passphrase": s.Passphrase,
	} {
		if len(text) > maxSetting {
			return fmt.Errorf("%w: %s: must have at most %d octets", ErrInvalid, name, maxSetting)
		}
	}
	if len(s.Passphrase) < minPassphrase {
		return fmt.Errorf("%w: the passphrase must have at least %d octets", ErrInvalid, minPassphrase)
	}
	if _, err := time.Parse(dailyLayout, s.Daily); s.Daily != "" && err != nil {
		return fmt.Errorf("%w: daily: %q is no time such as 02:30", ErrInvalid, s.Daily)
	}
	if s.Daily != "" && s.Every != 0 {
		return fmt.Errorf("%w: backups are made daily or in intervals, not both", ErrInvalid)
	}
	if s.Every != 0 && (s.Every < minEvery || s.Every > maxEvery) {
		return fmt.Errorf("%w: every: must be %v to %v", ErrInvalid, minEvery, maxEvery)
	}
	if s.Keep < 1 || s.Keep > maxKeep {
		return fmt.Errorf("%w: keep: must be 1 to %d", ErrInvalid, maxKeep)
	}
	if _, err := target.New(s.Target); err != nil {
		return err
	}
	return nil
}

// settingsRow are Settings as stored.
type settingsRow struct {
	Settings
	Changed time.Time `json:"changed"`
	Sealed  []byte    `json:"sealed"` // secrets
}

// secrets are what of the settings nobody is to read.
type secrets struct{ Passphrase, Password, PrivateKey string }

// Settings returns the settings without their secrets; false if there are none.
func (p *Plan) Settings() (Settings, bool) {
	row, ok := p.Tables.settings.Get(p.Store.Snapshot(), singleton)
	return row.Settings, ok
}

// complete returns the settings with their secrets.
func (p *Plan) complete() (Settings, error) {
	s, ok := p.Settings()
	if !ok {
		return s, ErrNoTarget
	}
	kept, err := p.secrets()
	s.Passphrase, s.Target.Password, s.Target.PrivateKey = kept.Passphrase, kept.Password, kept.PrivateKey
	return s, err
}

// secrets returns those of the settings, empty ones without settings.
func (p *Plan) secrets() (s secrets, err error) {
	row, ok := p.Tables.settings.Get(p.Store.Snapshot(), singleton)
	if !ok {
		return s, nil
	}
	text, err := p.Vault.Open(secretsPurpose, row.Sealed)
	if err != nil {
		return s, fmt.Errorf("opening the secrets of the backup settings: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("reading the secrets of the backup settings: %w", err)
	}
	return s, nil
}

// SetSettings changes the settings. An empty passphrase stays as it was; so do an empty password and private key, if
// they are for the same target and login.
func (p *Plan) SetSettings(ctx context.Context, s Settings) error {
	old, err := p.secrets()
	if err != nil {
		return err
	}
	if s.Passphrase == "" {
		s.Passphrase = old.Passphrase
	}
	before, _ := p.Settings()
	if s.Target.Password == "" && s.Target.PrivateKey == "" && s.Target.URL == before.Target.URL && s.Target.Login == before.Target.Login {
		s.Target.Password, s.Target.PrivateKey = old.Password, old.PrivateKey
	}
	if err := s.check(); err != nil {
		return err
	}
	text, err := json.Marshal(secrets{s.Passphrase, s.Target.Password, s.Target.PrivateKey})
	if err != nil {
		return err
	}
	sealed, err := p.Vault.Seal(secretsPurpose, text)
	if err != nil {
		return err
	}
	return p.change(ctx, func(tx *state.Tx) error {
		return p.Tables.settings.Put(tx, settingsRow{Settings: s, Changed: p.Now(), Sealed: sealed})
	})
}

// Clear ends planned backups. Those at the target stay.
func (p *Plan) Clear(ctx context.Context) error {
	return p.change(ctx, func(tx *state.Tx) error {
		p.Tables.settings.Delete(tx, singleton)
		return nil
	})
}

func (p *Plan) change(ctx context.Context, change func(*state.Tx) error) error {
	if err := p.Store.Update(ctx, change); err != nil {
		return fmt.Errorf("backup settings: %w", err)
	}
	select {
	case p.wake <- struct{}{}:
	default: // Run is about to look
	}
	return nil
}
