package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"furrow/web/access"
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
	sums := map[string]*QueueRecord{}
	for a, usage := range h.Relay.Queues() {
		row := sums[a.Target()]
		if row == nil {
			m, _ := h.Directory.MemberWithIdentity(a.Identity) // nobody for a queue of another relay
			row = &QueueRecord{Kind: a.Kind(), FullName: m.FullName, Member: m.GUID, Target: a.Target(), Oldest: usage.Oldest}
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

// QueuePurged is what was thrown away, counted once for each recipient.
type QueuePurged struct {
	Messages int   `json:"messages"`
	Bytes    int64 `json:"bytes"`
}

func (h *handler) queueRoutes() []Route {
	return []Route{{
		Method: "DELETE", Path: "/v1/relay/queues", Role: access.Domain, Query: []string{"target"},
		Summary: "Throw away what waits at the relay for a device, an identity or another relay",
		action:  answer(h, h.purgeQueue),
	}}
}

func (h *handler) purgeQueue(r *http.Request) (QueuePurged, error) {
	if h.Relay == nil {
		return QueuePurged{}, errNoRelay()
	}
	target := r.URL.Query().Get("target")
	if target == "" {
		return QueuePurged{}, &Error{Code: "invalid", Field: "target", Message: "target is missing: the URL of a device, an identity or a relay"}
	}
	messages, bytes, err := h.Relay.Purge(r.Context(), target)
	if err != nil {
		return QueuePurged{}, err
	}
	h.Log.Info("queue purged", "target", target, "messages", messages)
	return QueuePurged{messages, bytes}, nil
}

// PurgeQueue throws away what waits at the box's relay for a device, an identity or another relay, given by URL.
func (c *Client) PurgeQueue(ctx context.Context, target string) (QueuePurged, error) {
	return call[QueuePurged](ctx, c, http.MethodDelete, "/v1/relay/queues?"+url.Values{"target": {target}}.Encode(), nil)
}
