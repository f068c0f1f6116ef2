package directory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// Member is a member of a management domain (MS-GRVSPCM 3.2.1).
//
// A pending member may be bound to an account and identity, has no contact and
// waits to enroll. An active member is bound and has the contact it enrolled
// with. A disabled or migrated member keeps what it had, a deleted one the binding
// only, by which its client is known when it asks.
type Member struct {
	// GUID is also the GUID of the member's identity object. Other members learn
	// it from the contact directory.
	GUID   string `json:"guid"`
	Domain string `json:"domain"`
	MemberDetails
	Status Status `json:"status"`
	// AccountGUID and IdentityURL were issued by the client. Within a domain
	// they belong to one member at most.
	AccountGUID string `json:"accountGUID,omitempty"`
	IdentityURL string `json:"identityURL,omitempty"`
	// Contact is what the member enrolled with, nil before.
	Contact *Contact `json:"contact,omitempty"`
	// MigrationServer is the URL of the server the member is to move to; empty
	// unless it is being migrated.
	MigrationServer string `json:"migrationServer,omitempty"`
	// Migration is how that goes; nil unless it is being, or was, migrated.
	Migration *Migration `json:"migration,omitempty"`
	// CodeMailed is the last mail with the configuration code; nil for a code that
	// was mailed to nobody.
	CodeMailed *CodeMail `json:"codeMailed,omitempty"`
	Created    time.Time `json:"created"`
	// Stamp is the time of the last change that the identity object shows, in
	// milliseconds since 1970, IdentityTemplateStamp that of the last change of
	// which identity policy template holds.
	Stamp                 int64 `json:"stamp"`
	IdentityTemplateStamp int64 `json:"identityTemplateStamp,omitempty"`
}

// Contact is what an identity published of itself when it enrolled.
type Contact struct {
	// URL is the contact URL, the same as the member's IdentityURL.
	URL string `json:"url"`
	// Data is the contact as received: the serialized fragment.
	Data []byte `json:"data"`
	// Security is the serialized contact security element within it.
	Security []byte `json:"security"`
	// SignatureKey is the DER form of the contact's signature key.
	SignatureKey []byte `json:"signatureKey"`
}

func (m *Member) bound() bool { return m.AccountGUID != "" }

func (m *Member) boundTo(account, identityURL string) bool {
	return m.AccountGUID == account && m.IdentityURL == identityURL
}

func (m *Member) enrolled() bool { return m.Contact != nil }

type memberRow struct {
	Member
	// PreAuthToken is what the member's devices show to relays, as whose user the
	// member is known there. Nobody else is told: who shows it acts as that user,
	// and is not locked out with the member he is.
	PreAuthToken string `json:"preAuthToken"`
	SealedCode   []byte `json:"sealedCode"`
	// KeyID is the KeyID of the configuration code in hexadecimal digits.
	KeyID string `json:"keyID"`
}

// membersVersion is the version of a memberRow's JSON form. Until 1 the
// pre-authentication token was the GUID, and stays it for the members of then:
// relays know them by it.
const membersVersion = 2

func upgradeMember(_ int, data []byte) (memberRow, error) {
	var row memberRow
	err := json.Unmarshal(data, &row)
	row.PreAuthToken = row.GUID
	return row, err
}

func configurationCodePurpose(member string) string { return "configuration code/" + member }

// Member returns the member with this GUID, or ErrMemberNotFound.
func (d *Directory) Member(guid string) (Member, error) {
	row, err := d.memberAt(d.store.Snapshot(), guid)
	return row.Member, err
}

// MemberByKeyID returns the member whose configuration code has this KeyID
// (MS-GRVSPCM 3.2.1), whatever its status, or ErrMemberNotFound.
func (d *Directory) MemberByKeyID(id keys.Digest) (Member, error) {
	row, ok := d.t.membersByKeyID.First(d.store.Snapshot(), id.String())
	if !ok {
		return Member{}, ErrMemberNotFound
	}
	return row.Member, nil
}

// MemberByIdentity returns the member of a domain that is bound to this
// account and identity, whatever its status, or ErrMemberNotFound.
func (d *Directory) MemberByIdentity(domain, account, identityURL string) (Member, error) {
	row, err := d.identityAt(d.store.Snapshot(), domain, account, identityURL)
	return row.Member, err
}

// ConfigurationCode returns a member's account configuration code: a secret
// for the administrator who hands it over and for securing activation.
func (d *Directory) ConfigurationCode(guid string) (string, error) {
	row, err := d.memberAt(d.store.Snapshot(), guid)
	if err != nil {
		return "", err
	}
	return d.openCode(row)
}

// MemberFilter selects members. Empty fields select all.
type MemberFilter struct {
	Domain string // GUID
	Group  string // GUID; members in the group itself, not those of groups in it
	Status Status
	// Text is a part of the full name, e-mail address or login name, whatever
	// its letter case.
	Text string
}

// Members returns the members that a filter selects, in order of their full
// names.
func (d *Directory) Members(f MemberFilter) []Member {
	view := d.store.Snapshot()
	rows := d.t.members.All(view)
	if f.Domain != "" {
		rows = d.t.membersByDomain.Find(view, f.Domain)
	}
	if f.Group != "" {
		rows = d.t.membersByGroup.Find(view, f.Group)
	}
	text := foldName(f.Text)
	var found []*Member // rows are too large to be moved about while they are sorted
	for row := range rows {
		if row.selected(f, text) {
			found = append(found, &row.Member)
		}
	}
	slices.SortFunc(found, func(a, b *Member) int {
		return cmp.Or(cmp.Compare(a.FullName, b.FullName), cmp.Compare(a.GUID, b.GUID))
	})
	members := make([]Member, 0, len(found))
	for _, m := range found {
		members = append(members, *m)
	}
	return members
}

func (m *Member) mentions(folded string) bool {
	for _, s := range []string{m.FullName, m.Email, m.RemoteUser} {
		if containsFold(s, folded) {
			return true
		}
	}
	return false
}

// containsFold reports whether s contains folded, whatever the letter case of s. It folds s only if it has to: it is
// asked for every member of a list.
func containsFold(s, folded string) bool {
	if !isASCII(s) {
		return strings.Contains(foldName(s), folded)
	}
	for i := 0; i+len(folded) <= len(s); i++ {
		n := 0
		for n < len(folded) && lowerASCII(s[i+n]) == folded[n] {
			n++
		}
		if n == len(folded) {
			return true
		}
	}
	return false
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func (d *Directory) memberAt(r state.Reader, guid string) (memberRow, error) {
	row, ok := d.t.members.Get(r, guid)
	if !ok {
		return memberRow{}, fmt.Errorf("%w: %q", ErrMemberNotFound, guid)
	}
	return row, nil
}

func (d *Directory) identityAt(r state.Reader, domain, account, identityURL string) (memberRow, error) {
	row, ok := d.t.membersByIdentity.First(r, joinKey(domain, account, identityURL))
	if !ok {
		return memberRow{}, fmt.Errorf("%w: identity %q", ErrMemberNotFound, identityURL)
	}
	return row, nil
}
