package roster

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// maxProblems bounds the problems that are kept of a file: who has read a hundred knows what is wrong with it.
const maxProblems = 100

// File is what was read.
type File struct {
	Records  []Record
	Problems []Problem // of lines that are not among the records, at most 100
	Bad      int       // how many lines those are
}

// ReadOptions say how to read.
type ReadOptions struct {
	Format Format
	// Ignore are names of columns or elements to read over.
	Ignore []string
}

// Read reads a file. What is wrong with single lines is in the result; an error that is a *Problem says that the whole
// file is of no use, any other that it could not be read.
func Read(r io.Reader, o ReadOptions) (File, error) {
	text, err := decode(r)
	if err != nil {
		return File{}, err
	}
	names := newNames(o.Ignore)
	if o.Format == XML {
		return readXML(text, names)
	}
	return readCSV(text, names)
}

// decode reads all of a file and returns it as UTF-8 without a byte order mark.
func decode(r io.Reader) ([]byte, error) {
	buffered := bufio.NewReader(r)
	var decoded io.Reader = buffered
	mark, err := buffered.Peek(len(byteOrderMark))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	switch {
	case bytes.HasPrefix(mark, []byte(byteOrderMark)):
		_, _ = buffered.Discard(len(byteOrderMark)) // has been peeked at
	case bytes.HasPrefix(mark, []byte{0xFF, 0xFE}), bytes.HasPrefix(mark, []byte{0xFE, 0xFF}):
		decoded = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(buffered)
	}
	text, err := io.ReadAll(io.LimitReader(decoded, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if len(text) > MaxBytes {
		return nil, &Problem{
			1, "", fmt.Sprintf("the file has more than %d MB", MaxBytes>>20), "import it in several files",
		}
	}
	if at := invalid(text); at >= 0 {
		return nil, &Problem{
			1 + bytes.Count(text[:at], []byte("\n")), "", "the text is not UTF-8",
			"save the file as UTF-8; spreadsheets call it CSV UTF-8",
		}
	}
	return text, nil
}

// invalid returns where text stops being UTF-8, or -1.
func invalid(text []byte) int {
	for at := 0; at < len(text); {
		c, size := utf8.DecodeRune(text[at:])
		if c == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// add appends a record, or refuses one that is too many.
func (f *File) add(r Record) error {
	if len(f.Records)+f.Bad >= MaxMembers {
		return &Problem{r.Line, "", fmt.Sprintf("the file has more than %d members", MaxMembers), "import it in several files"}
	}
	f.Records = append(f.Records, r)
	return nil
}

// names are what columns and elements may be called.
type names struct {
	known   map[string]string // from the folded name
	ignored []string          // folded
}

func newNames(ignore []string) names {
	n := names{known: map[string]string{}}
	for _, attribute := range Attributes() {
		n.known[foldHeading(attribute)] = attribute
	}
	for _, name := range ignore {
		n.ignored = append(n.ignored, foldHeading(name))
	}
	return n
}

// find returns the attribute with a name, "" for one to ignore, or says what is wrong with it.
func (n names) find(name string, line int) (string, error) {
	folded := foldHeading(name)
	if slices.Contains(n.ignored, folded) {
		return "", nil
	}
	if attribute, ok := n.known[folded]; ok {
		return attribute, nil
	}
	return "", &Problem{
		line, shorten(name), "nothing of a member has this name",
		"name it " + strings.Join(Attributes(), ", ") + ", or ignore it",
	}
}

func foldHeading(name string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "_", "").Replace(name))
}

const (
	// maxShown bounds what a problem shows of a file, in characters, maxReason the reason that a parser gives.
	maxShown  = 40
	maxReason = 120
)

// shorten returns the beginning of a text from a file, to be shown.
func shorten(s string) string { return shortenTo(s, maxShown) }

func shortenTo(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

// keep counts a problem of a line if err is one, and returns any other error.
func (f *File) keep(err error) error {
	var problem *Problem
	if !errors.As(err, &problem) {
		return err
	}
	f.Bad++
	if len(f.Problems) < maxProblems {
		f.Problems = append(f.Problems, *problem)
	}
	return nil
}
