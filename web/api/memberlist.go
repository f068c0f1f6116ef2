package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"furrow/gms/directory"
	"furrow/web/access"
)

// maxListed bounds what one part of a list has.
const maxListed = 500

// MemberList is a part of a list of members.
type MemberList struct {
	Members []Member `json:"members"`
	// Total is the length of the whole list.
	Total int `json:"total"`
}

// MemberQuery selects a part of a list of members. Empty fields select all.
type MemberQuery struct {
	Domain string // name or GUID
	Group  string // path or GUID
	Status string // pending, active, disabled, deleted or migrated
	Text   string // in full name, e-mail address or login name
	// Order is name, email, status or created, with a minus before it for backwards.
	Order  string
	Offset int
	Limit  int // 1 to 500
}

// MemberList returns a part of a list of members.
func (c *Client) MemberList(ctx context.Context, q MemberQuery) (MemberList, error) {
	query := url.Values{
		"domain": {q.Domain}, "group": {q.Group}, "status": {q.Status}, "text": {q.Text}, "order": {q.Order},
		"offset": {strconv.Itoa(q.Offset)}, "limit": {strconv.Itoa(q.Limit)},
	}
	return call[MemberList](ctx, c, http.MethodGet, "/v1/member-list?"+query.Encode(), nil)
}

func (h *handler) memberListRoutes() []Route {
	return []Route{{
		Method: "GET", Path: "/v1/domain-names", Role: access.Member, Summary: "What domains are called",
		action: answer(h, h.domainNames),
	}, {
		Method: "GET", Path: "/v1/member-list", Role: access.Member,
		Query:   []string{"domain", "group", "status", "text", "order", "offset", "limit"},
		Summary: "A part of a list of members, searched, filtered and sorted", action: answer(h, h.memberList),
	}}
}

func (h *handler) memberList(r *http.Request) (MemberList, error) {
	q := r.URL.Query()
	var page directory.MemberPage
	var err error
	if name := q.Get("domain"); name != "" {
		d, err := h.Directory.FindDomain(name)
		if err != nil {
			return MemberList{}, err
		}
		page.Domain = d.GUID
	}
	if name := q.Get("group"); name != "" {
		if page.Group, err = h.groupGUID(page.Domain, name); err != nil {
			return MemberList{}, err
		}
	}
	if name := q.Get("status"); name != "" {
		if page.Status, err = directory.ParseStatus(name); err != nil {
			return MemberList{}, err
		}
	}
	page.Text = q.Get("text")
	if page.Order, page.Backwards, err = memberOrder(q.Get("order")); err != nil {
		return MemberList{}, err
	}
	if page.Offset, err = number(q, "offset", 0, 1<<30); err != nil {
		return MemberList{}, err
	}
	if page.Limit, err = number(q, "limit", 1, maxListed); err != nil {
		return MemberList{}, err
	}
	found, total, err := h.Directory.ListMembers(page)
	if err != nil {
		return MemberList{}, err
	}
	list := MemberList{Members: []Member{}, Total: total}
	for _, m := range found {
		shown, err := h.showMember(r.Context(), m)
		if err != nil {
			return MemberList{}, err
		}
		list.Members = append(list.Members, shown)
	}
	return list, nil
}

// memberOrder reads an order, that of names if it is empty.
func memberOrder(text string) (order directory.MemberOrder, backwards bool, err error) {
	if text != "" && text[0] == '-' {
		text, backwards = text[1:], true
	}
	switch order = directory.MemberOrder(text); order {
	case "", directory.ByName, directory.ByEmail, directory.ByStatus, directory.ByCreated:
		return order, backwards, nil
	}
	return "", false, &Error{Code: "invalid", Field: "order", Message: "members cannot be listed in this order"}
}

// number reads a whole number between bounds; least if there is none.
func number(q url.Values, name string, least, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return least, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, &Error{Code: "invalid", Field: name, Message: name + " is not a number from " +
			strconv.Itoa(least) + " to " + strconv.Itoa(most)}
	}
	return n, nil
}
