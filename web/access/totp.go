package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pquerna/otp/totp"

	"furrow/appliance/state"
)

const (
	// recoveryCodes is how many are given out at once.
	recoveryCodes = 10
	// totpPeriod is the usual interval of a code (RFC 6238 4.1).
	totpPeriod = 30 * time.Second
	// maxCode bounds a code as it is typed, in octets.
	maxCode = 64
)

// errCode says that a code is wrong or was used before.
var errCode = errors.New("the code is wrong")

// totpPurpose is what the secret of an authenticator app is sealed for.
func totpPurpose(name string) string { return "totp/" + name }

// NewTOTP is what an authenticator app is told.
type NewTOTP struct {
	Ticket string // for ConfirmTOTP
	Secret string // to type, base-32
	URL    string // otpauth:, to show as a QR code
}

// BeginTOTP makes a secret for the authenticator app of the one whose session it is; issuer is what the app calls the
// box. It counts from ConfirmTOTP on.
func (c *Control) BeginTOTP(session, issuer string) (NewTOTP, error) {
	_, row, err := c.session(session)
	if err != nil {
		return NewTOTP{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: row.Name})
	if err != nil {
		return NewTOTP{}, fmt.Errorf("making a secret for an authenticator app: %w", err)
	}
	ticket, err := c.tickets.issue(ticket{purpose: forTOTP, administrator: row.Name, totp: key.Secret()})
	return NewTOTP{Ticket: ticket, Secret: key.Secret(), URL: key.URL()}, err
}

// ConfirmTOTP makes codes of the app needed, once it has shown the right one, and returns new recovery codes, each good
// once in place of one.
func (c *Control) ConfirmTOTP(ctx context.Context, session, ticketID, code string) (recovery []string, err error) {
	_, row, err := c.session(session)
	if err != nil {
		return nil, err
	}
	begun, err := c.tickets.use(ticketID, forTOTP)
	if err != nil {
		return nil, err
	}
	step, ok := totpStep(begun.totp, code, c.Now(), 0)
	if !ok || begun.administrator != row.Name {
		return nil, invalid("code", "this is not the code that the app shows now")
	}
	sealed, err := c.Vault.Seal(totpPurpose(row.Name), []byte(begun.totp))
	if err != nil {
		return nil, err
	}
	_, err = c.edit(ctx, row.Name, func(_ *state.Tx, row *administratorRow) error {
		row.TOTP, row.TOTPStep = sealed, step
		recovery = row.renewRecovery()
		return nil
	})
	c.tickets.end(ticketID)
	return recovery, err
}

// renewRecovery gives out new recovery codes; the old ones are no longer good.
func (r *administratorRow) renewRecovery() []string {
	codes := make([]string, recoveryCodes)
	r.Recovery = make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = newCode()
		r.Recovery[i] = digest(plainCode(codes[i]))
	}
	return codes
}

// RemoveTOTP ends the need for codes of the one whose session it is, who proves it with their password.
func (c *Control) RemoveTOTP(ctx context.Context, session, password string) error {
	s, row, err := c.session(session)
	if err != nil {
		return err
	}
	if err := c.prove(ctx, row, password, s.Address); err != nil {
		return err
	}
	c.throttle.succeed(row.attemptKeys(s.Address)...)
	_, err = c.edit(ctx, row.Name, func(_ *state.Tx, row *administratorRow) error {
		row.TOTP, row.TOTPStep, row.Recovery = nil, 0, nil
		return nil
	})
	return err
}

// spendCode uses up a code of the app or a recovery code. What is spent is on the disk before the answer, so that no
// restart makes a code good again.
func (c *Control) spendCode(ctx context.Context, name, typed string) error {
	if len(typed) > maxCode {
		return errCode
	}
	code := plainCode(typed)
	_, err := c.edit(ctx, name, func(_ *state.Tx, row *administratorRow) error {
		if row.TOTP == nil {
			return errCode
		}
		secret, err := c.Vault.Open(totpPurpose(row.Name), row.TOTP)
		if err != nil {
			return fmt.Errorf("opening the secret of the authenticator app: %w", err)
		}
		if step, ok := totpStep(string(secret), code, c.Now(), row.TOTPStep); ok {
			row.TOTPStep = step
			return nil
		}
		spent := slices.Index(row.Recovery, digest(code))
		if spent < 0 {
			return errCode
		}
		row.Recovery = slices.Delete(slices.Clone(row.Recovery), spent, spent+1)
		c.Log.Info("recovery code used", "name", row.Name, "left", len(row.Recovery))
		return nil
	})
	return err
}

// totpStep returns the interval whose code this is, among those now and next to it and after last (RFC 6238 5.2).
func totpStep(secret, code string, now time.Time, last int64) (step int64, ok bool) {
	current := now.Unix() / int64(totpPeriod/time.Second)
	for candidate := current - 1; candidate <= current+1; candidate++ {
		want, err := totp.GenerateCode(secret, time.Unix(candidate*int64(totpPeriod/time.Second), 0))
		if err == nil && candidate > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = candidate, true
		}
	}
	return step, ok
}
