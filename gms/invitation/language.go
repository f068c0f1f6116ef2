package invitation

import "slices"

// Language is that of a template, by its ISO 639 code.
type Language string

// The languages.
const (
	English Language = "en"
	German  Language = "de"
)

func languages() []Language { return []Language{German, English} }

func (l Language) known() bool { return slices.Contains(languages(), l) }

// text is the program's template.
func (l Language) text() Text {
	if l == German {
		return Text{Subject: germanSubject, Body: germanBody}
	}
	return Text{Subject: englishSubject, Body: englishBody}
}

const (
	englishSubject = `Your Groove account at {{.Organization}}`
	englishBody    = `Dear {{.Name}},

an account has been prepared for you in the domain {{.Domain}} of {{.Organization}}.

1. Install Microsoft Groove or SharePoint Workspace on your computer.
{{- if .Download}}
   You find it here: {{.Download}}{{end}}
2. Start it, choose to create a new account, and then to use an account
   configuration code.
3. Enter these two:

   Account configuration code:  {{.Code}}
   Server:                      {{.Server}}

4. Choose a passphrase that only you know.

The code is for you alone and works once. Do not pass this message on.
{{if .Help}}
Questions? {{.Help}}
{{end}}`

	germanSubject = `Ihr Groove-Konto bei {{.Organization}}`
	germanBody    = `Guten Tag {{.Name}},

für Sie ist ein Konto in der Domäne {{.Domain}} von {{.Organization}} vorbereitet.

1. Installieren Sie Microsoft Groove oder SharePoint Workspace auf Ihrem
   Rechner.
{{- if .Download}} Sie finden es hier: {{.Download}}{{end}}
2. Starten Sie das Programm, wählen Sie, ein neues Konto zu erstellen, und dann,
   einen Kontokonfigurationscode zu verwenden.
3. Geben Sie diese beiden ein:

   Kontokonfigurationscode:  {{.Code}}
   Server:                   {{.Server}}

4. Wählen Sie eine Passphrase, die nur Sie kennen.

Der Code ist nur für Sie bestimmt und gilt einmal. Geben Sie diese Nachricht
nicht weiter.
{{if .Help}}
Fragen? {{.Help}}
{{end}}`
)
