package web

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"furrow/web/access"
)

// choiceAge is how long a browser remembers theme and language.
const choiceAge = 365 * 24 * time.Hour

// signInPage is what signin.html shows.
type signInPage struct {
	Form *form
	// Second says that name and password were right and a code is asked for.
	Second bool
	// Passkeys says that one may come with a passkey alone, Ticket that one may do so after name and password.
	Passkeys bool
	Ticket   string
}

func (v *visit) signInForm() *form {
	f := v.form("signin.button",
		input{name: "name", required: true, autocomplete: "username", wide: true},
		input{name: "password", kind: "password", required: true, autocomplete: "current-password", wide: true},
	)
	f.Action = "/sign-in"
	f.Hidden = []hidden{{"next", localPath(v.r.FormValue("next"))}}
	return f
}

func getSignIn(v *visit) error {
	if v.person != nil {
		v.redirect(localPath(v.r.FormValue("next")))
		return nil
	}
	return v.render("signin.html", signInPage{Form: v.signInForm(), Passkeys: v.origin() != ""})
}

func postSignIn(v *visit) error {
	switch passkey, ticket := v.formValue("passkey"), v.formValue("ticket"); {
	case passkey == "begin":
		return v.byPasskey(ticket)
	case passkey != "":
		return v.passkeyAnswer(passkey)
	case ticket != "":
		return v.secondFactor(ticket)
	}
	f := v.signInForm()
	if !f.complete() {
		return v.again("signin.html", signInPage{Form: f})
	}
	in, err := v.site.Access.SignIn(v.ctx(), f.value("name"), f.value("password"), visitor(v.r))
	if err != nil {
		if err := v.notLetIn(f, "", err); err != nil {
			return err
		}
		return v.again("signin.html", signInPage{Form: f})
	}
	if in.Ticket != "" {
		if !slices.Contains(in.Factors, access.Code) {
			return v.byPasskey(in.Ticket)
		}
		p := signInPage{Form: v.codeForm(in.Ticket), Second: true}
		if slices.Contains(in.Factors, access.Key) {
			p.Ticket = in.Ticket
		}
		return v.render("signin.html", p)
	}
	v.letIn(in.Token)
	return nil
}

// codeForm asks for a code of the second factor; the ticket says that name and password were right.
func (v *visit) codeForm(ticket string) *form {
	f := v.form("signin.button", input{name: "code", required: true, autocomplete: "one-time-code", wide: true})
	f.Action = "/sign-in"
	f.Hidden = []hidden{{"next", localPath(v.r.FormValue("next"))}, {"ticket", ticket}}
	return f
}

func (v *visit) secondFactor(ticket string) error {
	f := v.codeForm(ticket)
	if f.complete() {
		token, err := v.site.Access.SignInByCode(v.ctx(), ticket, f.value("code"), visitor(v.r))
		if err == nil {
			v.letIn(token)
			return nil
		}
		if err := v.notLetIn(f, "code", err); err != nil {
			return err
		}
	}
	return v.again("signin.html", signInPage{Form: f, Second: true})
}

// notLetIn says in a form why somebody is not let in. It returns err if that is the box's fault.
func (v *visit) notLetIn(f *form, field string, err error) error {
	var wait *access.WaitError
	switch {
	case errors.As(err, &wait):
		f.wrong("", v.T("signin.wait", "time", v.Duration(wait.Wait)))
	case errors.Is(err, access.ErrBusy):
		f.wrong("", v.T("signin.busy"))
	case errors.Is(err, access.ErrRefused), errors.Is(err, access.ErrSignedOut):
		f.wrong(field, v.T("signin.refused"))
	default:
		return err
	}
	return nil
}

// letIn gives the browser a session, which it keeps until it is closed, and goes where the person wanted to be.
func (v *visit) letIn(token string) {
	v.setCookie(sessionCookie, token, 0)
	v.redirect(localPath(v.r.FormValue("next")))
}

func getSignOut(v *visit) error {
	v.redirect("/")
	return nil
}

func postSignOut(v *visit) error {
	if cookie, err := v.r.Cookie(sessionCookie); err == nil {
		if err := v.site.Access.SignOut(v.ctx(), cookie.Value); err != nil {
			return err
		}
	}
	v.setCookie(sessionCookie, "", 0)
	v.w.Header().Set("Clear-Site-Data", `"cache"`)
	return v.done("/sign-in", "done.signedOut")
}

func (v *visit) preferencesForm() *form {
	f := v.form("preferences.save",
		input{name: "language", kind: "select", required: true, wide: true, options: []option{
			{Value: "en", Label: "English"}, {Value: "de", Label: "Deutsch"},
		}},
		input{name: "theme", kind: "select", wide: true, options: []option{
			{Value: "", Label: v.T("preferences.theme.system")}, {Value: "light", Label: v.T("preferences.theme.light")},
			{Value: "dark", Label: v.T("preferences.theme.dark")},
		}},
	)
	f.Hidden = []hidden{{"next", localPath(v.r.FormValue("next"))}}
	return f
}

func getPreferences(v *visit) error {
	return v.render("form.html", v.preferencesForm().fill(map[string]string{"language": v.Lang(), "theme": v.Theme()}))
}

func postPreferences(v *visit) error {
	if language := v.formValue("language"); slices.Contains([]string{"en", "de"}, language) {
		v.setCookie(languageCookie, language, choiceAge)
	}
	switch theme := v.formValue("theme"); theme {
	case "light", "dark":
		v.setCookie(themeCookie, theme, choiceAge)
	default:
		v.setCookie(themeCookie, "", 0)
	}
	http.Redirect(v.w, v.r, localPath(v.r.FormValue("next")), http.StatusSeeOther)
	return nil
}
