package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// asInbox makes the test binary store one parcel from its standard input into the
// folders that the variable names, so that a test can kill it.
const asInbox = "FURROW_TEST_AS_INBOX"

func TestMain(m *testing.M) {
	if folders := os.Getenv(asInbox); folders != "" {
		folder, records, _ := strings.Cut(folders, "|")
		inbox, err := OpenInbox(InboxOptions{Folder: folder, Records: records,
			Progress: func(_ *Parcel, received int64) { os.Stdout.WriteString(".") }, Stored: func(Receipt) {}})
		if err == nil {
			err = inbox.take(os.Stdin)
		}
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// mailbox is an inbox and what it has told.
type mailbox struct {
	*Inbox
	folder, records string

	mu       sync.Mutex
	receipts []Receipt
}

func openMailbox(t testing.TB, folder, records string) *mailbox {
	t.Helper()
	m := &mailbox{folder: folder, records: records}
	var err error
	m.Inbox, err = OpenInbox(InboxOptions{
		Folder: folder, Records: records,
		Progress: func(*Parcel, int64) {},
		Stored: func(r Receipt) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.receipts = append(m.receipts, r)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func newMailbox(t testing.TB) *mailbox {
	dir := t.TempDir()
	return openMailbox(t, filepath.Join(dir, "into"), filepath.Join(dir, "records"))
}

// files lists what is in a folder.
func files(t testing.TB, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (m *mailbox) expectFiles(t testing.TB, want ...string) {
	t.Helper()
	if got := files(t, m.folder); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// packed is a parcel as a message.
func packed(t testing.TB, name, content string) (*Parcel, []byte) {
	t.Helper()
	p := &Parcel{ID: newParcelID(), Name: name, Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content))}
	octets, err := p.AppendHeader(nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, append(octets, content...)
}

func TestInbox(t *testing.T) {
	m := newMailbox(t)
	_, first := packed(t, "a.txt", "first")
	_, second := packed(t, "a.txt", "second")
	_, hostile := packed(t, "../a.txt", "hostile")
	for _, message := range [][]byte{first, second, first, hostile} {
		if err := m.take(bytes.NewReader(message)); err != nil {
			t.Fatal(err)
		}
	}
	m.expectFiles(t, "_.._a.txt", "a (2).txt", "a.txt")
	for name, want := range map[string]string{"a.txt": "first", "a (2).txt": "second", "_.._a.txt": "hostile"} {
		path := filepath.Join(m.folder, name)
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if r := m.receipts; len(r) != 4 || r[0].Duplicate || !r[2].Duplicate || r[2].Path != filepath.Join(m.folder, "a.txt") {
		t.Errorf("receipts %+v", r)
	}

	t.Run("a moved file is remembered", func(t *testing.T) {
		if err := os.Remove(filepath.Join(m.folder, "a.txt")); err != nil {
			t.Fatal(err)
		}
		if err := m.take(bytes.NewReader(first)); err != nil {
			t.Fatal(err)
		}
		m.expectFiles(t, "_.._a.txt", "a (2).txt")
	})
}

// TestInboxSameIdentifier has somebody use the identifier of another's parcel: both
// are stored.
func TestInboxSameIdentifier(t *testing.T) {
	m := newMailbox(t)
	first, message := packed(t, "a", "content")
	second, _ := packed(t, "b", "other content")
	second.ID = first.ID
	forged, err := second.AppendHeader(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range [][]byte{append(forged, "other content"...), message} {
		if err := m.take(bytes.NewReader(message)); err != nil {
			t.Fatal(err)
		}
	}
	m.expectFiles(t, "a", "b")
}

// TestInboxDropsForGood has messages that will never be better: they are
// acknowledged and not stored.
func TestInboxDropsForGood(t *testing.T) {
	_, good := packed(t, "a", "content")
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	for name, message := range map[string][]byte{
		"not a parcel":   []byte("hello"),
		"too short":      good[:len(good)-1],
		"too long":       append(bytes.Clone(good), 'x'),
		"other contents": flipped,
	} {
		m := newMailbox(t)
		if err := m.take(bytes.NewReader(message)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		m.expectFiles(t)
		if len(m.receipts) != 1 || m.receipts[0].Problem == nil || m.receipts[0].Path != "" {
			t.Errorf("%s: %+v", name, m.receipts)
		}
	}
}

func TestInboxCutOff(t *testing.T) {
	_, message := packed(t, "a", "content")
	broken := errors.New("broken")
	for cut := range len(message) {
		m := newMailbox(t)
		err := m.take(io.MultiReader(bytes.NewReader(message[:cut]), failing{broken}))
		if !errors.Is(err, broken) || len(m.receipts) != 0 {
			t.Errorf("cut at %d: %v, %+v", cut, err, m.receipts)
		}
		m.expectFiles(t)
	}
}

// TestInboxAfterCrash has a process end at each point after the record was made.
func TestInboxAfterCrash(t *testing.T) {
	for _, test := range []struct {
		name  string
		found string // what stands under the path of the record
		want  []string
	}{
		{"before the file had its name", "", []string{"a"}},
		{"after the file had its name", "content", []string{"a"}},
		{"before, and somebody took the name", "other", []string{"a", "a (2)"}},
	} {
		m := newMailbox(t)
		p, message := packed(t, "a", "content")
		path := filepath.Join(m.folder, "a")
		if err := m.remember(p, record{Path: path}); err != nil {
			t.Fatal(err)
		}
		if test.found != "" {
			if err := os.WriteFile(path, []byte(test.found), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.take(bytes.NewReader(message)); err != nil {
			t.Fatal(err)
		}
		m.expectFiles(t, test.want...)
		if len(m.receipts) != 1 || m.receipts[0].Duplicate != (test.found == "content") {
			t.Errorf("%s: %+v", test.name, m.receipts)
		}
	}
}

func TestInboxSameParcelAtOnce(t *testing.T) {
	m := newMailbox(t)
	_, message := packed(t, "a", strings.Repeat("content", 10000))
	var takers sync.WaitGroup
	for range 8 {
		takers.Go(func() {
			if err := m.take(bytes.NewReader(message)); err != nil {
				t.Error(err)
			}
		})
	}
	takers.Wait()
	m.expectFiles(t, "a")
}

func TestInboxInUse(t *testing.T) {
	m := newMailbox(t)
	_, err := OpenInbox(m.options)
	if !errors.Is(err, ErrInboxInUse) {
		t.Error(err)
	}
}

func TestInboxForgets(t *testing.T) {
	m := newMailbox(t)
	p, message := packed(t, "a", "content")
	if err := m.take(bytes.NewReader(message)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		before time.Duration
		want   bool
	}{{-time.Hour, true}, {time.Hour, false}} {
		if _, err := m.owner.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if err := m.forget(time.Now().Add(test.before)); err != nil {
			t.Fatal(err)
		}
		if _, known := m.find(p); known != test.want {
			t.Errorf("records from before %v: known %t", test.before, known)
		}
	}
}

func TestInboxBadRecord(t *testing.T) {
	m := newMailbox(t)
	p, message := packed(t, "a", "content")
	if err := os.WriteFile(m.record(p), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.take(bytes.NewReader(message)); err != nil {
		t.Fatal(err)
	}
	var r record
	data, err := os.ReadFile(m.record(p))
	if err != nil || json.Unmarshal(data, &r) != nil || !r.Stored {
		t.Errorf("record %s, %v", data, err)
	}
}

// TestKill kills a process while it receives.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	folder, records := filepath.Join(dir, "in*to"), filepath.Join(dir, "records")
	content := strings.Repeat("content", 100000)
	_, message := packed(t, "a", content)

	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asInbox+"="+folder+"|"+records)
	cmd.Stderr = &bytes.Buffer{}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(message[:len(message)-1]); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // it has written some of it
		t.Fatalf("%v: %s", err, cmd.Stderr)
	}
	unfinished := files(t, folder)
	if len(unfinished) != 1 || !strings.HasPrefix(unfinished[0], ".") {
		t.Errorf("while receiving: %q", unfinished)
	}
	// Who opens the folder meanwhile leaves the file alone.
	other := openMailbox(t, folder, filepath.Join(dir, "other"))
	other.expectFiles(t, unfinished...)

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // reports the kill
	other.expectFiles(t, unfinished...)

	m := openMailbox(t, folder, records)
	m.expectFiles(t)
	if err := m.take(strings.NewReader(string(message))); err != nil {
		t.Fatal(err)
	}
	m.expectFiles(t, "a")
	if got, err := os.ReadFile(filepath.Join(folder, "a")); err != nil || string(got) != content {
		t.Errorf("%d octets, %v", len(got), err)
	}
}
