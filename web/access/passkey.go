package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"furrow/appliance/state"
)

const (
	// maxPasskeys is how many one administrator may have.
	maxPasskeys = 20
	// maxCeremony bounds what a browser answers, in octets; answers have a few thousand.
	maxCeremony = 64 << 10
	// passkeyID is how much of its digest names a passkey, in characters.
	passkeyID = 16
)

// Passkey is a key with which an administrator signs in, kept by a device or a security key.
type Passkey struct {
	ID      string
	Name    string // given by the administrator
	Host    string // the name of the box it is good for
	Created time.Time
}

type passkeyRow struct {
	Name       string              `json:"name"`
	Host       string              `json:"host"`
	Created    time.Time           `json:"created"`
	Credential webauthn.Credential `json:"credential"`
}

func (r passkeyRow) show() Passkey {
	return Passkey{ID: digest(string(r.Credential.ID))[:passkeyID], Name: r.Name, Host: r.Host, Created: r.Created}
}

// passkeyUser is an administrator at one name of the box, as package webauthn asks for it.
type passkeyUser struct {
	administratorRow
	host string
}

func (u passkeyUser) WebAuthnID() []byte          { return u.Handle }
func (u passkeyUser) WebAuthnName() string        { return u.Name }
func (u passkeyUser) WebAuthnDisplayName() string { return u.DisplayName }
func (u passkeyUser) WebAuthnCredentials() (all []webauthn.Credential) {
	for _, p := range u.Passkeys {
		if p.Host == u.host {
			all = append(all, p.Credential)
		}
	}
	return all
}

// relyingParty is the box at the origin under which the browser sees it, such as https://box.example.com:8443. Passkeys
// are bound to its host name, and there are none for a mere address (WebAuthn 5.1.2).
func relyingParty(origin string) (*webauthn.WebAuthn, string, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return nil, "", invalid("origin", "passkeys need the box's host name in the address, by https")
	}
	party, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: "Furrow", RPOrigins: []string{origin}})
	if err != nil {
		return nil, "", invalid("origin", "passkeys need a name with a dot in the box's address")
	}
	return party, u.Hostname(), nil
}

// PasskeysAt reports whether there can be passkeys for the box at an origin.
func PasskeysAt(origin string) bool {
	_, _, err := relyingParty(origin)
	return err == nil
}

// Ceremony is the first step of something with a passkey: the options for the browser, which encoding/json writes as
// navigator.credentials wants them, and the ticket for the second step.
type Ceremony struct {
	Ticket  string
	Options any
}

// BeginNewPasskey begins to make a passkey for the one whose session it is, at the origin that the browser sees.
func (c *Control) BeginNewPasskey(session, origin string) (Ceremony, error) {
	_, row, err := c.session(session)
	if err != nil {
		return Ceremony{}, err
	}
	if len(row.Passkeys) >= maxPasskeys {
		return Ceremony{}, invalid("passkey", "there are %d passkeys already", maxPasskeys)
	}
	party, host, err := relyingParty(origin)
	if err != nil {
		return Ceremony{}, err
	}
	user := passkeyUser{row, host}
	options, begun, err := party.BeginRegistration(user,
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred),
		webauthn.WithExclusions(webauthn.Credentials(user.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("beginning with a passkey: %w", err)
	}
	ticket, err := c.tickets.issue(ticket{purpose: forNewPasskey, administrator: row.Name, ceremony: begun, origin: origin})
	return Ceremony{ticket, options}, err
}

// FinishNewPasskey keeps the passkey that the browser has made, under a name that tells it from others.
func (c *Control) FinishNewPasskey(ctx context.Context, session, ticketID, name string, answer []byte) (Passkey, error) {
	_, row, err := c.session(session)
	if err != nil {
		return Passkey{}, err
	}
	if name == "" || len(name) > maxDisplayName || !utf8.ValidString(name) || slices.ContainsFunc([]rune(name), unicode.IsControl) {
		return Passkey{}, invalid("name", "give the passkey a name of at most %d octets", maxDisplayName)
	}
	begun, err := c.tickets.use(ticketID, forNewPasskey)
	if err != nil || begun.administrator != row.Name {
		return Passkey{}, errors.Join(err, ErrSignedOut)
	}
	party, host, err := relyingParty(begun.origin)
	if err != nil {
		return Passkey{}, err
	}
	if len(answer) > maxCeremony {
		return Passkey{}, invalid("passkey", "the browser's answer is too long")
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Passkey{}, invalid("passkey", "the browser's answer is not understood")
	}
	made, err := party.CreateCredential(passkeyUser{row, host}, *begun.ceremony, parsed)
	if err != nil {
		c.Log.Warn("passkey refused", "name", row.Name, "error", err)
		return Passkey{}, invalid("passkey", "the passkey was not accepted")
	}
	made.Attestation = webauthn.CredentialAttestation{} // nobody asks who made the device
	fresh := passkeyRow{Name: name, Host: host, Created: c.Now(), Credential: *made}
	_, err = c.edit(ctx, row.Name, func(_ *state.Tx, row *administratorRow) error {
		row.Passkeys = append(slices.Clone(row.Passkeys), fresh)
		return nil
	})
	c.tickets.end(ticketID)
	return fresh.show(), err
}

// RemovePasskey removes one of the administrator whose session it is.
func (c *Control) RemovePasskey(ctx context.Context, session, id string) error {
	_, row, err := c.session(session)
	if err != nil {
		return err
	}
	_, err = c.edit(ctx, row.Name, func(_ *state.Tx, row *administratorRow) error {
		kept := slices.DeleteFunc(slices.Clone(row.Passkeys), func(p passkeyRow) bool { return p.show().ID == id })
		if len(kept) == len(row.Passkeys) {
			return fmt.Errorf("passkey %s %w", id, ErrUnknown)
		}
		row.Passkeys = kept
		return nil
	})
	return err
}

// BeginPasskey begins to sign in by passkey at the origin that the browser sees: as the second factor of a ticket that
// SignIn returned, or alone when that is empty, where the passkey has to check its user.
func (c *Control) BeginPasskey(factorTicket, origin string) (Ceremony, error) {
	party, host, err := relyingParty(origin)
	if err != nil {
		return Ceremony{}, err
	}
	if factorTicket == "" {
		options, begun, err := party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return Ceremony{}, fmt.Errorf("beginning with a passkey: %w", err)
		}
		ticket, err := c.tickets.issue(ticket{purpose: forPasskeyAlone, ceremony: begun, origin: origin})
		return Ceremony{ticket, options}, err
	}
	proved, err := c.tickets.use(factorTicket, forFactor)
	if err != nil {
		return Ceremony{}, err
	}
	row, ok := c.Tables.administrators.Get(c.Store.Snapshot(), proved.administrator)
	if !ok {
		return Ceremony{}, ErrRefused
	}
	options, begun, err := party.BeginLogin(passkeyUser{row, host})
	if err != nil {
		return Ceremony{}, invalid("passkey", "there is no passkey for this name of the box")
	}
	ticket, err := c.tickets.issue(ticket{purpose: forPasskey, administrator: row.Name, ceremony: begun, origin: origin})
	return Ceremony{ticket, options}, err
}

