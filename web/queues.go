package web

import (
	"cmp"
	"net/url"
	"slices"

	"furrow/web/api"
)

// queuesPage is what queues.html shows.
type queuesPage struct {
	List    *list
	Queues  []queueRow
	NoRelay bool
}

// queueRow is what waits for somebody.
type queueRow struct {
	api.QueueRecord
	PurgePath string
}

func getQueues(v *visit) error {
	l := v.list(column{name: "bytes", sortable: true, right: true}, column{name: "messages", sortable: true, right: true},
		column{name: "oldest", sortable: true}, column{name: "kind"}, column{name: "waitsFor", sortable: true})
	kind := l.filter("kind", v.queueKinds()...)
	queues, err := v.client.QueueReport(v.ctx(), api.ReportFilter{})
	noRelay := isRefused(err, "noRelay")
	if err != nil && !noRelay {
		return err
	}
	queues = slices.DeleteFunc(queues, func(q api.QueueRecord) bool {
		return kind != "" && q.Kind != kind || !l.finds(q.FullName+" "+q.Target)
	})
	inOrder(l, queues, func(by string, a, b api.QueueRecord) int {
		switch by {
		case "messages":
			return cmp.Compare(a.Messages, b.Messages)
		case "oldest":
			return a.Oldest.Compare(b.Oldest)
		case "waitsFor":
			return compareText(a.FullName+" "+a.Target, b.FullName+" "+b.Target)
		}
		return cmp.Compare(b.Bytes, a.Bytes) // the most first is what one looks for
	})
	page := queuesPage{List: l, NoRelay: noRelay}
	for _, q := range of(l, queues) {
		page.Queues = append(page.Queues, queueRow{q, "/queues/purge?" + url.Values{"target": {q.Target}}.Encode()})
	}
	return v.render("queues.html", page)
}

func (v *visit) queueKinds() []option {
	var options []option
	for _, kind := range []string{"device", "identity", "relay"} {
		options = append(options, option{Value: kind, Label: v.T("queues.kind." + kind)})
	}
	return options
}

func getPurgeQueue(v *visit) error {
	v.under(v.T("queues.title"), "/queues")
	queues, err := v.client.QueueReport(v.ctx(), api.ReportFilter{})
	if err != nil {
		return err
	}
	target := v.r.URL.Query().Get("target")
	i := slices.IndexFunc(queues, func(q api.QueueRecord) bool { return q.Target == target })
	if i < 0 { // delivered meanwhile
		return v.done("/queues", "done.queueEmpty")
	}
	q := queues[i]
	items := []string{q.Target, v.T("queues.amount", "n", q.Messages, "size", v.Size(q.Bytes))}
	if q.FullName != "" {
		items = append([]string{q.FullName}, items...)
	}
	return v.confirm(confirmation{Text: v.T("queues.purge.text"), Items: items, Button: v.T("queues.purge"), Back: "/queues"})
}

func postPurgeQueue(v *visit) error {
	purged, err := v.client.PurgeQueue(v.ctx(), v.r.URL.Query().Get("target"))
	if err != nil {
		return err
	}
	return v.done("/queues", "done.queuePurged", "n", purged.Messages)
}
