package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"

	"furrow/appliance/setting"
	"furrow/appliance/state"
)

const (
	settingsKey = "settings"
	// passwordPurpose is what the password of the mail account is sealed for.
	passwordPurpose = "mail account password"
	// maxSetting bounds each setting, in octets; a PEM certificate is the longest.
	maxSetting = 16 << 10
)

// Security is how the connection to the mail server is protected.
type Security string

const (
	// StartTLS begins in the clear and must turn to TLS before anything is said; usually port 587 or 25.
	StartTLS Security = "starttls"
	// TLS is TLS from the first octet; usually port 465.
	TLS Security = "tls"
	// Plain is no protection, for a mail server on the same wire; usually port 25.
	Plain Security = "plain"
)

// port is the usual one.
func (s Security) port() string {
	switch s {
	case TLS:
		return "465"
	case Plain:
		return "25"
	}
	return "587"
}

// Settings are how mail is sent. The zero value is a box that sends none.
type Settings struct {
	// Server is host or host:port; without a port the usual one of Security.
	Server   string   `json:"server"`
	Security Security `json:"security"`
	// From is the sender's address, which may have a name: Groove <groove@example.com>.
	From string `json:"from"`
	// Login and Password are those of the mail account. Without a Login the server is not told any.
	Login    string `json:"login,omitempty"`
	Password string `json:"-"`
	// Authority is a PEM certificate to trust beside those of the system, for a mail server with one of its own.
	Authority string `json:"authority,omitempty"`
}

// settingsRow is Settings with the password sealed.
type settingsRow struct {
	Settings
	SealedPassword []byte `json:"sealedPassword,omitempty"`
}

// ErrInvalid is wrapped by refusals of settings and messages, whose text is for a person.
var ErrInvalid = errors.New("invalid")

func invalid(field, format string, args ...any) error {
	return setting.Refuse(ErrInvalid, field, format, args...)
}

// hostPort is where to connect.
func (s Settings) hostPort() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(s.Server)
	if err != nil {
		host, text = strings.Trim(s.Server, "[]"), s.Security.port()
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || host == "" || strings.ContainsAny(host, " /@") {
		return "", 0, invalid("server", "%q is not host or host:port", s.Server)
	}
	return host, port, nil
}

func (s Settings) check() error {
	for _, value := range []string{s.Server, s.From, s.Login, s.Password, s.Authority} {
		if len(value) > maxSetting {
			return invalid("setting", "is longer than %d octets", maxSetting)
		}
	}
	if s.Security != StartTLS && s.Security != TLS && s.Security != Plain {
		return invalid("security", "%q is none of starttls, tls, plain", s.Security)
	}
	if _, _, err := s.hostPort(); err != nil {
		return err
	}
	if _, err := netmail.ParseAddress(s.From); err != nil {
		return invalid("from", "%q is no mail address", s.From)
	}
	if s.Login != "" && s.Security == Plain {
		return invalid("security", "must be starttls or tls for a password to be sent")
	}
	if s.Authority != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(s.Authority)) {
		return invalid("authority", "holds no certificate in PEM")
	}
	return nil
}

// Settings returns how mail is sent, without the password, and whether it is sent at all.
func (p *Post) Settings() (Settings, bool) {
	row, ok := p.Tables.settings.Get(p.Store.Snapshot(), settingsKey)
	return row.Settings, ok
}

// SetSettings changes how mail is sent. An empty Password keeps the one that is there if server and login stay: it is
// never sent to another server than it was given for. What waits in the outbox is tried again at once.
func (p *Post) SetSettings(ctx context.Context, s Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	var sealed []byte
	if s.Password != "" {
		var err error
		if sealed, err = p.Vault.Seal(passwordPurpose, []byte(s.Password)); err != nil {
			return fmt.Errorf("mail settings: %w", err)
		}
	}
	err := p.Store.Update(ctx, func(tx *state.Tx) error {
		row := settingsRow{Settings: s, SealedPassword: sealed}
		if old, ok := p.Tables.settings.Get(tx, settingsKey); ok && sealed == nil &&
			old.Server == s.Server && old.Login == s.Login {
			row.SealedPassword = old.SealedPassword
		}
		if err := p.Tables.settings.Put(tx, row); err != nil {
			return err
		}
		return p.hurry(tx)
	})
	if err != nil {
		return fmt.Errorf("mail settings: %w", err)
	}
	p.Nudge()
	return nil
}

// ClearSettings ends sending. What waits in the outbox goes on waiting until its time is up.
func (p *Post) ClearSettings(ctx context.Context) error {
	return p.Store.Update(ctx, func(tx *state.Tx) error {
		p.Tables.settings.Delete(tx, settingsKey)
		return nil
	})
}

// account is the settings with the password.
func (p *Post) account() (Settings, error) {
	row, ok := p.Tables.settings.Get(p.Store.Snapshot(), settingsKey)
	if !ok {
		return Settings{}, ErrNoServer
	}
	s := row.Settings
	if row.SealedPassword != nil {
		password, err := p.Vault.Open(passwordPurpose, row.SealedPassword)
		if err != nil {
			return Settings{}, fmt.Errorf("opening the mail account's password: %w", err)
		}
		s.Password = string(password)
	}
	return s, nil
}
