package statistics

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"time"

	"furrow/appliance/state"
	"furrow/gms/soap/spcm"
)

// maxDaily bounds the rows of all days. An office of a hundred that uses ten
// tools a day each makes as many in half a year, of some hundred bytes.
const maxDaily = 200_000

// dayLayout is the form of a day.
const dayLayout = time.DateOnly

// Daily is what the statistics of one type say of one day, one identity and one
// tool or space (MS-GRVSPCM 3.2.5.3.5).
type Daily struct {
	Domain      string        `json:"domain"` // GUID
	Day         string        `json:"day"`    // such as 2026-03-14, UTC
	Account     string        `json:"account"`
	IdentityURL string        `json:"identityURL"`
	Member      string        `json:"member,omitempty"` // GUID, if the account itself has reported it
	Type        spcm.StatType `json:"type"`
	Tool        string        `json:"tool,omitempty"`  // template URL
	Space       string        `json:"space,omitempty"` // canonical URL
	SpaceName   string        `json:"spaceName,omitempty"`
	Role        string        `json:"role,omitempty"`

	Count   int64 `json:"count"`             // of statistics
	Elapsed int64 `json:"elapsed,omitempty"` // sum, in the client's unit, which is not published
	Uses    int64 `json:"uses,omitempty"`    // sum of visits or uses
	// Active and Total are members of the space, the most that were reported.
	Active int64 `json:"active,omitempty"`
	Total  int64 `json:"total,omitempty"`
}

// key puts the rows of a day together. Tool, space and identity may be long.
func (d Daily) key() string {
	of := sha256.Sum256([]byte(joinKey(d.Account, d.IdentityURL, d.Member, d.Type.String(), d.Tool, d.Space, d.Role)))
	return joinKey(d.Domain, d.Day, hex.EncodeToString(of[:16]))
}

// newDaily returns what one statistic adds to a day.
func newDaily(domain, day string, s *spcm.Stat) Daily {
	d := Daily{Domain: domain, Day: day, Account: s.AccountGUID, IdentityURL: s.IdentityURL, Type: s.Type, Count: 1}
	switch s.Type {
	case spcm.StatToolTime, spcm.StatToolCreate:
		d.Tool, d.Space = s.String, s.String2
	case spcm.StatMembers:
		d.Space, d.Role = s.String, s.String2
		d.Active, d.Total = int64(s.Long), int64(s.Long2)
	default:
		d.Space, d.SpaceName = s.String, s.String2
	}
	switch s.Type {
	case spcm.StatToolTime, spcm.StatSpaceTime, spcm.StatVoice, spcm.StatConference:
		d.Elapsed, d.Uses = max(int64(s.Long), 0), max(int64(s.Long2), 0)
	}
	return d
}

// add adds to d what other, of the same key, says.
func (d *Daily) add(other Daily) {
	d.Count += other.Count
	d.Elapsed += other.Elapsed
	d.Uses += other.Uses
	d.Active, d.Total = max(d.Active, other.Active), max(d.Total, other.Total)
	if other.SpaceName != "" {
		d.SpaceName = other.SpaceName
	}
}

// count adds a statistic to its day. When there are too many rows, new ones are
// put together by identity and type: sums stay right.
func (b *Book) count(tx *state.Tx, d Daily) error {
	row, known := b.t.days.Get(tx, d.key())
	if !known && b.t.days.Len(tx) >= b.maxDaily {
		d.Tool, d.Space, d.SpaceName, d.Role = "", "", "", ""
		row, known = b.t.days.Get(tx, d.key())
	}
	if known {
		row.add(d)
		d = row
	}
	return b.t.days.Put(tx, d)
}

// Filter selects days. Empty fields select all.
type Filter struct {
	Domain string // GUID
	Member string // GUID
	// From and To bound the day, both included: such as 2026-03-14.
	From, To string
	Type     *spcm.StatType
}

// Days returns the rows that a filter selects, in order of domains and days.
func (b *Book) Days(f Filter) iter.Seq[Daily] {
	view := b.store.Snapshot()
	rows := b.t.days.All(view)
	if f.Domain != "" {
		rows = b.t.days.Range(view, joinKey(f.Domain, f.From), f.Domain+"\x01")
	}
	return func(yield func(Daily) bool) {
		for d := range rows {
			if (f.Member != "" && d.Member != f.Member) || d.Day < f.From || (f.To != "" && d.Day > f.To) ||
				(f.Type != nil && d.Type != *f.Type) {
				continue
			}
			if !yield(d) {
				return
			}
		}
	}
}
