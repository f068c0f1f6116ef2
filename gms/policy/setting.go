package policy

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// SettingKind says how the text of a setting is read and entered.
type SettingKind string

// The kinds of settings, with the text that each is written as.
const (
	SettingSwitch   SettingKind = "switch"   // true or false; on, off, yes and no are read too
	SettingNumber   SettingKind = "number"   // an integer
	SettingChoice   SettingKind = "choice"   // the name of one of the choices
	SettingText     SettingKind = "text"     // as it is
	SettingDuration SettingKind = "duration" // such as 42d, 24h or 15m
	SettingWords    SettingKind = "words"    // divided by commas
	SettingNumbers  SettingKind = "numbers"  // a LockoutVector
	SettingPart     SettingKind = "part"     // on if the settings below it are there, else off
	SettingRecords  SettingKind = "records"  // a list in JSON
)

// Setting describes one setting of a template for whoever shows it or lets it be
// changed: a form, the command line, an interface. The descriptions are made of
// the settings types and their struct tags, which stand beside the rules of the
// Validate methods:
//
//	help     one or two sentences for a person
//	unit     what a number counts, or in what a form shows a duration
//	min, max the range of a number
//	choices  the values of an enumeration with their names, such as 0=free
//	lines    true for a text that may have several lines
type Setting struct {
	// Key names the setting within its template, such as
	// passphrase.delayLockout.threshold. Its first part is the section.
	Key     string      `json:"key"`
	Section string      `json:"section"`
	Kind    SettingKind `json:"kind"`
	Help    string      `json:"help"`
	Unit    string      `json:"unit,omitempty"`
	// Min and Max are the range of a number.
	Min     *int64   `json:"min,omitempty"`
	Max     *int64   `json:"max,omitempty"`
	Choices []string `json:"choices,omitempty"`
	// Lines says that a text may have several lines.
	Lines bool `json:"lines,omitempty"`
	// Default is the text of the value in a new template.
	Default string `json:"default"`

	index  []int             // path of fields from the template's settings
	values map[string]string // of a choice: the value for each name
}

// Value is the text of one setting.
type Value struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Change is a setting with two values, as text. A setting whose part is off on one
// side has no text there.
type Change struct {
	Key    string `json:"key"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Sheet lists the settings of one kind of template: a struct whose fields are its
// sections, each one a [Body].
type Sheet struct {
	defaults reflect.Value
	settings []Setting
	byKey    map[string]int
}

// NewSheet lists the settings of a template that begins with these defaults. It
// panics on a field that the kinds of settings do not cover, a mistake of the one
// who added it.
func NewSheet(defaults any) *Sheet {
	s := &Sheet{defaults: reflect.ValueOf(defaults), byKey: map[string]int{}}
	s.list(s.defaults.Type(), "", nil)
	for i := range s.settings {
		one := &s.settings[i]
		one.Default, _ = s.text(s.defaults, one)
		s.byKey[one.Key] = i
	}
	return s
}

// Settings returns all settings in the order of a form.
func (s *Sheet) Settings() []Setting { return s.settings }

// list adds the settings of a struct type that is found at index.
func (s *Sheet) list(t reflect.Type, prefix string, index []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		key, at := prefix+name, append(index[:len(index):len(index)], i)
		if f.Type.Kind() == reflect.Struct { // a section
			s.list(f.Type, key+".", at)
			continue
		}
		section, _, _ := strings.Cut(key, ".")
		one := Setting{Key: key, Section: section, Help: f.Tag.Get("help"), Unit: f.Tag.Get("unit"), index: at}
		one.Kind = kindOf(f)
		one.Min, one.Max = bound(f, "min"), bound(f, "max")
		one.Lines = f.Tag.Get("lines") == "true"
		one.choices(f.Tag.Get("choices"))
		s.settings = append(s.settings, one)
		if one.Kind == SettingPart {
			s.list(f.Type.Elem(), key+".", at)
		}
	}
}

func kindOf(f reflect.StructField) SettingKind {
	switch t := f.Type; {
	case f.Tag.Get("choices") != "":
		return SettingChoice
	case t == reflect.TypeFor[time.Duration]():
		return SettingDuration
	case t == reflect.TypeFor[LockoutVector]():
		return SettingNumbers
	case t == reflect.TypeFor[[]string]():
		return SettingWords
	case t.Kind() == reflect.Bool:
		return SettingSwitch
	case t.Kind() == reflect.Int:
		return SettingNumber
	case t.Kind() == reflect.String:
		return SettingText
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		return SettingPart
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return SettingRecords
	}
	panic(fmt.Sprintf("policy: no kind of setting for field %s of type %v", f.Name, f.Type))
}

func bound(f reflect.StructField, tag string) *int64 {
	text := f.Tag.Get(tag)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("policy: tag %s of field %s: %v", tag, f.Name, err))
	}
	return &n
}

// choices reads a list such as 0=free,1=warn or Full,None.
func (one *Setting) choices(list string) {
	if list == "" {
		return
	}
	one.values = map[string]string{}
	for choice := range strings.SplitSeq(list, ",") {
		value, name, named := strings.Cut(choice, "=")
		if !named {
			name = value
		}
		one.Choices = append(one.Choices, name)
		one.values[name] = value
	}
}
