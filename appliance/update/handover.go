package update

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Socket is where a box from the image takes bundles; systemd starts the taker, with the rights it needs.
const Socket = "/run/furrow-update.sock"

// What goes over the socket: a line, then the bundle; back come lines of JSON, of which the last has an error or a
// manifest.
const (
	newerOnly  = "newer\n"
	olderToo   = "older too\n"
	maxWishLen = 16
)

// maxAnswers bounds what is read of the answers, in octets: a percentage has some 15, a manifest under 4 KB.
const maxAnswers = 64 << 10

type answer struct {
	Percent   int       `json:"percent,omitempty"`
	Error     string    `json:"error,omitempty"`
	Installed *Manifest `json:"installed,omitempty"`
}

var (
	// ErrNoTaker says that the machine was not started from the image, which alone takes bundles.
	ErrNoTaker = errors.New("this box does not take updates")
	// ErrBrokenOff is the end of a hand-over before the bundle was installed or refused.
	ErrBrokenOff = errors.New("the update was broken off")
)

// Refused is why the side with the rights has not done what it was asked, in words for a person.
type Refused struct{ Reason string }

func (r *Refused) Error() string { return r.Reason }

// HandOver hands a bundle to the taker at a socket, who installs it and restarts the machine. told hears how much of it
// is written.
func HandOver(ctx context.Context, socket string, bundle io.Reader, allowOlder bool, told func(percent int)) (Manifest, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrNoTaker, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	written := make(chan error, 1) // the other side answers even if it does not want all
	go func() { written <- send(conn.(*net.UnixConn), bundle, allowOlder) }()
	manifest, err := readAnswer(conn, told)
	if errors.Is(err, ErrBrokenOff) {
		conn.Close() // or the writing might wait for ever
		return Manifest{}, errors.Join(err, <-written)
	}
	return manifest, err
}

func send(conn *net.UnixConn, bundle io.Reader, allowOlder bool) error {
	wish := newerOnly
	if allowOlder {
		wish = olderToo
	}
	if _, err := io.Copy(conn, io.MultiReader(strings.NewReader(wish), bundle)); err != nil {
		return fmt.Errorf("handing over the bundle: %w", err)
	}
	return conn.CloseWrite()
}

func readAnswer(r io.Reader, told func(percent int)) (Manifest, error) {
	for decoder := json.NewDecoder(io.LimitReader(r, maxAnswers)); ; {
		var a answer
		if err := decoder.Decode(&a); err != nil {
			return Manifest{}, fmt.Errorf("%w: %w", ErrBrokenOff, err)
		}
		switch {
		case a.Error != "":
			return Manifest{}, &Refused{a.Error}
		case a.Installed != nil:
			return *a.Installed, nil
		}
		told(a.Percent)
	}
}

// Take is the other side of HandOver: it installs the bundle that comes from in, and says on out how that goes.
func (b *Box) Take(in io.Reader, out io.Writer) error {
	encoder := json.NewEncoder(out)
	reader := bufio.NewReaderSize(in, 1<<20)
	wish, err := readWish(reader)
	var manifest Manifest
	if err == nil {
		percent := 0
		manifest, err = b.Install(reader, InstallOptions{AllowOlder: wish == olderToo, Told: func(written, size int64) {
			if now := int(written * 100 / size); now/10 != percent/10 {
				percent = now
				_ = encoder.Encode(answer{Percent: percent}) // who no longer listens has had the bundle taken all the same
			}
		}})
	}
	if err != nil {
		return errors.Join(err, encoder.Encode(answer{Error: strings.Join(strings.Fields(err.Error()), " ")}))
	}
	return encoder.Encode(answer{Installed: &manifest})
}

func readWish(r *bufio.Reader) (string, error) {
	var line []byte
	for len(line) < maxWishLen {
		c, err := r.ReadByte()
		if err != nil {
			return "", fmt.Errorf("reading what is wanted: %w", err)
		}
		if line = append(line, c); c == '\n' {
			break
		}
	}
	if wish := string(line); wish == newerOnly || wish == olderToo {
		return wish, nil
	}
	return "", fmt.Errorf("%q is nothing that can be wanted", line)
}
