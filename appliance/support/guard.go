package support

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/crypto/ssh"

	"furrow/appliance/disk"
)

const (
	// lookEvery is how often the guard looks at the clock.
	lookEvery = time.Second
	// countEvery is how often it keeps how much time is left: a power cut gives back no more, and flash memory is spared.
	countEvery = 10 * time.Minute
)

// Guard keeps the box open for as long as was opened. Its process is the main one of a unit that ends all others with it.
type Guard struct {
	Door *Door
	// SSHD is the command line of sshd, to stay in the foreground.
	SSHD []string
	// Ready tells the service manager that all is up; sshd does that itself where it runs.
	Ready func() error
}

// Run comes up with what was opened and returns when its time is over, which it makes known, or when ctx ends: then what
// was opened stays for the next start of the machine.
func (g *Guard) Run(ctx context.Context) error {
	d := g.Door
	r, ok, err := d.kept()
	if err != nil {
		return errors.Join(err, d.forget())
	}
	started, now := time.Now(), d.Now() // started is for the count, which setting the clock does not change
	// Behind the time of its opening the clock has been set back, and cannot say any more what is over.
	r.Left = min(r.Left, r.Until.Sub(now))
	keys, refused := r.checked(now)
	if !ok || r.Left <= 0 || now.Before(r.Opened) || refused != nil {
		d.Log.Info("no support access is open, or its time is over")
		return errors.Join(d.forget(), g.Ready())
	}
	ended, stop, err := g.open(r, keys, now)
	if err != nil {
		return errors.Join(err, d.forget())
	}
	defer stop()
	over, look := time.NewTimer(r.Left), time.NewTicker(lookEvery)
	defer over.Stop()
	defer look.Stop()
	for counted := r.Left; ; {
		left := r.Left - time.Since(started)
		select {
		case <-ctx.Done():
			return d.count(r, left)
		case err := <-ended:
			return errors.Join(fmt.Errorf("sshd has ended: %w", err), d.forget())
		case <-over.C:
			return g.over()
		case <-look.C:
			if !d.Now().Before(r.Until) {
				return g.over()
			}
			if counted-left >= countEvery {
				if err := d.count(r, left); err != nil {
					return err
				}
				counted = left
			}
		}
	}
}

func (g *Guard) over() error {
	g.Door.Log.Warn("the time of support access is over")
	return g.Door.forget()
}

// count keeps how much time is left, unless it was closed meanwhile.
func (d *Door) count(r record, left time.Duration) error {
	if _, err := os.Stat(d.file(recordFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	r.Left = left
	return d.keep(r)
}

// open makes known what is open, and starts sshd where there is a key for it. ended gets what became of it.
func (g *Guard) open(r record, keys []publicKey, now time.Time) (ended <-chan error, stop func(), err error) {
	d := g.Door
	shown := r.Access.opened(r.Opened, keys)
	if left := now.Add(r.Left); left.Before(r.Until) {
		shown.Until = left.Truncate(time.Second)
	}
	var authorized bytes.Buffer
	for _, key := range keys {
		authorized.WriteString(key.authorized(r.Until))
	}
	if len(keys) > 0 {
		if shown.HostFingerprint, err = d.hostKey(); err != nil {
			return nil, nil, err
		}
		if err := renameio.WriteFile(d.file(authorizedFile), authorized.Bytes(), 0o600); err != nil {
			return nil, nil, fmt.Errorf("writing the keys that get in: %w", err)
		}
	}
	if err := disk.WriteRecord(filepath.Join(d.Shown, openedFile), shown, 0o644); err != nil {
		return nil, nil, fmt.Errorf("making known what is open: %w", err)
	}
	if len(keys) == 0 {
		return nil, func() {}, g.Ready()
	}
	return g.serve()
}

// serve starts sshd; stop ends it and waits. Its sessions are the unit's to end.
func (g *Guard) serve() (ended <-chan error, stop func(), err error) {
	sshd := exec.Command(g.SSHD[0], g.SSHD[1:]...)
	sshd.Stdout, sshd.Stderr = os.Stderr, os.Stderr // the journal
	if err := sshd.Start(); err != nil {
		return nil, nil, fmt.Errorf("starting sshd: %w", err)
	}
	result, done := make(chan error, 1), make(chan struct{})
	go func() { // ends with sshd
		result <- sshd.Wait()
		close(done)
	}()
	return result, func() {
		_ = sshd.Process.Kill() // fails if it has ended
		<-done
	}, nil
}

// hostKey makes the key of sshd when there is none yet, and returns its fingerprint. No two boxes have the same, which
// the image could not give them.
func (d *Door) hostKey() (fingerprint string, err error) {
	text, err := os.ReadFile(d.file(hostKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = newHostKey(); err == nil {
			err = renameio.WriteFile(d.file(hostKeyFile), text, 0o600)
		}
	}
	if err != nil {
		return "", fmt.Errorf("the key of sshd: %w", err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return "", fmt.Errorf("the key of sshd: %w", err)
	}
	return ssh.FingerprintSHA256(key.PublicKey()), nil
}

func newHostKey() ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "furrow")
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}
