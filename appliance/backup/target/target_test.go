package target

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var errWriting = errors.New("the box has nothing more to say")

// conform does to a target all that is done to one. contents are larger than what it buffers.
func conform(t *testing.T, target Target, contents []byte) {
	t.Helper()
	ctx := t.Context()
	put := func(name string, data []byte) error {
		return target.Put(ctx, name, int64(len(data)), func(w io.Writer) error {
			for len(data) > 0 {
				n := min(64<<10, len(data))
				if _, err := w.Write(data[:n]); err != nil {
					return err
				}
				data = data[n:]
			}
			return nil
		})
	}
	check(t, put("furrow-a-2", contents))
	check(t, put("furrow-a-1", nil))
	check(t, put("other", []byte("other")))
	for name, want := range map[string][]byte{"furrow-a-2": contents, "furrow-a-1": nil, "other": []byte("other")} {
		r, err := target.Open(ctx, name)
		check(t, err)
		got, err := io.ReadAll(r)
		check(t, errors.Join(err, r.Close()))
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d octets, want %d", name, len(got), len(want))
		}
	}
	list := func() string {
		t.Helper()
		files, err := target.List(ctx, "furrow-a-")
		check(t, err)
		return fmt.Sprint(files)
	}
	want := fmt.Sprintf("[{furrow-a-1 0} {furrow-a-2 %d}]", len(contents))
	if got := list(); got != want {
		t.Errorf("listed %s, want %s", got, want)
	}

	// What fails half way leaves nothing, of any length.
	for _, n := range []int{0, 1000, len(contents)} {
		err := target.Put(ctx, "furrow-a-3", int64(n), func(w io.Writer) error {
			_, err := w.Write(contents[:n])
			return errors.Join(errWriting, err)
		})
		if !errors.Is(err, errWriting) {
			t.Errorf("failing after %d octets: %v", n, err)
		}
		if got := list(); got != want {
			t.Errorf("failing after %d octets left %s", n, got)
		}
	}
	if _, err := target.Open(ctx, "furrow-a-3"); err == nil {
		t.Error("what was never stored can be opened")
	}

	check(t, target.Remove(ctx, "furrow-a-1"))
	if got, want := list(), fmt.Sprintf("[{furrow-a-2 %d}]", len(contents)); got != want {
		t.Errorf("after a removal %s, want %s", got, want)
	}
	check(t, target.Close())
}

func noise(n int) []byte {
	data := make([]byte, n)
	rand.Read(data)
	return data
}

func TestFolder(t *testing.T) {
	conform(t, Folder(t.TempDir()), noise(100_000))
}

func TestFolderRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(io.Writer) error { t.Error("written"); return nil }
	if err := Folder(dir).Put(t.Context(), "a", math.MaxInt64, write); !errors.Is(err, ErrFull) {
		t.Errorf("a backup larger than the disk: %v", err)
	}
	if err := Folder(dir+"/none").Put(t.Context(), "a", 1, write); err == nil {
		t.Error("a folder that is not there was made")
	}
}

// newKey makes a key of a login or a host.
func newKey(t *testing.T) (private string, public ssh.PublicKey) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	block, err := ssh.MarshalPrivateKey(priv, "")
	check(t, err)
	public, err = ssh.NewPublicKey(pub)
	check(t, err)
	return string(pem.EncodeToMemory(block)), public
}

func TestAddresses(t *testing.T) {
	private, public := newKey(t)
	hostKey := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	for want, a := range map[string]Address{
		"":                       {URL: "/srv/backups"},
		" ":                      {URL: "sftp://nas/backups", Login: "box", Password: "p", HostKey: hostKey},
		"  ":                     {URL: "sftp://nas:2222/~/backups", Login: "box", PrivateKey: private, HostKey: "nas " + hostKey},
		"   ":                    {URL: "s3://s3.example.com/bucket/some/prefix", Login: "a", Password: "s"},
		"    ":                   {URL: "s3+http://127.0.0.1:9000/bucket", Login: "a", Password: "s"},
		"a path from / on":       {URL: "backups"},
		"neither sftp nor s3":    {URL: "ftp://nas/backups"},
		"nor sftp://host/path":   {URL: "sftp://box:secret@nas/backups"},
		"host key":               {URL: "sftp://nas/backups", Login: "box", Password: "p"},
		"needs a login":          {URL: "sftp://nas/backups", Password: "p", HostKey: hostKey},
		"a password or a":        {URL: "sftp://nas/backups", Login: "box", HostKey: hostKey},
		"private key":            {URL: "sftp://nas/backups", Login: "box", HostKey: hostKey, PrivateKey: "PEM"},
		"needs a bucket":         {URL: "s3://s3.example.com/", Login: "a", Password: "s"},
		"an access key and":      {URL: "s3://s3.example.com/bucket"},
		"from / on nor sftp://h": {URL: "s3://s3.example.com/bucket?x=y", Login: "a", Password: "s"},
	} {
		_, err := New(a)
		if want = strings.TrimSpace(want); want == "" {
			if err != nil {
				t.Errorf("%s: %v", a.URL, err)
			}
			continue
		}
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", a.URL, err, want)
		}
	}
}

// A target that cannot be reached fails, and at once when nobody waits any longer.
func TestUnreachable(t *testing.T) {
	_, public := newKey(t)
	for _, a := range []Address{
		{URL: "sftp://127.0.0.1:1/backups", Login: "box", Password: "p", HostKey: string(ssh.MarshalAuthorizedKey(public))},
		{URL: "s3+http://127.0.0.1:1/bucket", Login: "a", Password: "s", Region: "us-east-1"},
	} {
		target, err := New(a)
		check(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = target.Put(ctx, "a", 1, func(w io.Writer) error {
			_, err := w.Write([]byte("a"))
			return err
		})
		if err == nil {
			t.Errorf("%s: stored", a.URL)
		}
		check(t, target.Close())
	}
}
