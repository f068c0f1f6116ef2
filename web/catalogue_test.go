package web

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// sources are the Go files and templates of the pages, by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.go", "templates/*.html", "templates/frame/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all[file] = string(text)
		}
	}
	return all
}

func placeholders(text string) []string {
	found := regexp.MustCompile(`\{[a-z]+\}`).FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestCatalogue(t *testing.T) {
	c, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	english := c.words[language.English].messages
	for _, tag := range languages() {
		messages := c.words[tag].messages
		for key, m := range english {
			other, ok := messages[key]
			if !ok {
				t.Errorf("%s has no %q", tag, key)
				continue
			}
			if len(other) != len(m) {
				t.Errorf("%s: %q has other plural forms than in English", tag, key)
			}
			for form, text := range other {
				if text == "" || !slices.Equal(placeholders(text), placeholders(m["other"])) {
					t.Errorf("%s: %q, %s: %q has other arguments than %q", tag, key, form, text, m["other"])
				}
			}
		}
		for key := range messages {
			// What explains a setting of a policy is in English with the setting; TestSettingTexts looks at these.
			if _, ok := english[key]; !ok && !strings.HasPrefix(key, "explain.") {
				t.Errorf("%s has %q, English has not", tag, key)
			}
		}
	}

	// A key is a string of Go or a template. One that ends with a dot, or in Go is put together, is the beginning of keys.
	literal := regexp.MustCompile(`"([a-z]+\.[A-Za-z.]*)"`)
	named := regexp.MustCompile(`name: "([A-Za-z]+)"`)
	used, begun := map[string]bool{}, []string{"help."}
	for _, text := range sources(t) {
		for _, found := range literal.FindAllStringSubmatch(text, -1) {
			used[found[1]] = true
			if strings.HasSuffix(found[1], ".") {
				begun = append(begun, found[1])
			}
		}
		for _, found := range named.FindAllStringSubmatch(text, -1) {
			used["field."+found[1]], used["column."+found[1]] = true, true
		}
	}
	for key := range english {
		if !used[key] && !slices.ContainsFunc(begun, func(b string) bool { return strings.HasPrefix(key, b) }) {
			t.Errorf("nothing uses %q", key)
		}
	}
	for file, text := range sources(t) {
		for _, call := range regexp.MustCompile(`(?:\bT\(|\.T )"([^"]+)"`).FindAllStringSubmatch(text, -1) {
			key := call[1]
			if _, ok := english[key]; !ok && !strings.HasSuffix(key, ".") {
				t.Errorf("%s uses %q, which there is not", file, key)
			}
		}
	}
	for _, p := range pages() {
		if _, ok := english[p.title]; !ok {
			t.Errorf("the page %s has the title %q, which there is not", p.path, p.title)
		}
		if p.icon != "" {
			if _, err := icon(p.icon); err != nil {
				t.Errorf("%s: %v", p.path, err)
			}
		}
	}
}

func TestWords(t *testing.T) {
	c, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	en, de := c.words[language.English], c.words[language.German]
	for got, want := range map[string]string{
		en.T("done.membersAdded", "n", 1):    "1 member added.",
		en.T("done.membersAdded", "n", 0):    "0 members added.",
		de.T("done.membersAdded", "n", 1200): "1.200 Mitglieder angelegt.",
		en.Number(1234567):                   "1,234,567",
		en.Number(-1000):                     "−1,000",
		en.Size(999):                         "999 B",
		en.Size(int64(1449)):                 "1.4 kB",
		de.Size(int64(1449)):                 "1,4 kB",
		en.Size(uint64(999_960)):             "1.0 MB",
		en.Size(12_345_678_901):              "12 GB",
		en.T("no such key"):                  "no such key",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
