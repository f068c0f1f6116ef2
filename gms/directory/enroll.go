package directory

import (
	"bytes"
	"context"
	"fmt"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap/spcm"
)

// InstallIdentity binds the member with this GUID in this domain to the
// account and identity that have installed its identity object
// (MS-GRVSPCM 3.2.5.3.4). Other members of the domain that were bound to them
// lose the binding and their enrollment, and active ones become pending; a
// disabled one stays disabled, or its user could undo that.
//
// It fails with ErrMemberNotFound, with a StatusError unless the member is
// pending or active, and with ErrBoundElsewhere if it is enrolled with
// another account or identity.
func (d *Directory) InstallIdentity(ctx context.Context, domain, member, account, identityURL string) (Member, error) {
	const action = "bind"
	if err := checkIdentity(account, identityURL); err != nil {
		return Member{}, fmt.Errorf("cannot %s member %q: %w", action, member, err)
	}
	return d.changeMember(ctx, member, action, func(tx *state.Tx, m *memberRow) error {
		switch {
		case m.Domain != domain:
			return fmt.Errorf("%w in domain %q", ErrMemberNotFound, domain)
		case m.Status != Pending && m.Status != Active:
			return &StatusError{member, m.Status, action}
		case m.enrolled() && !m.boundTo(account, identityURL):
			return ErrBoundElsewhere
		}
		other, bound := d.t.membersByIdentity.First(tx, joinKey(domain, account, identityURL))
		if bound && other.GUID != member {
			unbound := other
			unbound.unbind()
			if err := d.putMember(tx, other, &unbound); err != nil {
				return err
			}
		}
		m.AccountGUID, m.IdentityURL = account, identityURL
		return nil
	})
}

// unbind separates a member from its account and identity.
func (m *memberRow) unbind() {
	m.AccountGUID, m.IdentityURL, m.Contact = "", "", nil
	if m.Status == Active {
		m.Status = Pending
	}
}

// EnrollByCode enrolls a pending member with a contact that was proved with its
// configuration code (MS-GRVSPCM 3.2.5.2.3): the member becomes active and its
// identity object is regenerated. An empty account means the one it is bound
// to.
//
// An active member with the same contact signature key stays as it is, so that
// a client may ask again for an answer it missed; with another key the error
// is ErrEnrolledWithOtherKey. A member of another status is refused with a
// StatusError. If the account and identity belong to another member, the error
// is ErrBoundElsewhere: a code proves the right to its member, not to the
// account it names.
func (d *Directory) EnrollByCode(ctx context.Context, member, account string, contact Contact) (Member, error) {
	const action = "enroll"
	if err := contact.check(); err != nil {
		return Member{}, fmt.Errorf("cannot %s member %q: %w", action, member, err)
	}
	return d.changeMember(ctx, member, action, func(tx *state.Tx, m *memberRow) error {
		if m.Status == Active {
			if !bytes.Equal(m.Contact.SignatureKey, contact.SignatureKey) {
				return ErrEnrolledWithOtherKey
			}
			return nil
		}
		if m.Status != Pending {
			return &StatusError{member, m.Status, action}
		}
		if account != "" {
			m.AccountGUID = account
		}
		m.IdentityURL = contact.URL
		if err := checkIdentity(m.AccountGUID, m.IdentityURL); err != nil {
			return err
		}
		other, bound := d.t.membersByIdentity.First(tx, joinKey(m.Domain, m.AccountGUID, m.IdentityURL))
		if bound && other.GUID != member {
			return ErrBoundElsewhere
		}
		m.Status, m.Contact = Active, &contact
		return nil
	})
}

// Reenroll enrolls the member of a domain that is bound to this account and
// identity, on the word of the account (MS-GRVSPCM 3.2.5.2.5). A member that is
// neither pending nor active is refused with a StatusError. An active one takes
// the new contact; the contact it already has changes nothing.
//
// The protocol asks for no code here, so with InstallIdentity an account of the
// domain that knows the GUID of a pending member can become that member. The
// GUID is a secret between the member, its relays and the administrators.
func (d *Directory) Reenroll(ctx context.Context, domain, account, identityURL string, contact Contact) (Member, error) {
	const action = "enroll again"
	if err := contact.check(); err != nil {
		return Member{}, fmt.Errorf("cannot %s: %w", action, err)
	}
	if contact.URL != identityURL {
		return Member{}, fmt.Errorf("cannot %s: %w", action,
			&ValidationError{"contactURL", "is not the URL of the identity"})
	}
	found, err := d.MemberByIdentity(domain, account, identityURL)
	if err != nil {
		return Member{}, fmt.Errorf("cannot %s: %w", action, err)
	}
	return d.changeMember(ctx, found.GUID, action, func(_ *state.Tx, m *memberRow) error {
		switch {
		case !m.boundTo(account, identityURL): // another install came between
			return ErrMemberNotFound
		case m.Status != Pending && m.Status != Active:
			return &StatusError{m.GUID, m.Status, action}
		}
		m.Status, m.Contact = Active, &contact
		return nil
	})
}

func checkIdentity(account, identityURL string) error {
	if err := checkOpaque("accountGUID", account, maxClientGUID); err != nil {
		return err
	}
	return checkOpaque("identityURL", identityURL, maxURL)
}

func (c *Contact) check() error {
	if err := checkOpaque("contactURL", c.URL, maxURL); err != nil {
		return err
	}
	for _, part := range [][]byte{c.Data, c.Security} {
		if len(part) == 0 || len(part) > spcm.MaxContact {
			return &ValidationError{"contact", fmt.Sprintf("has a part of %d bytes, want 1 to %d", len(part), spcm.MaxContact)}
		}
	}
	if _, err := keys.ParseRSAPublicKey(c.SignatureKey); err != nil {
		return &ValidationError{"signatureKey", "is not an RSA key: " + err.Error()}
	}
	return nil
}
