package target

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	sshPort = "22"
	// dialTimeout bounds the way to a login.
	dialTimeout = 30 * time.Second
	// sshSilence is how long a server may say nothing, or take nothing, before it counts as gone.
	sshSilence = 5 * time.Minute
	// writeAhead is how much is on its way to the server at once: more than a long line holds.
	writeAhead = 1 << 20
)

// sftpTarget is a folder of an SFTP server. It connects on the first use and is used by one goroutine.
type sftpTarget struct {
	address string
	dir     string
	config  ssh.ClientConfig

	conn   *ssh.Client // nil before the first use
	client *sftp.Client
}

func newSFTP(u *url.URL, a Address) (*sftpTarget, error) {
	key, err := parseHostKey(a.HostKey)
	if err != nil {
		return nil, err
	}
	t := &sftpTarget{
		address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), sshPort)),
		dir:     cmp.Or(u.Path, "."),
		config: ssh.ClientConfig{
			User: a.Login, HostKeyCallback: ssh.FixedHostKey(key), HostKeyAlgorithms: algorithms(key), Timeout: dialTimeout,
		},
	}
	if home, ok := strings.CutPrefix(u.Path, "/~/"); ok {
		t.dir = cmp.Or(home, ".")
	}
	if a.Login == "" {
		return nil, fmt.Errorf("%w: SFTP needs a login", ErrInvalid)
	}
	if a.PrivateKey != "" {
		signer, err := ssh.ParsePrivateKey([]byte(a.PrivateKey))
		if err != nil {
			return nil, fmt.Errorf("%w: private key: %w", ErrInvalid, err)
		}
		t.config.Auth = append(t.config.Auth, ssh.PublicKeys(signer))
	}
	if a.Password != "" {
		t.config.Auth = append(t.config.Auth, ssh.Password(a.Password))
	}
	if len(t.config.Auth) == 0 {
		return nil, fmt.Errorf("%w: SFTP needs a password or a private key", ErrInvalid)
	}
	return t, nil
}

// parseHostKey reads a line of ssh-keyscan or of known_hosts, or the key in it alone.
func parseHostKey(line string) (ssh.PublicKey, error) {
	fields := strings.Fields(line)
	for i := range fields {
		if i > 1 {
			break
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(strings.Join(fields[i:], " ")))
		if err == nil {
			return key, nil
		}
	}
	return nil, fmt.Errorf("%w: SFTP needs the server's host key, a line of ssh-keyscan", ErrInvalid)
}

// algorithms are those by which a server can prove that it has a key; without this it would offer another key.
func algorithms(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

// connect logs in; when ctx ends the connection does.
func (t *sftpTarget) connect(ctx context.Context) (release func() bool, err error) {
	if t.conn == nil {
		if err := t.dial(ctx); err != nil {
			return nil, fmt.Errorf("SFTP server %s: %w", t.address, err)
		}
	}
	return context.AfterFunc(ctx, func() { _ = t.conn.Close() }), nil // what runs then fails and says so
}

func (t *sftpTarget) dial(ctx context.Context) error {
	dialer := net.Dialer{Timeout: dialTimeout}
	tcp, err := dialer.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = tcp.Close() })
	defer stop()
	conn, channels, requests, err := ssh.NewClientConn(impatient{tcp}, t.address, &t.config)
	if err != nil {
		return errors.Join(err, ignoreClosed(tcp.Close()))
	}
	client := ssh.NewClient(conn, channels, requests)
	t.client, err = sftp.NewClient(client, sftp.UseConcurrentWrites(true))
	if err != nil {
		return errors.Join(err, client.Close())
	}
	t.conn = client
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// impatient gives a silent peer up.
type impatient struct{ net.Conn }

func (c impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(sshSilence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(sshSilence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (t *sftpTarget) path(name string) string { return path.Join(t.dir, name) }

// Put implements [Target].
func (t *sftpTarget) Put(ctx context.Context, name string, _ int64, write func(io.Writer) error) error {
	release, err := t.connect(ctx)
	if err != nil {
		return err
	}
	defer release()
	part := t.path(name + partSuffix)
	err = t.write(part, write)
	if err == nil {
		err = t.rename(part, t.path(name))
	}
	if err != nil {
		if left := t.client.Remove(part); left != nil && !errors.Is(left, fs.ErrNotExist) {
			err = errors.Join(err, left)
		}
		return fmt.Errorf("SFTP server %s: %w", t.address, err)
	}
	return nil
}

func (t *sftpTarget) write(part string, write func(io.Writer) error) (err error) {
	file, err := t.client.Create(part)
	if err != nil {
		return fmt.Errorf("creating %s: %w", part, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffered := bufio.NewWriterSize(file, writeAhead)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if _, ok := t.client.HasExtension("fsync@openssh.com"); ok {
		return file.Sync()
	}
	return nil
}

func (t *sftpTarget) rename(from, to string) error {
	if _, ok := t.client.HasExtension("posix-rename@openssh.com"); ok {
		return t.client.PosixRename(from, to)
	}
	return t.client.Rename(from, to)
}

// Open implements [Target].
func (t *sftpTarget) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	release, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	file, err := t.client.Open(t.path(name))
	if err != nil {
		release()
		return nil, fmt.Errorf("SFTP server %s: opening %s: %w", t.address, name, err)
	}
	return &sftpFile{Reader: bufio.NewReaderSize(file, writeAhead), file: file, release: release}, nil
}

// sftpFile reads ahead, as a file of sftp that is read in small pieces waits for each.
type sftpFile struct {
	io.Reader
	file    *sftp.File
	release func() bool
}

func (f *sftpFile) Close() error {
	f.release()
	return f.file.Close()
}

// List implements [Target].
func (t *sftpTarget) List(ctx context.Context, prefix string) ([]File, error) {
	release, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	infos, err := t.client.ReadDirContext(ctx, t.dir)
	if err != nil {
		return nil, fmt.Errorf("SFTP server %s: listing %s: %w", t.address, t.dir, err)
	}
	var files []File
	for _, info := range infos {
		if name := info.Name(); info.Mode().IsRegular() && strings.HasPrefix(name, prefix) && !strings.HasSuffix(name, partSuffix) {
			files = append(files, File{Name: name, Size: info.Size()})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files, nil
}

// Remove implements [Target].
func (t *sftpTarget) Remove(ctx context.Context, name string) error {
	release, err := t.connect(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := t.client.Remove(t.path(name)); err != nil {
		return fmt.Errorf("SFTP server %s: deleting %s: %w", t.address, name, err)
	}
	return nil
}

// Close implements [Target].
func (t *sftpTarget) Close() error {
	if t.conn == nil {
		return nil
	}
	err := t.client.Close()
	// Closing the client may have ended the connection, or ctx has.
	if closed := t.conn.Close(); closed != nil && !errors.Is(closed, net.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return err
}
