package web

import (
	"net/url"
	"slices"

	"furrow/web/api"
)

// outboxPage is what outbox.html shows.
type outboxPage struct {
	List *list
	Mail []waitingMail
}

// waitingMail is a message in the outbox.
type waitingMail struct{ api.WaitingMail }

// GivenUp says that the message is not tried again.
func (m waitingMail) GivenUp() bool { return m.Next.IsZero() }

// DropPath is the page that asks before the message is dropped.
func (m waitingMail) DropPath() string { return "/outbox/" + url.PathEscape(m.ID) + "/drop" }

func getOutbox(v *visit) error {
	waiting, err := v.client.Outbox(v.ctx())
	if err != nil {
		return err
	}
	l := v.list(column{name: "entered", sortable: true}, column{name: "to", sortable: true}, column{name: "attempts", right: true},
		column{name: "nextTry", sortable: true})
	waiting = slices.DeleteFunc(waiting, func(m api.WaitingMail) bool { return !l.finds(m.To) })
	inOrder(l, waiting, func(by string, a, b api.WaitingMail) int {
		switch by {
		case "to":
			return compareText(a.To, b.To)
		case "nextTry":
			return a.Next.Compare(b.Next)
		}
		return a.Entered.Compare(b.Entered)
	})
	page := outboxPage{List: l}
	for _, m := range of(l, waiting) {
		page.Mail = append(page.Mail, waitingMail{m})
	}
	return v.render("outbox.html", page)
}

// postOutbox tries a message again at once.
func postOutbox(v *visit) error {
	if _, err := v.client.RetryMail(v.ctx(), v.formValue("id")); err != nil {
		return err
	}
	return v.done("/outbox", "done.mailRetried")
}

func getDropMail(v *visit) error {
	v.under(v.T("outbox.title"), "/outbox")
	waiting, err := v.client.Outbox(v.ctx())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(waiting, func(m api.WaitingMail) bool { return m.ID == v.r.PathValue("id") })
	if i < 0 { // sent meanwhile
		return v.done("/outbox", "done.mailGone")
	}
	return v.confirm(confirmation{
		Text: v.T("outbox.drop.text", "address", waiting[i].To), Button: v.T("outbox.drop"), Back: "/outbox",
	})
}

func postDropMail(v *visit) error {
	if _, err := v.client.RemoveMail(v.ctx(), v.r.PathValue("id")); err != nil {
		return err
	}
	return v.done("/outbox", "done.mailDropped")
}
