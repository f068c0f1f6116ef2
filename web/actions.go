package web

import (
	"net/http"
	"strconv"

	"furrow/web/api"
)

// actionList is what actions.html shows.
type actionList struct {
	List    *list
	Actions []api.ActionRecord
}

// actionFilter is what the address of the list, or of a file of the same actions, selects.
func (v *visit) actionFilter() (*list, api.ActionFilter) {
	l := v.list(column{name: "time"}, column{name: "who"}, column{name: "action"}, column{name: "target"}, column{name: "outcome"})
	f := api.ActionFilter{What: l.Search, Who: l.ask("who", "text"), Target: l.ask("target", "text")}
	f.Since, f.Until = l.period()
	return l, f
}

func getActions(v *visit) error {
	l, f := v.actionFilter()
	f.Limit = l.wanted()
	found, err := v.client.Actions(v.ctx(), f)
	if err != nil {
		return err
	}
	return v.render("actions.html", actionList{l, someOf(l, found)})
}

// getAction shows everything that is known of one action.
func getAction(v *visit) error {
	sequence, err := strconv.ParseUint(v.r.PathValue("sequence"), 10, 63)
	if err != nil {
		v.refuse(http.StatusNotFound, "error.notFound")
		return nil
	}
	found, err := v.client.Actions(v.ctx(), api.ActionFilter{Before: sequence + 1, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].Sequence != sequence {
		v.refuse(http.StatusNotFound, "error.notFound")
		return nil
	}
	v.under(v.T("actions.title"), "/actions")
	return v.render("action.html", found[0])
}

// getActionExport is a file of all actions that the list would show on all its pages.
func getActionExport(v *visit) error {
	_, f := v.actionFilter()
	return export(v, "actions", func(each func(api.ActionRecord) error) error {
		for {
			page, err := v.client.Actions(v.ctx(), f)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, a := range page {
				if err := each(a); err != nil {
					return err
				}
			}
			f.Before = page[len(page)-1].Sequence
		}
	})
}

func getActionCheck(v *visit) error {
	found, err := v.client.CheckActions(v.ctx())
	if err != nil {
		return err
	}
	v.under(v.T("actions.title"), "/actions")
	return v.render("action-check.html", found)
}

func (v *visit) actionSettingsForm() *form {
	v.under(v.T("actions.title"), "/actions")
	f := v.form("actions.save", input{name: "actionDays", kind: "number", required: true, wide: true})
	f.Back = "/actions"
	return f
}

func getActionSettings(v *visit) error {
	now, err := v.client.ActionSettings(v.ctx())
	if err != nil {
		return err
	}
	return v.render("form.html", v.actionSettingsForm().fill(map[string]string{"actionDays": strconv.Itoa(now.Days)}))
}

func postActionSettings(v *visit) error {
	f := v.actionSettingsForm()
	if days, ok := f.days("actionDays"); ok && f.complete() {
		_, err := v.client.SetActionSettings(v.ctx(), api.ActionSettings{Days: days})
		if err == nil {
			return v.done("/actions", "done.actionsSet")
		}
		if err = f.refused(renamed(err, "", "actionDays")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}
