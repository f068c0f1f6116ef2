package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed text/*/*.json
var texts embed.FS

// languageCookie keeps the language that a person has chosen.
const languageCookie = "__Host-language"

// languages are those of the catalogue. The first is what others fall back to.
func languages() []language.Tag { return []language.Tag{language.English, language.German} }

// message is one text by its plural form; one that counts nothing has other only.
type message map[string]string

// UnmarshalJSON takes a string, or an object of plural forms.
func (m *message) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*m = message{"other": text}
		return nil
	}
	return json.Unmarshal(data, (*map[string]string)(m))
}

// catalogue is every text in every language.
type catalogue struct {
	matcher language.Matcher
	words   map[language.Tag]*words
}

func loadCatalogue() (*catalogue, error) {
	c := &catalogue{matcher: language.NewMatcher(languages()), words: map[language.Tag]*words{}}
	for _, tag := range languages() {
		w := &words{tag: tag, messages: map[string]message{}}
		files, err := fs.Glob(texts, "text/"+tag.String()+"/*.json")
		if err != nil {
			return nil, fmt.Errorf("texts of the pages: %w", err)
		}
		for _, file := range files {
			if err := w.read(file); err != nil {
				return nil, fmt.Errorf("texts of the pages: %w", err)
			}
		}
		c.words[tag] = w
	}
	return c, nil
}

// read takes in the texts of a file. A key stands in one file only.
func (w *words) read(file string) error {
	data, err := texts.ReadFile(file)
	if err != nil {
		return err
	}
	var messages map[string]message
	if err := json.Unmarshal(data, &messages); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for key, m := range messages {
		if _, twice := w.messages[key]; twice {
			return fmt.Errorf("%s: another file has %q too", file, key)
		}
		w.messages[key] = m
	}
	return nil
}

// of returns the words for a request: of the chosen language, or of the one that suits the browser best.
func (c *catalogue) of(r *http.Request) *words {
	var chosen string
	if cookie, err := r.Cookie(languageCookie); err == nil {
		chosen = cookie.Value
	}
	_, i := language.MatchStrings(c.matcher, chosen, r.Header.Get("Accept-Language"))
	return c.words[languages()[i]]
}

// words are the texts of one language.
type words struct {
	tag      language.Tag
	messages map[string]message
}

// T returns the text of a key with its arguments, given in pairs of name and value, put in. The plural form is that of
// the argument n, a whole number.
func (w *words) T(key string, args ...any) string {
	m, ok := w.messages[key]
	if !ok {
		return key // a test finds it
	}
	text := m["other"]
	var pairs []string
	for i := 0; i+1 < len(args); i += 2 {
		name, value := fmt.Sprint(args[i]), args[i+1]
		if n, whole := value.(int); whole {
			if name == "n" {
				text = m.form(w.tag, n)
			}
			value = w.number(int64(n))
		}
		pairs = append(pairs, "{"+name+"}", fmt.Sprint(value))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// has says whether there is a text of this key.
func (w *words) has(key string) bool {
	_, ok := w.messages[key]
	return ok
}

// form is the text for n of something.
func (m message) form(tag language.Tag, n int) string {
	names := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}
	if text, ok := m[names[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]]; ok {
		return text
	}
	return m["other"]
}
