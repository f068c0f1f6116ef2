package signin

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func basic(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

func TestParseAuthorization(t *testing.T) {
	for name, test := range map[string]struct {
		values []string
		want   credentials
		fails  bool
	}{
		"none":             {nil, credentials{}, false},
		"basic":            {[]string{basic("ann:secret")}, credentials{scheme: "basic", login: "ann", password: "secret"}, false},
		"colon":            {[]string{basic("ann:a:b")}, credentials{scheme: "basic", login: "ann", password: "a:b"}, false},
		"letter case":      {[]string{"bASIC  " + basic("ann:x")[6:] + " "}, credentials{scheme: "basic", login: "ann", password: "x"}, false},
		"UTF-8":            {[]string{basic("jürgen:grün")}, credentials{scheme: "basic", login: "jürgen", password: "grün"}, false},
		"western":          {[]string{basic("j\xfcrgen:gr\xfcn")}, credentials{scheme: "basic", login: "jürgen", password: "grün"}, false},
		"no password":      {[]string{basic("ann:")}, credentials{scheme: "basic", login: "ann"}, false},
		"negotiate":        {[]string{"Negotiate AQID"}, credentials{scheme: "negotiate", token: []byte{1, 2, 3}}, false},
		"another scheme":   {[]string{"Bearer x y z"}, credentials{scheme: "bearer"}, false},
		"empty":            {[]string{""}, credentials{}, false},
		"no base64":        {[]string{"Basic ann:secret"}, credentials{}, true},
		"cut base64":       {[]string{"Negotiate AQI"}, credentials{}, true},
		"no colon":         {[]string{basic("ann")}, credentials{}, true},
		"two":              {[]string{basic("ann:secret"), basic("bob:secret")}, credentials{}, true},
		"too long":         {[]string{"Negotiate " + strings.Repeat("A", maxAuthorization)}, credentials{}, true},
		"long login":       {[]string{basic(strings.Repeat("a", maxLogin+1) + ":x")}, credentials{}, true},
		"long password":    {[]string{basic("ann:" + strings.Repeat("a", maxPassword+1))}, credentials{}, true},
		"longest password": {[]string{basic("ann:" + strings.Repeat("a", maxPassword))}, credentials{scheme: "basic", login: "ann", password: strings.Repeat("a", maxPassword)}, false},
	} {
		got, err := parseAuthorization(test.values)
		if (err != nil) != test.fails || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, test.want)
		}
	}
}

// FuzzAuthorization looks for headers that break the limits or become another name on the way.
func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"", "Basic", basic("a:b"), basic("\xff:\xfe"), "Negotiate oRQwEqADCgEAoQsGCSqGSIb3EgECAg==", basic(`D\u@r:p`)} {
		f.Add(seed)
	}
	rules := Names{{Realm: "D", Login: "{user}"}}
	f.Fuzz(func(t *testing.T, value string) {
		c, err := parseAuthorization([]string{value})
		if err != nil {
			if !reflect.DeepEqual(c, credentials{}) {
				t.Fatalf("%+v along with %v", c, err)
			}
			return
		}
		if len(c.login) > maxLogin || len(c.password) > maxPassword || !utf8.ValidString(c.login) || strings.Contains(c.login, ":") {
			t.Fatalf("login %q, password of %d octets", c.login, len(c.password))
		}
		login := rules.login(parseName(c.login))
		if checkName(login) == nil && !strings.Contains(c.login, login) {
			t.Fatalf("%q became %q", c.login, login)
		}
	})
}

func TestNames(t *testing.T) {
	rules := Names{
		{Realm: "CONTOSO", Login: "{user}"},
		{Realm: "fabrikam.com", Login: `FABRIKAM\{user}`},
		{Realm: "", Login: "{user}"},
		{Realm: "HOME", Login: "{user}.{realm}"},
	}
	for written, want := range map[string]string{
		"ann":                  "ann",
		" ann ":                "ann",
		`contoso\ann`:          "ann",
		"ann@CONTOSO":          "ann",
		"ann@Fabrikam.com":     `FABRIKAM\ann`,
		`home\ann`:             "ann.home",
		"ann@example.com":      "ann@example.com",
		`OTHER\ann`:            `OTHER\ann`,
		`OTHER\ann@CONTOSO`:    `OTHER\ann@CONTOSO`,
		`contoso\`:             "",
		"@contoso":             "",
		"{realm}@contoso":      "{realm}",
		"ann@contoso@fabrikam": "ann@contoso@fabrikam",
	} {
		if got := rules.login(parseName(written)); got != want {
			t.Errorf("%q became %q, want %q", written, got, want)
		}
	}
	any := append(rules[:2:2], Rule{Realm: AnyRealm, Login: "{user}@{realm}"})
	for written, want := range map[string]string{`X\ann`: "ann@X", "ann": "ann", `contoso\ann`: "ann"} {
		if got := any.login(parseName(written)); got != want {
			t.Errorf("%q became %q, want %q", written, got, want)
		}
	}
}
