package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"furrow/web/access"
	"furrow/web/api"
)

// administratorList is what administrators.html shows.
type administratorList struct {
	List           *list
	Administrators []api.Administrator
}

func getAdministrators(v *visit) error {
	all, err := v.client.Administrators(v.ctx())
	if err != nil {
		return err
	}
	l := v.list(column{name: "name", sortable: true}, column{name: "role", sortable: true}, column{name: "secondFactor"},
		column{name: "lastSignIn", sortable: true}, column{name: "status"})
	role := l.filter("role", v.roleOptions(access.Roles())...)
	all = slices.DeleteFunc(all, func(a api.Administrator) bool {
		return !l.finds(a.Name+" "+a.DisplayName) || role != "" && string(a.Role) != role
	})
	inOrder(l, all, func(by string, a, b api.Administrator) int {
		switch by {
		case "role":
			return slices.Index(access.Roles(), a.Role) - slices.Index(access.Roles(), b.Role)
		case "lastSignIn":
			return a.LastSignIn.Compare(b.LastSignIn)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return v.render("administrators.html", administratorList{l, of(l, all)})
}

// roleOptions are roles in words.
func (v *visit) roleOptions(roles []access.Role) []option {
	var options []option
	for _, role := range roles {
		options = append(options, option{Value: string(role), Label: v.T("role." + string(role))})
	}
	return options
}

func (v *visit) newAdministratorForm() *form {
	v.under(v.T("administrators.title"), "/administrators")
	f := v.form("administrators.add",
		input{name: "name", required: true, autocomplete: "off", wide: true},
		input{name: "displayName", autocomplete: "off", wide: true},
		input{name: "role", kind: "select", required: true, options: v.roleOptions(access.Roles()), wide: true},
		input{name: "newPassword", kind: "password", required: true, autocomplete: "new-password", wide: true, live: "meter"},
	)
	f.Back = "/administrators"
	return f
}

func getNewAdministrator(v *visit) error {
	return v.render("form.html", v.newAdministratorForm().fill(map[string]string{"role": string(access.Member)}))
}

func postNewAdministrator(v *visit) error {
	f := v.newAdministratorForm()
	if f.complete() {
		a, err := v.client.AddAdministrator(v.ctx(), api.NewAdministrator{
			Name: f.value("name"), DisplayName: f.value("displayName"), Role: access.Role(f.value("role")), Password: f.value("newPassword"),
		})
		if err == nil {
			return v.done(administratorPath(a.Name, ""), "done.administratorAdded", "name", a.Name)
		}
		if err = f.refused(renamed(err, "password", "newPassword")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// administratorPath is the page of an administrator, or one below it.
func administratorPath(name, below string) string {
	return "/administrators/of/" + url.PathEscape(name) + below
}

// administratorPage is what administrator.html shows.
type administratorPage struct {
	api.Administrator
	Path     string
	Form     *form
	Sessions []api.AdministratorSession
}

// administrator is the one in the path, below the list.
func (v *visit) administrator() (administratorPage, error) {
	a, err := v.client.Administrator(v.ctx(), v.r.PathValue("name"))
	if err != nil {
		return administratorPage{}, err
	}
	v.under(v.T("administrators.title"), "/administrators")
	v.title = a.Name
	f := v.form("administrators.change", input{name: "displayName", wide: true},
		input{name: "role", kind: "select", required: true, options: v.roleOptions(access.Roles()), wide: true})
	return administratorPage{Administrator: a, Path: administratorPath(a.Name, ""), Form: f}, nil
}

// ofAdministrator is administrator for the pages below the own one, which keep their own titles.
func (v *visit) ofAdministrator() (administratorPage, error) {
	p, err := v.administrator()
	v.under(p.Administrator.Name, p.Path)
	v.title = ""
	return p, err
}

func getAdministrator(v *visit) error {
	p, err := v.administrator()
	if err != nil {
		return err
	}
	p.Form.fill(map[string]string{"displayName": p.DisplayName, "role": string(p.Role)})
	return v.showAdministrator(p, http.StatusOK)
}

func (v *visit) showAdministrator(p administratorPage, status int) (err error) {
	if p.Sessions, err = v.client.AdministratorSessions(v.ctx(), p.Administrator.Name); err != nil {
		return err
	}
	return v.show(status, "administrator.html", p)
}

// postAdministrator does what needs no question: it can be taken back, or costs a new sign-in.
func postAdministrator(v *visit) error {
	p, err := v.administrator()
	if err != nil {
		return err
	}
	change, done := api.AdministratorChange{}, "done.administratorChanged"
	switch action := v.formValue("action"); action {
	case "enable", "disable":
		disabled := action == "disable"
		change.Disabled = &disabled
	case "revoke":
		if _, err := v.client.RevokeSession(v.ctx(), p.Administrator.Name, v.formValue("session")); err != nil {
			return err
		}
		return v.done(p.Path, "done.sessionEnded")
	default:
		name, role := p.Form.value("displayName"), access.Role(p.Form.value("role"))
		change.DisplayName, change.Role = &name, &role
	}
	if _, err = v.client.EditAdministrator(v.ctx(), p.Administrator.Name, change); err == nil {
		return v.done(p.Path, done, "name", p.Administrator.Name)
	}
	p.Form.fill(map[string]string{"displayName": p.DisplayName, "role": string(p.Role)})
	if err = p.Form.refused(err); err != nil {
		return err
	}
	return v.showAdministrator(p, http.StatusUnprocessableEntity)
}

// resetPage is what administrator-password.html shows: a password that was made, once.
type resetPage struct{ Name, Password, Path string }

func (v *visit) resetPasswordQuestion() (administratorPage, confirmation, error) {
	p, err := v.ofAdministrator()
	return p, confirmation{
		Text: v.T("administrators.password.text", "name", p.Administrator.Name), Button: v.T("administrators.password"), Back: p.Path,
		Items: []string{v.T("administrators.password.sessions"), v.T("administrators.password.once")},
		Form:  v.form("administrators.password", input{name: "removeFactors", kind: "checkbox", wide: true}),
	}, err
}

func getResetPassword(v *visit) error {
	_, question, err := v.resetPasswordQuestion()
	if err != nil {
		return err
	}
	return v.confirm(question)
}

func postResetPassword(v *visit) error {
	p, question, err := v.resetPasswordQuestion()
	if err != nil {
		return err
	}
	made, err := v.client.SetAdministratorPassword(v.ctx(), p.Administrator.Name, api.PasswordChange{
		RemoveFactors: question.Form.value("removeFactors") != "",
	})
	if err != nil {
		return err
	}
	return v.render("administrator-password.html", resetPage{p.Administrator.Name, made.Password, p.Path})
}

func (v *visit) deleteAdministratorQuestion() (administratorPage, confirmation, error) {
	p, err := v.ofAdministrator()
	return p, confirmation{
		Text: v.T("administrators.delete.text", "name", p.Administrator.Name), Button: v.T("administrators.delete"), Back: p.Path,
	}, err
}

func getDeleteAdministrator(v *visit) error {
	_, question, err := v.deleteAdministratorQuestion()
	if err != nil {
		return err
	}
	return v.confirm(question)
}

func postDeleteAdministrator(v *visit) error {
	p, _, err := v.deleteAdministratorQuestion()
	if err != nil {
		return err
	}
	if _, err := v.client.RemoveAdministrator(v.ctx(), p.Administrator.Name); err != nil {
		return err
	}
	return v.done("/administrators", "done.administratorDeleted", "name", p.Administrator.Name)
}
