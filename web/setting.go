package web

import (
	"strconv"
	"strings"
	"time"

	"furrow/gms/policy"
)

// The settings of policies describe themselves (policy.Setting), in English. The catalogue has their labels, the names of
// choices and of sections, and in other languages than English what explains them: setting., choice., section. and
// explain. with the setting's key, or without its first part for what several sections have.

// settingSection is a section of a policy on a page.
type settingSection struct {
	ID, Title string
	Settings  []*shownSetting
}

// shownSetting is a setting on a page.
type shownSetting struct {
	Label, Explained string
	Value            string // in words
	Default          string // what says what the default is, empty if it is the value
	Part             bool
	Below            []*shownSetting // those of a part
	Field            *field          // in a form
}

// settingSections arranges settings, with fields of a form in the same order or none. Below a part that is off there is
// something in a form only.
func (v *visit) settingSections(settings []policy.Setting, values []policy.Value, fields []field) []settingSection {
	given := valuesByKey(values)
	var sections []settingSection
	parts := map[string]*shownSetting{}
	for i := range settings {
		one := &settings[i]
		if len(sections) == 0 || sections[len(sections)-1].ID != one.Section {
			sections = append(sections, settingSection{ID: one.Section, Title: v.T("section." + one.Section)})
		}
		text, on := given[one.Key]
		if !on && fields == nil {
			continue
		}
		shown := &shownSetting{
			Label: v.settingLabel(one), Explained: v.explained(one), Value: v.inWords(one, text), Part: one.Kind == policy.SettingPart,
		}
		if text != one.Default || !on {
			shown.Default = v.T("policies.standard", "value", v.inWords(one, one.Default))
		}
		if fields != nil {
			shown.Field = &fields[i]
		}
		into := &sections[len(sections)-1].Settings
		if above := parts[one.Key[:strings.LastIndex(one.Key, ".")]]; above != nil {
			into = &above.Below
		}
		*into = append(*into, shown)
		if shown.Part {
			parts[one.Key] = shown
		}
	}
	return sections
}

// settingField is the field of a setting with the value that was posted.
func (v *visit) settingField(one *policy.Setting) field {
	f := field{
		ID: "f-" + one.Key, Name: one.Key, Kind: "text", Autocomplete: "off",
		Label: v.settingLabel(one), Help: v.explained(one), Value: v.formValue(one.Key),
	}
	switch one.Kind {
	case policy.SettingSwitch, policy.SettingPart:
		f.Kind = "checkbox"
	case policy.SettingNumber:
		f.Inputmode = "numeric"
	case policy.SettingChoice:
		f.Kind = "select"
		for _, name := range one.Choices {
			f.Options = append(f.Options, option{Value: name, Label: v.choice(one, name), Selected: name == f.Value})
		}
	case policy.SettingRecords:
		f.Kind, f.Rows = "textarea", 4
	case policy.SettingText:
		if one.Lines {
			f.Kind, f.Rows = "textarea", 3
		}
	}
	return f
}

// ofSetting is the text of the catalogue with a prefix for a key, "" for none.
func (v *visit) ofSetting(prefix, key string) string {
	_, short, _ := strings.Cut(key, ".")
	for _, name := range []string{prefix + key, prefix + short} {
		if v.has(name) {
			return v.T(name)
		}
	}
	return ""
}

func (v *visit) settingLabel(one *policy.Setting) string {
	label := v.ofSetting("setting.", one.Key)
	if one.Unit != "" {
		label += " (" + v.T("measure."+one.Unit) + ")"
	}
	return label
}

// explained says what a setting does, and which numbers it takes.
func (v *visit) explained(one *policy.Setting) string {
	text := v.ofSetting("explain.", one.Key)
	if text == "" {
		text = one.Help
	}
	switch {
	case one.Kind == policy.SettingRecords:
		text += " " + v.T("policies.records")
	case one.Kind == policy.SettingWords:
		text += " " + v.T("policies.words")
	case one.Min != nil && one.Max != nil && *one.Max < 1<<31-1:
		text += " " + v.T("policies.range", "min", int(*one.Min), "max", int(*one.Max))
	}
	return text
}

func (v *visit) choice(one *policy.Setting, name string) string {
	if text := v.ofSetting("choice.", one.Key+"."+name); text != "" {
		return text
	}
	return name
}

// inWords is the text of a setting as a person says it.
func (v *visit) inWords(one *policy.Setting, text string) string {
	switch one.Kind {
	case policy.SettingSwitch, policy.SettingPart:
		if isOn(text) {
			return v.T("policies.yes")
		}
		return v.T("policies.no")
	case policy.SettingChoice:
		return v.choice(one, text)
	case policy.SettingWords:
		text = strings.ReplaceAll(text, ",", ", ")
	case policy.SettingRecords:
		text = strings.TrimPrefix(text, "[]")
	case policy.SettingDuration:
		text = entered(one, text)
	}
	if text == "" {
		return v.T("policies.empty")
	}
	return text
}

func isOn(text string) bool { return text == "true" || text == "on" }

func valuesByKey(values []policy.Value) map[string]string {
	byKey := map[string]string{}
	for _, v := range values {
		byKey[v.Key] = v.Value
	}
	return byKey
}

// valueOf is the text of a setting: what it begins with, if it is below a part that is off.
func valueOf(one *policy.Setting, given map[string]string) string {
	if text, ok := given[one.Key]; ok {
		return text
	}
	return one.Default
}

// unitOf is the unit in which a form has a duration.
func unitOf(one *policy.Setting) time.Duration {
	return map[string]time.Duration{"days": 24 * time.Hour, "hours": time.Hour, "minutes": time.Minute}[one.Unit]
}

// entered is the text of a setting as a form has it: yes or nothing for what is on or off, a duration in the unit of the
// setting.
func entered(one *policy.Setting, text string) string {
	switch one.Kind {
	case policy.SettingSwitch, policy.SettingPart:
		if isOn(text) {
			return "yes"
		}
		return ""
	case policy.SettingDuration:
		if days, ok := strings.CutSuffix(text, "d"); ok {
			if n, err := strconv.Atoi(days); err == nil {
				return decimal(float64(time.Duration(n)*24*time.Hour) / float64(unitOf(one)))
			}
		}
		if d, err := time.ParseDuration(text); err == nil {
			return decimal(float64(d) / float64(unitOf(one)))
		}
	}
	return text
}

// fromEntered is the reverse of entered. What is no number is for the interface to read, or to refuse.
func fromEntered(one *policy.Setting, text string) string {
	switch one.Kind {
	case policy.SettingSwitch, policy.SettingPart:
		if text == "" {
			return "off"
		}
		return "on"
	case policy.SettingDuration:
		const longest = 1e5 // even of days no overflow; the interface refuses less
		if n, err := strconv.ParseFloat(text, 64); err == nil && n >= -longest && n <= longest {
			return (time.Duration(n * float64(unitOf(one)))).String()
		}
		if text == "" {
			return "0"
		}
	}
	return text
}
