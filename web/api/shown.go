package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// hidden takes the place of a secret in the action log.
const hidden = "(hidden)"

// secret reports whether values of this name may open something. It would rather hide too much: a new attribute is
// hidden by having one of these in its name.
func secret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"pass", "secret", "key", "code", "token", "pin", "otp", "credential", "private", "seed"},
		func(part string) bool { return strings.Contains(name, part) })
}

// shown is a question as the action log shows it: secrets hidden, long texts cut; nil if it is no JSON.
func shown(question []byte) json.RawMessage {
	if len(question) == 0 {
		return nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(question))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil
	}
	return encodeShown(value)
}

// shownValue is shown for the value of a name.
func shownValue(name string, value json.RawMessage) json.RawMessage {
	switch {
	case value == nil:
		return json.RawMessage("null")
	case secret(name):
		return encodeShown(hide(value))
	}
	return shown(value)
}

// hide keeps of a secret whether there is one.
func hide(value json.RawMessage) any {
	if s := string(value); s == `""` || s == "null" {
		return ""
	}
	return hidden
}

func encodeShown(value any) json.RawMessage {
	text, err := json.Marshal(redact(value))
	if err != nil {
		return nil
	}
	if len(text) > maxAsked {
		text, err = json.Marshal(fmt.Sprintf("(%d octets)", len(text)))
		if err != nil {
			return nil
		}
	}
	return text
}

// redact hides and cuts what is in a JSON value.
func redact(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if !secret(name) {
				v[name] = redact(inner)
			} else if inner != nil && inner != "" {
				v[name] = hidden
			}
		}
	case []any:
		for i := range v {
			v[i] = redact(v[i])
		}
	case string:
		return cut(withoutPath(v))
	}
	return value
}

// withoutPath is an https address without its path: that of a web hook lets whoever has it in.
func withoutPath(s string) string {
	const scheme = "https://"
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return s
	}
	host, path, _ := strings.Cut(s[len(scheme):], "/")
	if _, at, found := strings.Cut(host, "@"); found {
		host = at
	}
	if path == "" {
		return scheme + host
	}
	return scheme + host + "/" + hidden
}

// cut bounds a text.
func cut(s string) string {
	if len(s) <= maxShown {
		return s
	}
	end := maxShown
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + fmt.Sprintf("… (%d octets)", len(s))
}
