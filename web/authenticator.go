package web

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"

	"furrow/web/api"
)

// authenticatorPage is what authenticator.html shows.
type authenticatorPage struct {
	Form   *form
	Secret string       // in groups, to type
	Link   template.URL // otpauth:
	Code   template.HTML
	// Recovery are the recovery codes when the app is set up.
	Recovery []string
	Next     string
}

// authenticatorForm asks for a code of the app; what the app was told comes back with it, to be shown again.
func (v *visit) authenticatorForm(told api.NewAuthenticator) *form {
	f := v.form("account.authenticator.confirm", input{name: "code", required: true, autocomplete: "one-time-code", wide: true})
	f.Back = v.afterFactor()
	f.Hidden = []hidden{{"ticket", told.Ticket}, {"secret", told.Secret}, {"otpauth", told.URL}, {"next", v.afterFactor()}}
	return f
}

func (v *visit) authenticatorPage(told api.NewAuthenticator) (authenticatorPage, error) {
	p := authenticatorPage{Form: v.authenticatorForm(told), Next: v.afterFactor()}
	if !strings.HasPrefix(told.URL, "otpauth://totp/") {
		return p, fmt.Errorf("%q is no address for an authenticator app", told.URL)
	}
	for i := 0; i < len(told.Secret); i += 4 {
		p.Secret += told.Secret[i:min(i+4, len(told.Secret))] + " "
	}
	p.Link = template.URL(told.URL)
	var err error
	p.Code, err = drawn(told.URL, v.T("account.authenticator.picture"))
	return p, err
}

func getAuthenticator(v *visit) error {
	v.under(v.T("account.title"), "/account")
	told, err := v.client.BeginAuthenticator(v.ctx())
	if err != nil {
		return err
	}
	p, err := v.authenticatorPage(told)
	if err != nil {
		return err
	}
	return v.render("authenticator.html", p)
}

func postAuthenticator(v *visit) error {
	v.under(v.T("account.title"), "/account")
	told := api.NewAuthenticator{Ticket: v.formValue("ticket"), Secret: v.formValue("secret"), URL: v.formValue("otpauth")}
	p, err := v.authenticatorPage(told)
	if err != nil {
		return err
	}
	if p.Form.complete() {
		made, err := v.client.ConfirmAuthenticator(v.ctx(), api.AuthenticatorCode{Ticket: told.Ticket, Code: p.Form.value("code")})
		switch {
		case err == nil:
			return v.render("authenticator.html", authenticatorPage{Recovery: made.Codes, Next: p.Next})
		case isRefused(err, "unauthenticated"):
			return v.done(onTheWay("/account/authenticator", p.Next), "done.beginAgain")
		}
		if err = p.Form.refused(err); err != nil {
			return err
		}
	}
	return v.again("authenticator.html", p)
}

// drawn is a text as a QR code with a name, black on white whatever the colours of the page.
func drawn(text, name string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("drawing a code: %w", err)
	}
	const margin = 4 // of modules, as readers want (ISO/IEC 18004 6.3.8)
	side := code.Size + 2*margin
	var path bytes.Buffer
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+margin, y+margin)
			}
		}
	}
	return template.HTML(fmt.Sprintf(`<svg class="qr" viewBox="0 0 %d %d" width="220" height="220" role="img" aria-label="%s">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`,
		side, side, template.HTMLEscapeString(name), side, side, path.String())), nil
}

func (v *visit) removeAuthenticatorQuestion() confirmation {
	v.under(v.T("account.title"), "/account")
	return confirmation{
		Text: v.T("account.authenticator.remove.text"), Button: v.T("account.authenticator.remove"), Back: "/account",
		Form: v.form("account.authenticator.remove",
			input{name: "oldPassword", kind: "password", required: true, autocomplete: "current-password", wide: true}),
	}
}

func getRemoveAuthenticator(v *visit) error { return v.confirm(v.removeAuthenticatorQuestion()) }

func postRemoveAuthenticator(v *visit) error {
	question := v.removeAuthenticatorQuestion()
	if question.Form.complete() {
		_, err := v.client.RemoveAuthenticator(v.ctx(), question.Form.value("oldPassword"))
		if err == nil {
			return v.done("/account", "done.authenticatorRemoved")
		}
		if err = v.notProved(question.Form, "oldPassword", err); err != nil {
			return err
		}
	}
	return v.again("confirm.html", question)
}
