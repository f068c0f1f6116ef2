package web

import (
	"slices"

	"furrow/web/api"
)

// resetList is what resets.html shows.
type resetList struct {
	List   *list
	Resets []api.PasswordReset
}

// resetStatuses are those a request may have, what waits for a decision first.
func resetStatuses() []string { return []string{"pending", "approved", "denied", "failed"} }

func getResets(v *visit) error {
	resets, err := v.client.PasswordResets(v.ctx())
	if err != nil {
		return err
	}
	l := v.list(column{name: "member"}, column{name: "device"}, column{name: "asked"}, column{name: "until"}, column{name: "status"})
	l.Searchable = false
	slices.SortStableFunc(resets, func(a, b api.PasswordReset) int {
		return slices.Index(resetStatuses(), a.Status) - slices.Index(resetStatuses(), b.Status)
	})
	return v.render("resets.html", resetList{l, of(l, resets)})
}

// reset is the request in the path.
func (v *visit) reset() (api.PasswordReset, error) {
	resets, err := v.client.PasswordResets(v.ctx())
	if err != nil {
		return api.PasswordReset{}, err
	}
	v.under(v.T("resets.title"), "/resets")
	i := slices.IndexFunc(resets, func(r api.PasswordReset) bool { return r.ID == v.r.PathValue("reset") })
	if i < 0 {
		return api.PasswordReset{}, &api.Error{Code: "notFound", Message: v.T("resets.gone")}
	}
	return resets[i], nil
}

func getReset(v *visit) error {
	r, err := v.reset()
	if err != nil {
		return err
	}
	return v.render("reset.html", r)
}

func postReset(v *visit) error {
	r, err := v.reset()
	if err != nil {
		return err
	}
	switch v.formValue("action") {
	case "approve":
		if _, err := v.client.ApprovePasswordReset(v.ctx(), r.ID); err != nil {
			return err
		}
		return v.done("/resets", "done.resetApproved", "name", r.FullName)
	case "deny":
		if _, err := v.client.DenyPasswordReset(v.ctx(), r.ID); err != nil {
			return err
		}
		return v.done("/resets", "done.resetDenied", "name", r.FullName)
	}
	v.redirect(v.r.URL.Path)
	return nil
}
