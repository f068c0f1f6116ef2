package policy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Values returns the text of all settings, without those below a part that is
// off.
func (s *Sheet) Values(settings any) []Value {
	root := reflect.Indirect(reflect.ValueOf(settings))
	var values []Value
	for i := range s.settings {
		if text, there := s.text(root, &s.settings[i]); there {
			values = append(values, Value{s.settings[i].Key, text})
		}
	}
	return values
}

// Diff returns the settings whose text differs, in the order of a form.
func (s *Sheet) Diff(before, after any) []Change {
	from, to := reflect.Indirect(reflect.ValueOf(before)), reflect.Indirect(reflect.ValueOf(after))
	var changes []Change
	for i := range s.settings {
		old, was := s.text(from, &s.settings[i])
		text, is := s.text(to, &s.settings[i])
		if old != text || was != is {
			changes = append(changes, Change{s.settings[i].Key, old, text})
		}
	}
	return changes
}

// text returns the text of a setting, and false for one below a part that is off.
func (s *Sheet) text(root reflect.Value, one *Setting) (string, bool) {
	for _, i := range one.index {
		if root.Kind() == reflect.Pointer {
			if root.IsNil() {
				return "", false
			}
			root = root.Elem()
		}
		root = root.Field(i)
	}
	return one.format(root), true
}

func (one *Setting) format(v reflect.Value) string {
	switch one.Kind {
	case SettingPart:
		if v.IsNil() {
			return "off"
		}
		return "on"
	case SettingDuration:
		return formatDuration(v.Interface().(time.Duration))
	case SettingWords:
		return strings.Join(v.Interface().([]string), ",")
	case SettingRecords:
		if v.Len() == 0 {
			return "[]"
		}
		data, _ := json.Marshal(v.Interface()) // plain structs: cannot fail
		return string(data)
	case SettingChoice:
		value := fmt.Sprintf("%v", v)
		for _, name := range one.Choices {
			if one.values[name] == value {
				return name
			}
		}
		return value
	}
	return fmt.Sprintf("%v", v.Interface())
}

// formatDuration writes whole days as days: administrators think in them.
func formatDuration(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String() // such as 1h0m0s
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Set reads the text of a setting into settings, a pointer to the template's
// struct. A part that is off is switched on by setting what is below it, with the
// defaults of a new template where that has it. Whether the value is allowed, the
// section's Validate says. It returns a *[FieldError].
func (s *Sheet) Set(settings any, key, text string) error {
	i, known := s.byKey[key]
	if !known {
		return &FieldError{key, "is no setting of this kind of template"}
	}
	one := &s.settings[i]
	v := reflect.ValueOf(settings).Elem()
	preset := s.defaults
	for _, field := range one.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(newPart(v.Type().Elem(), preset))
			}
			v, preset = v.Elem(), reflect.Indirect(preset)
		}
		v = v.Field(field)
		if preset.IsValid() {
			preset = preset.Field(field)
		}
	}
	if err := one.parse(v, preset, text); err != nil {
		return &FieldError{key, err.Error()}
	}
	return nil
}

// newPart returns a part as a new template has it, an empty one if that has none.
// A change of the copy reaches into no slice of the preset: slices are replaced.
func newPart(t reflect.Type, preset reflect.Value) reflect.Value {
	part := reflect.New(t)
	if preset.IsValid() && !preset.IsNil() {
		part.Elem().Set(preset.Elem())
	}
	return part
}

// parse reads text into the field v. Its errors complete the sentence that begins
// with the key.
func (one *Setting) parse(v, preset reflect.Value, text string) error {
	switch one.Kind {
	case SettingText:
		v.SetString(text)
		return nil
	case SettingSwitch:
		on, err := parseSwitch(text)
		v.SetBool(on)
		return err
	case SettingNumber:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
		if err != nil {
			return fmt.Errorf("is not a whole number: %.40q", text)
		}
		v.SetInt(n)
	case SettingChoice:
		return one.choose(v, text)
	case SettingDuration:
		d, err := parseDuration(strings.TrimSpace(text))
		v.SetInt(int64(d))
		return err
	case SettingWords:
		list := words(text)
		v.Set(reflect.ValueOf(list))
	case SettingNumbers:
		return parseVector(v, text)
	case SettingPart:
		on, err := parseSwitch(text)
		switch {
		case err != nil:
			return err
		case !on:
			v.SetZero()
		case v.IsNil():
			v.Set(newPart(v.Type().Elem(), preset))
		}
	case SettingRecords:
		return parseRecords(v, text)
	}
	return nil
}

func parseSwitch(text string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "on", "yes", "1":
		return true, nil
	case "false", "off", "no", "0":
		return false, nil
	}
	return false, fmt.Errorf("is neither on nor off: %.40q", text)
}

// choose reads the name of a choice, whatever its letter case.
func (one *Setting) choose(v reflect.Value, text string) error {
	i := slices.IndexFunc(one.Choices, func(name string) bool { return strings.EqualFold(name, strings.TrimSpace(text)) })
	if i < 0 {
		return fmt.Errorf("is not one of %s", strings.Join(one.Choices, ", "))
	}
	value := one.values[one.Choices[i]]
	if v.Kind() == reflect.String {
		v.SetString(value)
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 32)
	v.SetInt(n)
	return err
}

// parseDuration reads what time.ParseDuration does, and whole days.
func parseDuration(text string) (time.Duration, error) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		if n, err := strconv.ParseInt(days, 10, 32); err == nil && n <= int64(maxPeriod/day) && n >= 0 {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("is not a time such as 42d, 24h or 15m: %.40q", text)
	}
	return d, nil
}

func parseVector(v reflect.Value, text string) error {
	var vector LockoutVector
	if text = strings.ReplaceAll(text, " ", ""); text != "" {
		var err error
		if vector, err = ParseLockoutVector(text); err != nil {
			return fmt.Errorf("is not such a list: %w", err)
		}
	}
	v.Set(reflect.ValueOf(vector))
	return nil
}

// parseRecords refuses attributes that it does not know: a misspelt one must not
// be lost.
func parseRecords(v reflect.Value, text string) error {
	if strings.TrimSpace(text) == "" {
		text = "[]"
	}
	list := reflect.New(v.Type())
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(list.Interface()); err != nil {
		return fmt.Errorf("is not a list in JSON: %w", err)
	}
	if decoder.More() {
		return fmt.Errorf("is followed by something")
	}
	if list.Elem().Len() == 0 {
		v.SetZero()
		return nil
	}
	v.Set(list.Elem())
	return nil
}
