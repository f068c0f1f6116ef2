package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"furrow/gms/directory"
	"furrow/relay/queue"
)

// QueueRecord is what waits at the box's relay for one device, identity or other relay.
type QueueRecord struct {
	Kind     string    `json:"kind"`               // device, identity or relay
	FullName string    `json:"fullName,omitempty"` // of the member, if it is known
	Member   string    `json:"member,omitempty"`   // GUID
	Target   string    `json:"target"`             // URL
	Messages int       `json:"messages"`
	Bytes    int64     `json:"bytes"`  // of bodies, counted for each recipient
	Oldest   time.Time `json:"oldest"` // when the first of them came
}

// Heading implements [Record].
func (QueueRecord) Heading() []string {
	return []string{"bytes", "messages", "oldest", "kind", "name", "target", "member"}
}

// Values implements [Record].
func (q QueueRecord) Values() []string {
	return []string{
		strconv.FormatInt(q.Bytes, 10), strconv.Itoa(q.Messages), moment(q.Oldest), q.Kind, q.FullName, q.Target, q.Member,
	}
}

// queueReport lists who has how much waiting, the most first. A device's and an identity's queues of several resources
// are one row.
func (h *handler) queueReport(*http.Request) ([]QueueRecord, error) {
	if h.Relay == nil {
		return nil, errNoRelay()
	}
	members := map[string]directory.Member{} // by identity URL
	for _, m := range h.Directory.Members(directory.MemberFilter{}) {
		if m.IdentityURL != "" && m.Status != directory.Deleted {
			members[m.IdentityURL] = m
		}
	}
	sums := map[string]*QueueRecord{}
	for a, usage := range h.Relay.Queues() {
		row := sums[a.Target()]
		if row == nil {
			m := members[a.Identity]
			row = &QueueRecord{Kind: queueKind(a), FullName: m.FullName, Member: m.GUID, Target: a.Target(), Oldest: usage.Oldest}
			sums[a.Target()] = row
		}
		row.Messages += usage.Messages
		row.Bytes += usage.Bytes
		if usage.Oldest.Before(row.Oldest) {
			row.Oldest = usage.Oldest
		}
	}
	rows := make([]QueueRecord, 0, len(sums))
	for _, row := range sums {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b QueueRecord) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Target, b.Target))
	})
	return rows, nil
}

func queueKind(a queue.Address) string {
	switch {
	case a.Relay != "":
		return "relay"
	case a.IdentityTargeted():
		return "identity"
	default:
		return "device"
	}
}