// SignInByPasskey ends what BeginPasskey has begun, with what the browser answered.
func (c *Control) SignInByPasskey(ctx context.Context, ticketID string, answer []byte, from Visitor) (token string, err error) {
	begun, err := c.tickets.use(ticketID, forPasskey)
	if err != nil {
		begun, err = c.tickets.use(ticketID, forPasskeyAlone)
	}
	if err != nil {
		return "", err
	}
	c.tickets.end(ticketID) // a challenge is for one answer
	if wait := c.throttle.enter("address " + network(from.Address)); wait > 0 {
		c.failures.Add(1)
		return "", &WaitError{wait}
	}
	row, used, err := c.checkPasskey(begun, answer)
	if err != nil {
		c.Log.Debug("passkey refused", "error", err)
		return "", c.refused(begun.administrator, from.Address, "passkey")
	}
	_, err = c.edit(ctx, row.Name, func(_ *state.Tx, row *administratorRow) error {
		row.Passkeys = slices.Clone(row.Passkeys)
		i := slices.IndexFunc(row.Passkeys, func(p passkeyRow) bool { return slices.Equal(p.Credential.ID, used.ID) })
		if i < 0 {
			return ErrRefused
		}
		row.Passkeys[i].Credential.Authenticator, row.Passkeys[i].Credential.Flags = used.Authenticator, used.Flags
		return nil
	})
	if err != nil {
		return "", err
	}
	c.throttle.succeed(row.attemptKeys(from.Address)...)
	return c.begin(ctx, row.Name, from)
}

// checkPasskey returns whose passkey has answered.
func (c *Control) checkPasskey(begun ticket, answer []byte) (administratorRow, *webauthn.Credential, error) {
	if len(answer) > maxCeremony {
		return administratorRow{}, nil, errors.New("the answer is too long")
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return administratorRow{}, nil, err
	}
	party, host, err := relyingParty(begun.origin)
	if err != nil {
		return administratorRow{}, nil, err
	}
	view := c.Store.Snapshot()
	var row administratorRow
	var used *webauthn.Credential
	if begun.purpose == forPasskey {
		row, _ = c.Tables.administrators.Get(view, begun.administrator)
		used, err = party.ValidateLogin(passkeyUser{row, host}, *begun.ceremony, parsed)
	} else {
		used, err = party.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
			var ok bool
			if row, ok = c.Tables.byHandle.First(view, string(handle)); !ok {
				return nil, ErrUnknown
			}
			return passkeyUser{row, host}, nil
		}, *begun.ceremony, parsed)
	}
	if err == nil && row.Disabled {
		err = errors.New("the administrator is disabled")
	}
	if err == nil && used.Authenticator.CloneWarning {
		err = errors.New("the passkey has been copied: its counter went back")
	}
	return row, used, err
}
