// Package invitation gets configuration codes to members: by mail, of templates that administrators may change, and on
// paper, as the facts that a welcome sheet shows.
//
// A template is a subject and a body with Fields in them, such as {{.Name}}, and with parts that are there only if a field
// is, {{if .Help}}Questions? {{.Help}}{{else}}Good luck!{{end}}. That is all of text/template that is allowed: a template
// can neither loop nor call anything, so that its size bounds what it costs and what it makes. It is tried on sample
// members before it is taken, the one with the longest details among them, and can then not fail for a real one.
//
// There is a template for each language, English and German, of the program's own. A domain may have its own text for
// each, says which is used, and where its members get the program and help.
//
// A mail with a code is put into the outbox in the transaction of the change that it tells of, and the member's row says
// in the same transaction that it was: a member who was imported with an invitation exists if and only if the mail does.
package invitation

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"furrow/appliance/mail"
	"furrow/appliance/setting"
	"furrow/appliance/state"
	"furrow/gms/directory"
)

// Errors that a caller can tell apart.
var (
	// ErrInvalid is wrapped by refusals of templates and settings, whose text is for a person.
	ErrInvalid = errors.New("invalid")
	// ErrLanguage says that there is no template for a language.
	ErrLanguage = errors.New("there is no template for this language; there are: de, en")
)

func invalid(what, format string, args ...any) error {
	return setting.Refuse(ErrInvalid, what, format, args...)
}

// Tables are the package's tables in a store's schema.
type Tables struct {
	domains *state.Table[domainRow]
}

// domainRow is what a domain has of its own.
type domainRow struct {
	Domain string `json:"domain"` // GUID
	Settings
	Texts map[Language]Text `json:"texts,omitempty"`
}

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	return &Tables{state.Define(s, "invitations", state.TableOptions[domainRow]{
		Version: 1, Key: func(r domainRow) string { return r.Domain },
	})}
}

// Config is what a Desk works with.
type Config struct {
	Store     *state.Store
	Tables    *Tables // declared in the schema Store was opened with
	Directory *directory.Directory
	Post      *mail.Post
}

// Desk writes invitations. It is safe for concurrent use.
type Desk struct{ Config }

// New returns a Desk over an open store.
func New(c Config) *Desk { return &Desk{c} }

// Settings are what a domain says for all its invitations.
type Settings struct {
	// Language is that of the template that is used; empty for English.
	Language Language `json:"language,omitempty"`
	// Download says where members get the program, Help whom they ask. One line each, or empty.
	Download string `json:"download,omitempty"`
	Help     string `json:"help,omitempty"`
}

func (s *Settings) check() error {
	if s.Language != "" && !s.Language.known() {
		return fmt.Errorf("%w: %q", ErrLanguage, s.Language)
	}
	return cmp.Or(checkLine("download", s.Download), checkLine("help", s.Help))
}

// Settings returns the settings of a domain.
func (k *Desk) Settings(domain string) Settings {
	row, _ := k.Tables.domains.Get(k.Store.Snapshot(), domain)
	row.Language = cmp.Or(row.Language, English)
	return row.Settings
}

// SetSettings changes the settings of a domain.
func (k *Desk) SetSettings(ctx context.Context, domain string, s Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	return k.changeRow(ctx, domain, func(row *domainRow) { row.Settings = s })
}

// Template is the text for a language in a domain.
type Template struct {
	Language Language
	Text
	Own  bool // the domain's, not the program's
	Used bool // for members of the domain, unless another is asked for
}

// Templates returns the templates of a domain, in order of their languages.
func (k *Desk) Templates(domain string) []Template {
	row, _ := k.Tables.domains.Get(k.Store.Snapshot(), domain)
	var list []Template
	for _, language := range languages() {
		list = append(list, row.template(language))
	}
	return list
}

// Template returns one, or ErrLanguage.
func (k *Desk) Template(domain string, language Language) (Template, error) {
	row, _ := k.Tables.domains.Get(k.Store.Snapshot(), domain)
	if !language.known() {
		return Template{}, fmt.Errorf("%w: %q", ErrLanguage, language)
	}
	return row.template(language), nil
}

func (r *domainRow) template(language Language) Template {
	text, own := r.Texts[language]
	if !own {
		text = language.text()
	}
	return Template{Language: language, Text: text, Own: own, Used: language == cmp.Or(r.Language, English)}
}

// SetTemplate gives a domain a text of its own for a language.
func (k *Desk) SetTemplate(ctx context.Context, domain string, language Language, text Text) error {
	if !language.known() {
		return fmt.Errorf("%w: %q", ErrLanguage, language)
	}
	if err := text.Check(); err != nil {
		return err
	}
	return k.changeRow(ctx, domain, func(row *domainRow) { row.Texts[language] = text })
}

// ResetTemplate makes the text for a language that of the program again.
func (k *Desk) ResetTemplate(ctx context.Context, domain string, language Language) error {
	if !language.known() {
		return fmt.Errorf("%w: %q", ErrLanguage, language)
	}
	return k.changeRow(ctx, domain, func(row *domainRow) { delete(row.Texts, language) })
}

func (k *Desk) changeRow(ctx context.Context, domain string, change func(*domainRow)) error {
	if _, err := k.Directory.FindDomain(domain); err != nil {
		return err
	}
	err := k.Store.Update(ctx, func(tx *state.Tx) error {
		row, _ := k.Tables.domains.Get(tx, domain)
		texts := map[Language]Text{} // rows are shared with readers, and so are their maps
		for language, text := range row.Texts {
			texts[language] = text
		}
		row.Domain, row.Texts = domain, texts
		change(&row)
		return k.Tables.domains.Put(tx, row)
	})
	if err != nil {
		return fmt.Errorf("invitations of domain %s: %w", domain, err)
	}
	return nil
}
