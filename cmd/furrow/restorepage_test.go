package main

import (
	"crypto/tls"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"furrow/web/api"
)

// browser is a client of a box's pages, which trusts whatever certificate it shows.
func browser(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// sendBackup posts a backup to the set-up and returns the page that answers.
func sendBackup(t *testing.T, address, code, passphrase, file string) (int, string) {
	t.Helper()
	body, write := io.Pipe()
	form := multipart.NewWriter(write)
	sent := make(chan error, 1)
	go func() {
		err := errors.Join(form.WriteField("setupCode", code), form.WriteField("backupPassphrase", passphrase))
		part, partErr := form.CreateFormFile("backupFile", filepath.Base(file))
		source, openErr := os.Open(file)
		if err = errors.Join(err, partErr, openErr); err == nil {
			_, err = io.Copy(part, source)
			err = errors.Join(err, source.Close(), form.Close())
		}
		write.CloseWithError(err)
		sent <- err
	}()
	resp, err := browser(t).Post("https://"+address+"/setup/restore", form.FormDataContentType(), body)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	body.CloseWithError(io.ErrClosedPipe)
	if err := <-sent; err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
	return resp.StatusCode, string(page)
}

// TestRestoreByPage loses a box and has its backup take the place of a new one by that one's set-up page, without a
// restart by hand: the administrator of the lost box signs in, and the client that had joined goes on.
func TestRestoreByPage(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	old := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	relay := strings.TrimPrefix(must[api.LocalRelay](t, "--data", data, "relay", "show").DeviceURL, "grooveDNS://")
	must[api.Domain](t, "--data", data, "domain", "create", "A")
	ann := joinAs(t, old, data, "A", "ann")
	secret := writeFile(t, "seven purple ploughs\n")
	must[api.Administrator](t, "--data", data, "admin", "add", "ann", "--role", "server", "--password-file", secret)
	file := filepath.Join(t.TempDir(), "box.backup")
	must[api.BackupFile](t, "--data", data, "backup", "now", "--to", file, "--password-file", writeFile(t, "correct horse battery\n"))
	old.kill(t)

	fresh := filepath.Join(t.TempDir(), "var")
	serve(t, fresh, strings.TrimPrefix(old.address, "http://"), relay, "--listen", "https=127.0.0.1:0")
	address := must[api.Status](t, "--data", fresh, "status").Listeners["https"]
	code := must[api.SetupCode](t, "--data", fresh, "setup-code").Code
	if status, page := sendBackup(t, address, code, "another", file); status != http.StatusUnprocessableEntity || !strings.Contains(page, "wrong password") {
		t.Fatalf("wrong passphrase: %d\n%s", status, page)
	}
	if status, page := sendBackup(t, address, code, "correct horse battery", file); status != http.StatusOK || !strings.Contains(page, "/sign-in") {
		t.Fatalf("%d\n%s", status, page)
	}

	signedIn := func() bool {
		stdout, _, exit := furrow(t, "--data", fresh, "admin", "list")
		return exit == 0 && strings.Contains(stdout, "ann")
	}
	for end := time.Now().Add(deadline); !signedIn(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the restored box never came")
		}
	}
	address = must[api.Status](t, "--data", fresh, "status").Listeners["https"]
	resp, err := browser(t).PostForm("https://"+address+"/sign-in", url.Values{"name": {"ann"}, "password": {"seven purple ploughs"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.Header.Get("Location") != "/" {
		t.Errorf("sign-in: %s to %q, %v", resp.Status, resp.Header.Get("Location"), err)
	}
	if stdout, stderr, exit := furrow(t, "client", "update", "--home", ann.home); exit != 0 || stdout != "everything is up to date\n" {
		t.Errorf("update at the restored box: exit %d, %q, %q", exit, stdout, stderr)
	}
	for _, left := range []string{"restored", "replaced", "placing"} {
		if _, err := os.Stat(filepath.Join(fresh, left)); !os.IsNotExist(err) {
			t.Errorf("%s is left behind: %v", left, err)
		}
	}
}
