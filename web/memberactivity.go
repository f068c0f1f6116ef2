package web

import (
	"slices"

	"furrow/web/access"
	"furrow/web/api"
)

// shownHistory is how many actions the page of a member shows.
const shownHistory = 20

// memberActivity is what has happened with a member.
type memberActivity struct {
	// Resets are the requests for a new passphrase that wait.
	Resets []api.PasswordReset
	// Queues are what waits at the relay for the member on whatever device; what waits for a device is with it.
	Queues   []api.QueueRecord
	Failures []api.DeviceFailure
	// History is what was done to the member, the newest first, for who may read the action log.
	History []api.ActionRecord
}

func (v *visit) activity(m api.Member) (a memberActivity, err error) {
	resets, err := v.client.PasswordResets(v.ctx())
	if err != nil {
		return a, err
	}
	a.Resets = slices.DeleteFunc(resets, func(r api.PasswordReset) bool { return r.Member != m.GUID || r.Status != "pending" })
	queues, err := v.client.QueueReport(v.ctx(), api.ReportFilter{})
	if err != nil && !isRefused(err, "noRelay") {
		return a, err
	}
	a.Queues = slices.DeleteFunc(queues, func(q api.QueueRecord) bool { return q.Member != m.GUID || q.Kind != "identity" })
	failures, err := v.client.Failures(v.ctx(), m.DomainGUID)
	if err != nil {
		return a, err
	}
	a.Failures = slices.DeleteFunc(failures, func(f api.DeviceFailure) bool { return f.Member != m.GUID })
	if v.person.Role.May(access.Need{Role: access.Auditor}) {
		a.History, err = v.client.Actions(v.ctx(), api.ActionFilter{Target: m.GUID, Limit: shownHistory})
	}
	return a, err
}

// failures is a table of what clients have failed to do.
type failures struct {
	Words *words
	Rows  []api.DeviceFailure
}

// Failures makes the table for the words of the page.
func (v *visit) Failures(rows []api.DeviceFailure) failures { return failures{v.words, rows} }
