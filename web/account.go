package web

import (
	"net/url"

	"furrow/web/api"
)

// accountPage is what account.html shows.
type accountPage struct {
	api.Account
	Sessions []api.OwnSession
	Name     *form // what one is called
	Passkeys bool  // the box is reached by a name, as those need it
}

func (v *visit) accountPage() (accountPage, error) {
	own, err := v.client.Account(v.ctx())
	if err != nil {
		return accountPage{}, err
	}
	sessions, err := v.client.OwnSessions(v.ctx())
	f := v.form("account.rename", input{name: "displayName", autocomplete: "name", wide: true})
	return accountPage{own, sessions, f, v.origin() != ""}, err
}

func getAccount(v *visit) error {
	p, err := v.accountPage()
	if err != nil {
		return err
	}
	p.Name.fill(map[string]string{"displayName": p.DisplayName})
	return v.render("account.html", p)
}

// postAccount changes the name, or ends a session.
func postAccount(v *visit) error {
	if id := v.formValue("session"); id != "" {
		if _, err := v.client.EndOwnSession(v.ctx(), id); err != nil {
			return err
		}
		return v.done("/account", "done.sessionEnded")
	}
	p, err := v.accountPage()
	if err != nil {
		return err
	}
	_, err = v.client.RenameAccount(v.ctx(), p.Name.value("displayName"))
	if err == nil {
		return v.done("/account", "done.accountRenamed")
	}
	if err = p.Name.refused(err); err != nil {
		return err
	}
	return v.again("account.html", p)
}

// underAccount puts a form below the account.
func (v *visit) underAccount(f *form) *form {
	v.under(v.T("account.title"), "/account")
	f.Back = "/account"
	return f
}

func (v *visit) ownPasswordForm() *form {
	return v.underAccount(v.form("account.password",
		input{name: "oldPassword", kind: "password", required: true, autocomplete: "current-password", wide: true},
		input{name: "newPassword", kind: "password", required: true, autocomplete: "new-password", wide: true, live: "meter"},
	))
}

func getOwnPassword(v *visit) error { return v.render("form.html", v.ownPasswordForm()) }

func postOwnPassword(v *visit) error {
	f := v.ownPasswordForm()
	if f.complete() {
		_, err := v.client.ChangePassword(v.ctx(), api.OwnPassword{Old: f.value("oldPassword"), Password: f.value("newPassword")})
		if err == nil {
			return v.done("/account", "done.passwordChanged")
		}
		if err = v.notProved(f, "oldPassword", renamed(err, "password", "newPassword")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// notProved shows a refusal in a form; that of a password at its field.
func (v *visit) notProved(f *form, field string, err error) error {
	if isRefused(err, "refused") {
		f.wrong(field, v.T("signin.refused"))
		return nil
	}
	return f.refused(err)
}

func (v *visit) removePasskeyQuestion() (confirmation, error) {
	own, err := v.client.Account(v.ctx())
	if err != nil {
		return confirmation{}, err
	}
	v.under(v.T("account.title"), "/account")
	k, err := one(own.Keys, func(k api.Passkey) bool { return k.ID == v.r.PathValue("id") })
	return confirmation{Text: v.T("account.passkey.remove.text", "name", k.Name), Button: v.T("account.passkey.remove"), Back: "/account"}, err
}

func getRemovePasskey(v *visit) error {
	question, err := v.removePasskeyQuestion()
	if err != nil {
		return err
	}
	return v.confirm(question)
}

func postRemovePasskey(v *visit) error {
	if _, err := v.client.RemovePasskey(v.ctx(), v.r.PathValue("id")); err != nil {
		return err
	}
	return v.done("/account", "done.passkeyRemoved")
}

// afterFactor is where one goes when a second factor is set up: on with the set-up, if one came from there.
func (v *visit) afterFactor() string {
	if v.r.FormValue("next") != "" {
		return localPath(v.r.FormValue("next"))
	}
	return "/account"
}

// onTheWay keeps in the address where one wants to be afterwards.
func onTheWay(path, next string) string {
	return path + "?" + url.Values{"next": {next}}.Encode()
}
