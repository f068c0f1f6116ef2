package api

import (
	"context"
	"net/http"
	"net/url"

	"furrow/gms/soap/spcm"
)

// Contact is a member as the contact directory shows it to the members of its domain.
type Contact struct {
	GUID        string `json:"guid"` // of the member
	FullName    string `json:"fullName"`
	Email       string `json:"email"`
	City        string `json:"city,omitempty"`
	State       string `json:"state,omitempty"`
	IdentityURL string `json:"identityURL"`
}

func (h *handler) contacts(r *http.Request) ([]Contact, error) {
	d, err := h.Directory.FindDomain(r.PathValue("domain"))
	if err != nil {
		return nil, err
	}
	members, err := h.Directory.SearchContacts(d.GUID, r.URL.Query().Get("text"), spcm.MaxContacts)
	if err != nil {
		return nil, err
	}
	contacts := []Contact{}
	for _, m := range members {
		contacts = append(contacts, Contact{
			GUID: m.GUID, FullName: m.FullName, Email: m.Email, City: m.City, State: m.State, IdentityURL: m.IdentityURL,
		})
	}
	return contacts, nil
}

// Contacts returns what a member of a domain, given by name or GUID, finds in its contact directory: the first 50 whose
// name, e-mail address or state contains text.
func (c *Client) Contacts(ctx context.Context, domain, text string) ([]Contact, error) {
	path := "/v1/domains/" + url.PathEscape(domain) + "/contacts?" + url.Values{"text": {text}}.Encode()
	return call[[]Contact](ctx, c, http.MethodGet, path, nil)
}
