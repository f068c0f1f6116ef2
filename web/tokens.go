package web

import (
	"net"
	"strconv"
	"strings"
	"time"

	"furrow/web/access"
	"furrow/web/api"
)

// day is how lifetimes of tokens are counted.
const day = 24 * time.Hour

// tokenList is what tokens.html shows.
type tokenList struct {
	List   *list
	Tokens []tokenLine
}

// tokenLine is a token, which may be over.
type tokenLine struct {
	api.Token
	Over bool
}

func getTokens(v *visit) error {
	all, err := v.client.Tokens(v.ctx())
	if err != nil {
		return err
	}
	l := v.list(column{name: "name"}, column{name: "role"}, column{name: "created"}, column{name: "lastUsed"}, column{name: "expires"},
		column{name: "remove"})
	l.Searchable = false
	now, err := v.client.Overview(v.ctx())
	if err != nil {
		return err
	}
	shown := tokenList{List: l}
	for _, t := range of(l, all) {
		shown.Tokens = append(shown.Tokens, tokenLine{t, !t.Expires.IsZero() && now.Now.After(t.Expires)})
	}
	return v.render("tokens.html", shown)
}

func (v *visit) newTokenForm() *form {
	v.under(v.T("tokens.title"), "/tokens")
	lifetimes := []option{}
	for _, days := range []int{30, 90, 365} {
		lifetimes = append(lifetimes, option{Value: strconv.Itoa(days), Label: v.T("unit.days", "n", days)})
	}
	lifetimes = append(lifetimes, option{Value: "0", Label: v.T("tokens.forever")})
	f := v.form("tokens.make",
		input{name: "tokenName", required: true, autocomplete: "off", wide: true},
		input{name: "role", kind: "select", required: true, options: v.roleOptions(access.TokenRoles()), wide: true},
		input{name: "lifetime", kind: "select", required: true, options: lifetimes, wide: true},
	)
	f.Back = "/tokens"
	return f
}

func getNewToken(v *visit) error {
	return v.render("form.html", v.newTokenForm().fill(map[string]string{"role": string(access.Auditor), "lifetime": "90"}))
}

func postNewToken(v *visit) error {
	f := v.newTokenForm()
	days, err := strconv.Atoi(f.value("lifetime"))
	if err != nil || days < 0 || days > 36500 {
		f.wrong("lifetime", v.T("error.required"))
	}
	if f.complete() {
		now, err := v.client.Overview(v.ctx())
		if err != nil {
			return err
		}
		asked := api.NewToken{Name: f.value("tokenName"), Role: access.Role(f.value("role"))}
		if days > 0 {
			asked.Expires = now.Now.Add(time.Duration(days) * day)
		}
		made, err := v.client.AddToken(v.ctx(), asked)
		if err == nil {
			return v.showToken(made)
		}
		if err = f.refused(renamed(err, "name", "tokenName")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// madeToken is what token.html shows.
type madeToken struct {
	api.TokenMade
	// Host is where the box was found just now, host:port.
	Host string
	// SelfSigned says that a program has to be told to trust the box's certificate.
	SelfSigned bool
}

// Scrapes reports whether the token is for Prometheus.
func (t madeToken) Scrapes() bool { return t.Role == access.Metrics }

func (v *visit) showToken(made api.TokenMade) error {
	certificate, err := v.client.Certificate(v.ctx())
	if err != nil {
		return err
	}
	host := v.r.Host
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "443")
	}
	return v.render("token.html", madeToken{made, host, certificate.SelfSigned})
}

func (v *visit) removeTokenQuestion() (api.Token, confirmation, error) {
	all, err := v.client.Tokens(v.ctx())
	if err != nil {
		return api.Token{}, confirmation{}, err
	}
	v.under(v.T("tokens.title"), "/tokens")
	t, err := one(all, func(t api.Token) bool { return t.ID == v.r.PathValue("id") })
	return t, confirmation{Text: v.T("tokens.remove.text", "name", t.Name), Button: v.T("tokens.remove"), Back: "/tokens"}, err
}

func getRemoveToken(v *visit) error {
	_, question, err := v.removeTokenQuestion()
	if err != nil {
		return err
	}
	return v.confirm(question)
}

func postRemoveToken(v *visit) error {
	t, _, err := v.removeTokenQuestion()
	if err != nil {
		return err
	}
	if _, err := v.client.RemoveToken(v.ctx(), t.ID); err != nil {
		return err
	}
	return v.done("/tokens", "done.tokenRemoved", "name", t.Name)
}
