package directory

import (
	"context"
	"fmt"
	"time"

	"furrow/appliance/state"
	"furrow/gms/policy"
	"furrow/gms/soap/spcm"
)

// publication is what a member has published of itself: the contact attribute of
// MS-GRVSPCM 3.2.1. It is no part of the member's row, because identity objects
// do not show it: each would get a higher IssuedTime, and its client, which has
// a new identity then, would publish again.
type publication struct {
	Member    string    `json:"member"` // GUID
	VCard     []byte    `json:"vCard"`
	Published time.Time `json:"published"`
}

// PublishContact puts the vCard of an active member, the one that is bound to
// this account and identity, into the contact directory (MS-GRVSPCM 3.2.5.5.1);
// an empty one withdraws it. The vCard it already has changes nothing.
//
// Where the member's identity policy decides about publishing (MS-GRVSPCM
// 2.2.2.2.10.7), what contradicts it is refused with ErrListingFixed. The other
// errors are ErrMemberNotFound, a StatusError and a ValidationError.
func (d *Directory) PublishContact(ctx context.Context, domain, account, identityURL string, vCard []byte) error {
	const action = "publish the contact of"
	if len(vCard) > spcm.MaxContact {
		return fmt.Errorf("publishing a contact: %w",
			&ValidationError{"vCard", fmt.Sprintf("is longer than %d bytes", spcm.MaxContact)})
	}
	var member string
	changed := false
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		row, err := d.identityAt(tx, domain, account, identityURL)
		if err != nil {
			return err
		}
		member = row.GUID
		if row.Status != Active {
			return &StatusError{row.GUID, row.Status, action}
		}
		listing, err := d.listing(tx, row)
		switch {
		case err != nil:
			return err
		case len(vCard) == 0 && listing == policy.ListingAlways, len(vCard) > 0 && listing == policy.ListingNever:
			return ErrListingFixed
		case len(vCard) == 0:
			changed = d.t.publications.Delete(tx, row.GUID)
			return nil
		}
		old, published := d.t.publications.Get(tx, row.GUID)
		if published && string(old.VCard) == string(vCard) {
			return nil
		}
		changed = true
		return d.t.publications.Put(tx, publication{row.GUID, vCard, d.now().UTC()})
	})
	if err != nil {
		return fmt.Errorf("publishing a contact: %w", err)
	}
	if changed {
		d.log.Info("contact published", "domain", domain, "member", member, "bytes", len(vCard))
	}
	return nil
}

// listing is what the member's identity policy says about the domain's contact
// directory.
func (d *Directory) listing(r state.Reader, row memberRow) (policy.Listing, error) {
	domain, err := d.domainAt(r, row.Domain)
	if err != nil {
		return 0, err
	}
	t, err := d.membersTemplate(r, &domain.Domain, &row.Member)
	return t.Identity.Settings.DomainDirectory, err
}

// published returns the vCard under which a member stands in the contact
// directory, if it does: it is active, and its policy or else the member itself
// wants it there. Until a client has published, a member whom the policy lists
// has the vCard that its identity object shows: an active member's contact
// "MUST contain the published contact" (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) published(r state.Reader, row memberRow) ([]byte, bool, error) {
	if row.Status != Active {
		return nil, false, nil
	}
	listing, err := d.listing(r, row)
	if err != nil || listing == policy.ListingNever {
		return nil, false, err
	}
	if p, ok := d.t.publications.Get(r, row.GUID); ok {
		return p.VCard, true, nil
	}
	if listing == policy.ListingAlways {
		return row.card().VCard(), true, nil
	}
	return nil, false, nil
}

// PublishedContact is a member's contact as the contact directory has it.
type PublishedContact struct {
	Member string // GUID
	VCard  []byte // shared, must not be changed
}

// PublishedContacts returns the contacts of members in the given order
// (MS-GRVSPCM 3.2.5.5.3). If one of them is not in the domain's contact
// directory the error is ErrNotPublished.
//
// The section's row does not speak of the domain. Members of other domains are
// not given out all the same: an account proves who it is to one domain only.
func (d *Directory) PublishedContacts(domain string, members []string) ([]PublishedContact, error) {
	view := d.store.Snapshot()
	contacts := make([]PublishedContact, 0, len(members))
	for _, guid := range members {
		row, ok := d.t.members.Get(view, guid)
		if !ok || row.Domain != domain {
			return nil, fmt.Errorf("%w: member %q", ErrNotPublished, guid)
		}
		vCard, published, err := d.published(view, row)
		if err != nil {
			return nil, err
		}
		if !published {
			return nil, fmt.Errorf("%w: member %q", ErrNotPublished, guid)
		}
		contacts = append(contacts, PublishedContact{guid, vCard})
	}
	return contacts, nil
}

// SearchContacts returns the first members, limit at most, whose full name, last
// name, e-mail address, first name or state contains the text and who are in the
// domain's contact directory (MS-GRVSPCM 3.2.5.5.2), in order of their full
// names and then GUIDs. Letter case does not count. An empty text is contained
// in everything. An unknown domain is ErrDomainNotFound.
func (d *Directory) SearchContacts(domain, text string, limit int) ([]Member, error) {
	if _, err := d.Domain(domain); err != nil {
		return nil, err
	}
	var found []Member
	err := d.names.search(d, domain, foldName(text), func(view state.Reader, guid string) (bool, error) {
		row, ok := d.t.members.Get(view, guid)
		if !ok {
			return true, nil
		}
		_, published, err := d.published(view, row)
		if published {
			found = append(found, row.Member)
		}
		return len(found) < limit, err
	})
	return found, err
}
