package config

import (
	"fmt"
	"time"
)

// PasswordReset tunes how forgotten passphrases are replaced. Whether they are is the domains' policy.
type PasswordReset struct {
	// Lifetime is how long a request waits for an administrator, and then its answer, such as "24h". Zero: a day.
	Lifetime time.Duration `toml:"lifetime"`
}

// A request must outlive the walk to the administrator, and is to be short-lived (MS-GRVSPCM 3.2.5.6).
const (
	minResetLifetime = 10 * time.Minute
	maxResetLifetime = 7 * 24 * time.Hour
)

func (p PasswordReset) validate() error {
	if p.Lifetime != 0 && (p.Lifetime < minResetLifetime || p.Lifetime > maxResetLifetime) {
		return fmt.Errorf("password_reset lifetime: %s, want %s to %s", p.Lifetime, minResetLifetime, maxResetLifetime)
	}
	return nil
}
