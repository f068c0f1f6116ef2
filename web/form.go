package web

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"furrow/web/api"
)

// input says how a field of a form is made. Its label is the text "field." + name, its help "help." + name if there is
// one.
type input struct {
	name         string // that of the attribute in the interface, by which a refusal is found
	kind         string // type of the HTML input, "textarea", "select" or "checkbox"; empty for text
	autocomplete string
	required     bool
	options      []option // of a select
	rows         int      // of a textarea
	wide         bool     // takes a line of its own
	accept       string   // of a file, as HTML has it
	live         string   // what the pages' script does with it
}

// option is a choice of a select.
type option struct {
	Value, Label string
	Selected     bool
}

// hidden is a value that a form has without showing it.
type hidden struct{ Name, Value string }

// field is an input as templates see it.
type field struct {
	ID, Name, Kind, Label, Help, Value, Error, Autocomplete, Live string
	Accept, Inputmode                                             string
	Required, Focus, Wide                                         bool
	Options                                                       []option
	Rows                                                          int
}

// Describedby is what describes the field for a screen reader.
func (f field) Describedby() string {
	switch {
	case f.Help != "" && f.Error != "":
		return f.ID + "-help " + f.ID + "-error"
	case f.Help != "":
		return f.ID + "-help"
	case f.Error != "":
		return f.ID + "-error"
	}
	return ""
}

// form is a form as templates see it: {{template "form" .Form}} shows its fields and what is wrong with them.
type form struct {
	Fields  []field
	Problem string // that belongs to no field
	Action  string // empty for the page itself
	Submit  string // what the button says
	Back    string // path of a way out, empty for none
	Danger  bool
	// Progress has the pages' script show how much of a large file is sent.
	Progress bool
	Words    *words
	Hidden   []hidden
}

// form makes a form of inputs with the values that were posted, or empty ones.
func (v *visit) form(submit string, inputs ...input) *form {
	f := &form{Submit: v.T(submit), Words: v.words}
	for _, in := range inputs {
		shown := field{
			ID: "f-" + in.name, Name: in.name, Kind: in.kind, Label: v.T("field." + in.name), Value: v.formValue(in.name),
			Autocomplete: in.autocomplete, Required: in.required, Options: in.options, Rows: in.rows, Wide: in.wide,
			Live: in.live, Accept: in.accept,
		}
		if shown.Kind == "" {
			shown.Kind = "text"
		}
		if shown.Kind == "password" {
			shown.Value = v.r.PostFormValue(in.name) // its spaces count
		}
		if v.has("help." + in.name) {
			shown.Help = v.T("help." + in.name)
		}
		f.Fields = append(f.Fields, shown)
	}
	f.choose()
	return f
}

// fill gives fields their values by name.
func (f *form) fill(values map[string]string) *form {
	for i := range f.Fields {
		if value, ok := values[f.Fields[i].Name]; ok {
			f.Fields[i].Value = value
		}
	}
	f.choose()
	return f
}

// choose marks the options that are the values of their selects.
func (f *form) choose() {
	for i := range f.Fields {
		for k := range f.Fields[i].Options {
			f.Fields[i].Options[k].Selected = f.Fields[i].Options[k].Value == f.Fields[i].Value
		}
	}
}

// value is that of a field.
func (f *form) value(name string) string {
	for _, field := range f.Fields {
		if field.Name == name {
			return field.Value
		}
	}
	return ""
}

// lines is what was typed in a textarea, one entry a line, and listed is that with commas between entries, too.
func (f *form) lines(name string) []string { return linesOf(f.value(name)) }

func (f *form) listed(name string) []string {
	return linesOf(strings.ReplaceAll(f.value(name), ",", "\n"))
}

// linesOf is the lines in which something stands, without the space around it.
func linesOf(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// values are those of all fields by name.
func (f *form) values() map[string]string {
	values := map[string]string{}
	for _, field := range f.Fields {
		values[field.Name] = field.Value
	}
	return values
}

// wrong says what is wrong with a field, in words of the person.
func (f *form) wrong(name, text string) {
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			f.Fields[i].Error, f.Fields[i].Focus = text, !f.Failed()
			return
		}
	}
	f.Problem = text
}

// days is the number of days in a field, 0 or more.
func (f *form) days(name string) (int, bool) {
	n, err := strconv.Atoi(f.value(name))
	if err != nil || n < 0 {
		f.wrong(name, f.Words.T("error.days"))
		return 0, false
	}
	return n, true
}

// complete finds required fields that are empty.
func (f *form) complete() bool {
	for _, field := range f.Fields {
		if field.Required && field.Value == "" && field.Kind != "file" {
			f.wrong(field.Name, f.Words.T("error.required"))
		}
	}
	return !f.Failed()
}

// Failed says whether anything is wrong.
func (f *form) Failed() bool {
	for _, field := range f.Fields {
		if field.Error != "" {
			return true
		}
	}
	return f.Problem != ""
}

// Errors are the fields that have one.
func (f *form) Errors() []field {
	var wrong []field
	for _, field := range f.Fields {
		if field.Error != "" {
			wrong = append(wrong, field)
		}
	}
	return wrong
}

// unavailable is the refusal of what needs the image.
const unavailable = "unavailable"

// isRefused says whether the interface has refused something with this code.
func isRefused(err error, code string) bool {
	var refusal *api.Error
	return errors.As(err, &refusal) && refusal.Code == code
}

// refusalOf is a refusal of the interface about which a person can do something, nil for other errors.
func refusalOf(err error) *api.Error {
	var refusal *api.Error
	if !errors.As(err, &refusal) || refusal.Code == "internal" || refusal.Code == "failed" {
		return nil
	}
	return refusal
}

// refused puts a refusal of the interface to its field. It returns err if that is none that a form can show.
func (f *form) refused(err error) error {
	refusal := refusalOf(err)
	if refusal == nil {
		return err
	}
	f.wrong(refusal.Field, refusal.Message)
	return nil
}

// Uploads says whether files are sent with the form.
func (f *form) Uploads() bool {
	return slices.ContainsFunc(f.Fields, func(field field) bool { return field.Kind == "file" })
}

// Masked are the fields as they are shown again: without passwords.
func (f *form) Masked() []field {
	shown := make([]field, len(f.Fields))
	for i, field := range f.Fields {
		if shown[i] = field; field.Kind == "password" {
			shown[i].Value = ""
		}
	}
	return shown
}

// decimal is a number as forms take it in every language.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
