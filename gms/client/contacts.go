package client

import (
	"context"
	"fmt"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// PublishContact puts the identity's vCard into the domain's contact directory, or withdraws it when it is empty
// (MS-GRVSPCM 3.3.5.5.1).
func (c *Client) PublishContact(ctx context.Context, vCard []byte) error {
	payload := (&spcm.IdentityPublish{VCard: vCard}).Encode()
	user := &c.profile.User
	return c.insist(ctx, user, func() error { return c.report(ctx, spcm.ServiceIdentityPublish, user, payload) })
}

// SearchContacts returns the first members of the domain's contact directory whose name, e-mail address or state
// contains a text (MS-GRVSPCM 3.3.5.5.2).
func (c *Client) SearchContacts(ctx context.Context, text string) ([]spcm.FoundContact, error) {
	payload := (&spcm.ContactSearch{Query: text}).Encode()
	answer, err := c.ask(ctx, spcm.ServiceContactSearch, &c.profile.User, payload)
	if err != nil {
		return nil, err
	}
	found, err := spcm.DecodeContactSearchResponse(answer)
	if err != nil {
		return nil, fmt.Errorf("%s: reading the answer: %w", spcm.ServiceContactSearch, err)
	}
	return found.Contacts, nil
}

// FetchContacts returns the vCards of members of the domain's contact directory, given by the GUIDs that a search tells
// (MS-GRVSPCM 3.3.5.5.3).
func (c *Client) FetchContacts(ctx context.Context, guids ...string) ([]spcm.FetchedContact, error) {
	payload := (&spcm.ContactFetch{Identities: guids}).Encode()
	answer, err := c.ask(ctx, spcm.ServiceContactFetch, &c.profile.User, payload)
	if err != nil {
		return nil, err
	}
	fetched, err := spcm.DecodeContactFetchResponse(answer)
	if err != nil {
		return nil, fmt.Errorf("%s: reading the answer: %w", spcm.ServiceContactFetch, err)
	}
	return fetched.Contacts, nil
}

// ask sends a request whose answer has a payload, and repeats it once after doing what a fault asks for.
func (c *Client) ask(ctx context.Context, service string, account *Account, payload []byte) (answer []byte, err error) {
	err = c.insist(ctx, account, func() (err error) {
		answer, err = c.callWithAccount(ctx, service, account, payload, soap.WrapperReturnPayload)
		return err
	})
	return answer, err
}
