// Package ldapsync keeps the members of domains as a directory server, Active Directory or another LDAP server, has its
// people. The server is only read, and needs no schema of its own.
//
// # What a sync does
//
// A Source says which server, which of its entries are people and what they become. A sync reads all of them; whatever
// keeps it from seeing the end of the list, it changes nothing. Entries become members by these rules:
//
//   - An entry is known again by its stable key (objectGUID, entryUUID), whatever it is called and wherever it moves. A
//     link row joins the key to the member.
//   - A new entry is merged with the member of the domain that has its e-mail address or login name, if it is one and no
//     other entry claims it. Otherwise it becomes a new member. What is ambiguous is skipped and reported: a person must
//     not get two members, nor two persons one.
//   - Values that the directory has win; one that it no longer has is emptied if the directory had given it.
//   - A member whose entry is gone, or is marked as disabled there, is disabled, and enabled again when the entry comes
//     back. Nobody is deleted. A member that an administrator disabled stays so.
//   - Members without a link are not touched.
//   - An entry with values that no member can have is reported, and the others go on.
//   - When so many members would be disabled that a wrong filter is more likely, nothing is changed (see
//     disablesTooMany), until an administrator says that it is right.
//
// Planning is a function of the list and the directory as it is, without side effects, so a preview shows just what a
// sync would do. Its rules are followed until nothing changes any more: a second sync right after the first does nothing.
//
// # Durability
//
// Member and link change in one transaction, some tens of members in each, so a crash leaves members done or not yet
// begun, and the next sync goes on from there.
package ldapsync

import (
	"context"
	"log/slog"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/directory"
)

// Tables are the package's tables in a store's schema.
type Tables struct {
	sources       *state.Table[sourceRow]
	links         *state.Table[link]
	linksByMember *state.Index[link]
	reports       *state.Table[Report]
}

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	t := &Tables{
		sources: state.Define(s, "ldapSources", state.TableOptions[sourceRow]{
			Version: 1, Key: func(r sourceRow) string { return r.Name },
		}),
		links: state.Define(s, "ldapLinks", state.TableOptions[link]{
			Version: 1, Key: func(r link) string { return below(r.Source) + r.Key },
		}),
		reports: state.Define(s, "ldapReports", state.TableOptions[Report]{
			Version: 1, Key: func(r Report) string { return below(r.Source) + r.ID },
		}),
	}
	t.linksByMember = state.DefineUnique(t.links, "member", func(r link) []string { return []string{r.Member} })
	return t
}

// below is what the keys of a source's rows begin with: names of sources hold no slash.
func below(source string) string { return source + "/" }

// beyond is above all of them.
func beyond(source string) string { return source + "0" } // '0' follows '/'

// link joins an entry of the directory server to a member.
type link struct {
	Source string `json:"source"`
	Key    string `json:"key"` // of the entry
	Member string `json:"member"`
	// Fields are those of the member's details that have a value from the entry.
	Fields []string `json:"fields,omitempty"`
	// Disabled says that it was a sync that disabled the member.
	Disabled bool `json:"disabled,omitempty"`
}

// Config is what a Syncer works with.
type Config struct {
	Store     *state.Store
	Tables    *Tables // declared in the schema Store was opened with
	Vault     *keys.Vault
	Directory *directory.Directory
	// Search reads a directory server; nil for LDAP.
	Search Search
	// Changed is called after members have changed; it may be nil.
	Changed func()
	// Jitter returns a time between zero and the given one; nil for a random one.
	Jitter func(time.Duration) time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

// Search reads all people of a source, whose Password is set. It returns them all or an error.
type Search func(ctx context.Context, s Source) ([]Entry, error)

// Syncer has the sources and syncs members with them. It is safe for concurrent use; scheduled syncs are done by Run.
type Syncer struct {
	Config
	turn chan struct{} // capacity 1: held during a sync, so that no two plan for the same members
	wake chan struct{} // capacity 1: the sources have changed
}

// New returns a Syncer over an open store.
func New(c Config) *Syncer {
	if c.Search == nil {
		c.Search = SearchLDAP
	}
	if c.Jitter == nil {
		c.Jitter = randomly
	}
	return &Syncer{Config: c, turn: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
}
