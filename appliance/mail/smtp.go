package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendTimeout bounds one conversation with the mail server; some look long for spam before they answer.
const sendTimeout = 2 * time.Minute

// errRefused says that the server will never take this message, as opposed to not now.
var errRefused = errors.New("refused by the mail server")

// deliver hands one message to the mail server.
func (p *Post) deliver(ctx context.Context, account Settings, id string, date time.Time, m Message) error {
	host, port, err := account.hostPort()
	if err != nil {
		return err
	}
	message, err := p.compose(account, id, date, m)
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	options, err := p.options(account, host, port)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(host, options...)
	if err != nil {
		return fmt.Errorf("mail server %s: %w", account.Server, err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		if permanent(err) {
			return fmt.Errorf("%w %s: %w", errRefused, account.Server, err)
		}
		return fmt.Errorf("mail server %s: %w", account.Server, err)
	}
	return nil
}

func (p *Post) compose(account Settings, id string, date time.Time, m Message) (*gomail.Msg, error) {
	message := gomail.NewMsg()
	if err := message.From(account.From); err != nil {
		return nil, err
	}
	if err := message.To(m.To); err != nil {
		return nil, err
	}
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(id + "@" + p.Hostname)
	message.SetDateWithValue(date)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no reply of absence, please
	message.SetBodyString(gomail.TypeTextPlain, m.Body)
	return message, nil
}

func (p *Post) options(account Settings, host string, port int) ([]gomail.Option, error) {
	trusted, err := p.trusted(account)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{
		gomail.WithPort(port),
		gomail.WithHELO(p.Hostname),
		gomail.WithTimeout(sendTimeout),
		gomail.WithTLSConfig(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: trusted}),
	}
	switch account.Security {
	case TLS:
		options = append(options, gomail.WithSSL())
	case Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if account.Login != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(account.Login), gomail.WithPassword(account.Password))
	}
	return options, nil
}

// trusted is what the server's certificate is checked against; nil for the authorities of the system.
func (p *Post) trusted(account Settings) (*x509.CertPool, error) {
	if account.Authority == "" {
		return p.Roots, nil
	}
	pool := p.Roots
	if pool == nil {
		var err error
		if pool, err = x509.SystemCertPool(); err != nil {
			pool = x509.NewCertPool() // a box without any trusts the one it was given
		}
	}
	pool = pool.Clone()
	if !pool.AppendCertsFromPEM([]byte(account.Authority)) {
		return nil, invalid("authority", "holds no certificate in PEM")
	}
	return pool, nil
}

// aboutMessage says that the server took the connection and the login, and refused this message.
func aboutMessage(err error) bool {
	var failure *gomail.SendError
	return errors.As(err, &failure)
}

// permanent says that trying this message again is of no use: its recipient or its content was refused for good. A
// refused login or sender is a matter of settings, which may be mended while the message waits.
func permanent(err error) bool {
	var failure *gomail.SendError
	if !errors.As(err, &failure) || failure.IsTemp() {
		return false
	}
	switch failure.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrNoUnencoded:
		return failure.ErrorCode() >= 500
	}
	return false
}
