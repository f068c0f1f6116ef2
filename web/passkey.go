package web

import (
	"encoding/json"
	"errors"
	"net/url"

	"furrow/web/access"
	"furrow/web/api"
)

// passkeyPage is what passkey.html shows. The pages' script asks the browser for what Options want and posts its answer.
type passkeyPage struct {
	Form    *form
	Options string // JSON
	Do      string // create or get
	Lead    string
}

// origin is the box as the browser sees it, empty where there can be no passkeys for it.
func (v *visit) origin() string {
	origin := url.URL{Scheme: "https", Host: v.r.Host}
	if !access.PasskeysAt(origin.String()) {
		return ""
	}
	return origin.String()
}

func (v *visit) newPasskeyForm() *form {
	v.under(v.T("account.title"), "/account")
	f := v.form("account.passkey.make", input{name: "passkeyName", required: true, autocomplete: "off", wide: true})
	f.Back = v.afterFactor()
	f.Hidden = []hidden{{"next", v.afterFactor()}}
	return f
}

func getNewPasskey(v *visit) error { return v.newPasskey(v.newPasskeyForm(), v.render) }

// newPasskey shows the form with a challenge of its own: each is good for one answer.
func (v *visit) newPasskey(f *form, show func(string, any) error) error {
	begun, err := v.client.BeginPasskey(v.ctx(), v.origin())
	if err != nil {
		return err
	}
	f.Hidden = append(f.Hidden, hidden{"ticket", begun.Ticket}, hidden{"answer", ""})
	return show("passkey.html", passkeyPage{
		Form: f, Options: string(begun.Options), Do: "create", Lead: v.T("account.passkey.lead"),
	})
}

func postNewPasskey(v *visit) error {
	f := v.newPasskeyForm()
	if f.complete() {
		answer := v.formValue("answer")
		if !json.Valid([]byte(answer)) {
			f.wrong("", v.T("account.passkey.none"))
			return v.newPasskey(f, v.again)
		}
		_, err := v.client.AddPasskey(v.ctx(), api.NewPasskey{
			Ticket: v.formValue("ticket"), Name: f.value("passkeyName"), Answer: json.RawMessage(answer),
		})
		if err == nil {
			return v.done(v.afterFactor(), "done.passkeyAdded", "name", f.value("passkeyName"))
		}
		if err = f.refused(renamed(err, "name", "passkeyName")); err != nil {
			return err
		}
	}
	return v.newPasskey(f, v.again)
}

// byPasskey asks the browser for a passkey: as the second factor of a ticket, or alone when that is empty.
func (v *visit) byPasskey(ticket string) error {
	begun, err := v.site.Access.BeginPasskey(ticket, v.origin())
	f := v.signInForm()
	if refused := (*access.Error)(nil); errors.As(err, &refused) {
		f.wrong("", refused.Message)
	} else if err != nil {
		if err := v.notLetIn(f, "", err); err != nil {
			return err
		}
	}
	if f.Failed() {
		return v.again("signin.html", signInPage{Form: f})
	}
	options, err := json.Marshal(begun.Options)
	if err != nil {
		return err
	}
	f = v.form("signin.passkey")
	f.Action, f.Back = "/sign-in", "/sign-in"
	f.Hidden = []hidden{{"next", localPath(v.r.FormValue("next"))}, {"passkey", begun.Ticket}, {"answer", ""}}
	return v.render("passkey.html", passkeyPage{Form: f, Options: string(options), Do: "get", Lead: v.T("signin.passkey.lead")})
}

// passkeyAnswer lets in whom the browser's answer is of.
func (v *visit) passkeyAnswer(ticket string) error {
	token, err := v.site.Access.SignInByPasskey(v.ctx(), ticket, []byte(v.formValue("answer")), visitor(v.r))
	if err == nil {
		v.letIn(token)
		return nil
	}
	f := v.signInForm()
	if err := v.notLetIn(f, "", err); err != nil {
		return err
	}
	return v.again("signin.html", signInPage{Form: f, Passkeys: v.origin() != ""})
}
