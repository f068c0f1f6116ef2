//go:build image

package image

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// furrow runs the program on this machine, as a client.
func furrow(t *testing.T, args ...string) string {
	t.Helper()
	return tool(t, filepath.Join(imageFolder(t), "furrow"), args...)
}

// home is the folder of a member's client.
func (m *machine) home(member string) string { return filepath.Join(m.homes, member) }

// identity is what others address a member by.
func (m *machine) identity(member string) string {
	m.t.Helper()
	return between(furrow(m.t, "--json", "client", "status", "--home", m.home(member)), `"identityURL": "`, `"`)
}

// send has a member send another a file; when it returns, the box has it.
func (m *machine) send(from, to string, content []byte) {
	m.t.Helper()
	if err := m.trySend(from, to, content); err != nil {
		m.t.Fatal(err)
	}
}

// trySend is send for when the box may not be there. Without an error the box has the file.
func (m *machine) trySend(from, to string, content []byte) error {
	file := filepath.Join(m.t.TempDir(), "file")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return err
	}
	program := filepath.Join(imageFolder(m.t), "furrow")
	out, err := exec.Command(program, "client", "send", "--home", m.home(from), "--to", m.identity(to), file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("sending: %w: %s", err, out)
	}
	return nil
}

// receive wants a member to receive one file, with this content.
func (m *machine) receive(member string, content []byte) {
	m.t.Helper()
	if found := m.received(member); len(found) != 1 || !bytes.Equal(found[0], content) {
		m.t.Errorf("%s received %d files, want the one that was sent", member, len(found))
	}
}

// received has a member receive what waits.
func (m *machine) received(member string) (found [][]byte) {
	m.t.Helper()
	into := m.t.TempDir()
	furrow(m.t, "client", "receive", "--home", m.home(member), "--into", into)
	err := filepath.WalkDir(into, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		got, err := os.ReadFile(path)
		found = append(found, got)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return found
}

// clientJoins has two members join from outside, and one write to the other.
func clientJoins(t *testing.T, m *machine) {
	people := members(t, m)
	for _, name := range []string{"Ann", "Bob"} {
		furrow(t, "client", "join", "--server", "http://"+address, "--home", m.home(name), "--code", people[name].ConfigurationCode)
		furrow(t, "client", "register", "--home", m.home(name))
	}
	note := []byte("from a box in a box")
	m.send("Ann", "Bob", note)
	m.receive("Bob", note)
}
