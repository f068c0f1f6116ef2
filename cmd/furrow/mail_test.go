package main

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"furrow/web/api"
)

// letterBox is a mail server that takes everything.
type letterBox struct{ letters chan string }

func (l letterBox) NewSession(*smtp.Conn) (smtp.Session, error) { return l, nil }

func (letterBox) Mail(string, *smtp.MailOptions) error { return nil }
func (letterBox) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (letterBox) Reset()                               {}
func (letterBox) Logout() error                        { return nil }

func (l letterBox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	l.letters <- string(text)
	return err
}

// startLetterBox serves SMTP on loopback and returns its address and what arrives.
func startLetterBox(t *testing.T) (address string, letters <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := letterBox{make(chan string, 100)}
	server := smtp.NewServer(box)
	server.Domain = "localhost"
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(listener) }) // ends with the listener
	t.Cleanup(func() { _ = server.Close(); done.Wait() })
	return listener.Addr().String(), box.letters
}

func TestMailVerbs(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	serve(t, data, "127.0.0.1:0", "")
	if _, stderr, exit := furrow(t, "--data", data, "mail", "test", "ann@example.com"); exit != 1 || !strings.Contains(stderr, "furrow mail set") {
		t.Fatalf("without a mail server: exit %d, %s", exit, stderr)
	}
	address, letters := startLetterBox(t)
	set := must[api.MailSettings](t, "--data", data, "mail", "set", address, "--from", "Groove <groove@example.com>", "--security", "plain")
	if set.Server != address || set.Security != "plain" {
		t.Fatalf("%+v", set)
	}
	must[api.MailTest](t, "--data", data, "mail", "test", "ann@example.com")
	if letter := <-letters; !strings.Contains(letter, "To: <ann@example.com>") {
		t.Fatalf("arrived:\n%s", letter)
	}
	if waiting := must[[]api.WaitingMail](t, "--data", data, "mail", "list"); len(waiting) != 0 {
		t.Fatalf("%+v", waiting)
	}
	if cleared := must[api.MailSettings](t, "--data", data, "mail", "clear"); cleared.Server != "" {
		t.Fatalf("%+v", cleared)
	}
}
