package directory

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"furrow/appliance/state"
)

// nameIndex finds members by a part of what the contact directory is searched
// for. It is derived from the members' rows and holds them in memory twice: in
// order of their names with the folded text of their fields, and by each three
// bytes in a row of that text.
//
// A text that few members contain has three bytes that few contain: only those
// members are looked at. A text that many contain is found soon by going through
// all in their order. It is the text in between, frequent in every three bytes
// and rare as a whole, that costs a look at each member; that look is a search
// in some fifty bytes of memory.
type nameIndex struct {
	mu      sync.Mutex
	stamp   int64 // of the newest member row that is in the index
	domains map[string]*domainNames
}

func newNameIndex() *nameIndex { return &nameIndex{domains: make(map[string]*domainNames)} }

// domainNames are the members of one domain.
type domainNames struct {
	ordered btree.Map[string, *nameEntry] // by nameEntry.key
	members map[string]*nameEntry         // by GUID
	grams   map[gram][]*nameEntry
	gone    int // entries that only grams still has
}

type gram [3]byte

type nameEntry struct {
	guid string
	key  string // folded full name and GUID, the order of results
	text string // folded fields, a NUL between them
	gone bool
}

const (
	// sparse is the part of the members that must have a text's rarest three
	// bytes, at most, for going by these: sorting costs more for each than
	// looking at those who come in order anyway.
	sparse = 16

	// minGone keeps small domains from rebuilding for a handful of changes.
	minGone = 64
)

// stampKey is a stamp as an index key, in the order of the stamps.
func stampKey(stamp int64) string { return fmt.Sprintf("%020d", stamp) }

// search calls visit for the members of a domain whose fields contain a folded
// text, in order, until it returns false or an error, with the state that the
// index shows.
func (x *nameIndex) search(d *Directory, domain, folded string, visit func(view state.Reader, guid string) (bool, error)) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	view := d.store.Snapshot()
	// Stamps rise strictly, and whatever changes these fields or the status
	// raises the member's, so this is all that has changed.
	for domain := range x.domains {
		if _, ok := d.t.domains.Get(view, domain); !ok { // erased, with all its members
			delete(x.domains, domain)
		}
	}
	for row := range d.t.membersByStamp.Range(view, stampKey(x.stamp+1), "") {
		x.put(row.Member)
		x.stamp = row.Stamp
	}
	names, ok := x.domains[domain]
	if !ok {
		return nil
	}
	for guid := range names.containing(folded) {
		more, err := visit(view, guid)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// put adds or replaces a member; one who is deleted or has moved goes.
func (x *nameIndex) put(m Member) {
	names, ok := x.domains[m.Domain]
	if !ok {
		names = &domainNames{members: make(map[string]*nameEntry), grams: make(map[gram][]*nameEntry)}
		x.domains[m.Domain] = names
	}
	var entry *nameEntry
	if m.Status.live() {
		entry = newNameEntry(m)
	}
	names.replace(m.GUID, entry)
}

// newNameEntry takes the fields that MS-GRVSPCM 3.2.5.5.2 lists.
func newNameEntry(m Member) *nameEntry {
	return &nameEntry{
		guid: m.GUID,
		key:  foldName(m.FullName) + "\x00" + m.GUID,
		text: foldName(strings.Join([]string{m.FullName, m.LastName, m.Email, m.FirstName, m.State}, "\x00")),
	}
}

func (n *domainNames) replace(guid string, entry *nameEntry) {
	old, ok := n.members[guid]
	if ok && entry != nil && old.text == entry.text {
		return
	}
	if ok {
		old.gone = true
		n.gone++
		n.ordered.Delete(old.key)
		delete(n.members, guid)
	}
	if entry != nil {
		n.ordered.Set(entry.key, entry)
		n.members[guid] = entry
		n.addGrams(entry)
	}
	if n.gone > max(minGone, len(n.members)) {
		n.rebuild()
	}
}

// addGrams enters each three bytes once.
func (n *domainNames) addGrams(entry *nameEntry) {
	for g := range grams(entry.text) {
		if list := n.grams[g]; len(list) == 0 || list[len(list)-1] != entry {
			n.grams[g] = append(list, entry)
		}
	}
}

func (n *domainNames) rebuild() {
	n.gone = 0
	clear(n.grams)
	for _, entry := range n.members {
		n.addGrams(entry)
	}
}

// grams returns each three bytes in a row of a text.
func grams(text string) iter.Seq[gram] {
	return func(yield func(gram) bool) {
		for i := 0; i+len(gram{}) <= len(text); i++ {
			if !yield(gram([]byte(text[i : i+len(gram{})]))) {
				return
			}
		}
	}
}

// containing returns the GUIDs of the members whose text contains folded, in
// order.
func (n *domainNames) containing(folded string) iter.Seq[string] {
	return func(yield func(string) bool) {
		candidates, ok := n.rarest(folded)
		if !ok || len(candidates) > n.ordered.Len()/sparse {
			n.ordered.Scan(func(_ string, entry *nameEntry) bool {
				return !strings.Contains(entry.text, folded) || yield(entry.guid)
			})
			return
		}
		var matching []*nameEntry
		for _, entry := range candidates {
			if !entry.gone && strings.Contains(entry.text, folded) {
				matching = append(matching, entry)
			}
		}
		slices.SortFunc(matching, func(a, b *nameEntry) int { return cmp.Compare(a.key, b.key) })
		for _, entry := range matching {
			if !yield(entry.guid) {
				return
			}
		}
	}
}

// rarest returns the shortest list of those of the text's grams, which has all
// members that contain the text. It reports whether the text has a gram at all.
func (n *domainNames) rarest(folded string) (list []*nameEntry, ok bool) {
	for g := range grams(folded) {
		if with := n.grams[g]; !ok || len(with) < len(list) {
			list, ok = with, true
		}
	}
	return list, ok
}
