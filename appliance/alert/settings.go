package alert

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	netmail "net/mail"
	"net/url"
	"slices"

	"furrow/appliance/state"
)

const (
	settingsKey = "settings"
	// secretPurpose is what the secret of the web hook is sealed for.
	secretPurpose = "alert web hook secret"
	// maxRecipients bounds who gets each mail, maxSetting each text, in octets; a PEM certificate is the longest.
	maxRecipients = 20
	maxSetting    = 16 << 10
	// minSecret is the shortest secret that cannot be guessed, in octets.
	minSecret = 16
)

// ErrInvalid is wrapped by refusals of settings, whose text is for a person.
var ErrInvalid = errors.New("invalid")

func invalid(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s %s", ErrInvalid, field, fmt.Sprintf(format, args...))
}

// Settings say who is told of what. The zero value tells nobody, and knows all kinds with their usual thresholds.
type Settings struct {
	// Recipients are mail addresses, which may have a name.
	Recipients []string `json:"recipients,omitempty"`
	// URL is the https address of a web hook; empty for none.
	URL string `json:"url,omitempty"`
	// Secret is the key of the web hook's signatures. It is never shown, but by SetSettings when it has made one.
	Secret string `json:"-"`
	// Authority is a PEM certificate to trust for the web hook beside those of the system.
	Authority string `json:"authority,omitempty"`
	// Thresholds are those that are not the usual ones, Off the kinds that are not looked at.
	Thresholds map[Kind]Thresholds `json:"thresholds,omitempty"`
	Off        []Kind              `json:"off,omitempty"`
}

// settingsRow is Settings with the secret sealed.
type settingsRow struct {
	Settings
	SealedSecret []byte `json:"sealedSecret,omitempty"`
}

// rules are those in force.
func (s Settings) rules() []Rule {
	rules := slices.DeleteFunc(Rules(), func(r Rule) bool { return slices.Contains(s.Off, r.Kind) })
	for i := range rules {
		if t, ok := s.Thresholds[rules[i].Kind]; ok {
			rules[i].Thresholds = t
		}
	}
	return rules
}

func (s Settings) check() error {
	if len(s.Recipients) > maxRecipients {
		return invalid("recipients", "are more than %d", maxRecipients)
	}
	for _, r := range s.Recipients {
		if _, err := netmail.ParseAddress(r); err != nil || len(r) > maxSetting {
			return invalid("recipients", "hold %.100q, which is no mail address", r)
		}
	}
	if s.URL != "" {
		if u, err := url.Parse(s.URL); err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(s.URL) > maxSetting {
			return invalid("url", "is not of the form https://host/path")
		}
	}
	if s.Secret != "" && (len(s.Secret) < minSecret || len(s.Secret) > maxSetting) {
		return invalid("secret", "must have %d octets or more", minSecret)
	}
	if s.Authority != "" && (len(s.Authority) > maxSetting || !x509.NewCertPool().AppendCertsFromPEM([]byte(s.Authority))) {
		return invalid("authority", "holds no certificate in PEM")
	}
	for _, kind := range s.Off {
		if _, ok := ruleOf(kind); !ok {
			return invalid("off", "names %.50q, which is no kind of alert", kind)
		}
	}
	for kind, t := range s.Thresholds {
		rule, ok := ruleOf(kind)
		if !ok {
			return invalid("thresholds", "name %.50q, which is no kind of alert", kind)
		}
		if err := t.check(rule); err != nil {
			return err
		}
	}
	return nil
}

func (t Thresholds) check(rule Rule) error {
	for _, v := range []float64{t.Warning, t.Critical} {
		if math.IsNaN(v) || v <= 0 || v > 1e12 {
			return invalid("thresholds", "of %s must be positive numbers", rule.Kind)
		}
	}
	if rule.Unit == "" {
		return invalid("thresholds", "of %s cannot be changed: it is there or not", rule.Kind)
	}
	if rule.Below != (t.Critical < t.Warning) && t.Critical != t.Warning {
		return invalid("thresholds", "of %s: critical must be worse than warning", rule.Kind)
	}
	return nil
}

func ruleOf(kind Kind) (Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Kind == kind })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// Settings returns who is told of what, without the secret.
func (m *Monitor) Settings() Settings {
	row, _ := m.Tables.settings.Get(m.Store.Snapshot(), settingsKey)
	return row.Settings
}

// SetSettings changes who is told of what. An empty Secret keeps the one that is there if the URL stays; for another
// URL the box makes one, which is in the settings returned, this time only.
func (m *Monitor) SetSettings(ctx context.Context, s Settings) (Settings, error) {
	if err := s.check(); err != nil {
		return Settings{}, err
	}
	var made string
	err := m.Store.Update(ctx, func(tx *state.Tx) error {
		old, _ := m.Tables.settings.Get(tx, settingsKey)
		row := settingsRow{Settings: s}
		secret := s.Secret
		switch {
		case s.URL == "":
			secret = ""
		case secret == "" && s.URL == old.URL:
			row.SealedSecret = old.SealedSecret
		case secret == "":
			made = rand.Text()
			secret = made
		}
		if secret != "" {
			var err error
			if row.SealedSecret, err = m.Vault.Seal(secretPurpose, []byte(secret)); err != nil {
				return err
			}
		}
		return m.Tables.settings.Put(tx, row)
	})
	if err != nil {
		return Settings{}, fmt.Errorf("alert settings: %w", err)
	}
	m.wakeHooks()
	s.Secret = made
	return s, nil
}

// hook is the web hook with its secret; false if there is none.
func (m *Monitor) hook() (Settings, bool, error) {
	row, _ := m.Tables.settings.Get(m.Store.Snapshot(), settingsKey)
	if row.URL == "" {
		return Settings{}, false, nil
	}
	secret, err := m.Vault.Open(secretPurpose, row.SealedSecret)
	if err != nil {
		return Settings{}, false, fmt.Errorf("opening the web hook's secret: %w", err)
	}
	row.Secret = string(secret)
	return row.Settings, true, nil
}
