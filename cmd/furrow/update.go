package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"furrow/appliance/update"
)

type updateCmd struct {
	Install updateInstallCmd `cmd:"" default:"withargs" help:"Replace the system of this box; it restarts."`
	Show    updateShowCmd    `cmd:"" help:"Say which version runs from which slot, and what became of the last update."`
	Bundle  updateBundleCmd  `cmd:"" help:"Make the file that boxes are updated with."`
	Key     updateKeyCmd     `cmd:"" help:"Make the pair of keys that bundles are signed with and checked by."`
}

// updateSocket is where a box from the image takes bundles; systemd starts the taker, with the rights it needs.
const updateSocket = "/run/furrow-update.sock"

type updateInstallCmd struct {
	Source     string `arg:"" help:"The bundle: a file, or an address that starts with http:// or https://."`
	AllowOlder bool   `help:"Install it even if it is not newer than what runs."`
}

func (c *updateInstallCmd) Run(s *session) (err error) {
	bundle, err := c.open(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bundle.Close()) }()
	dialer := net.Dialer{}
	conn, err := dialer.DialContext(s.ctx, "unix", updateSocket)
	if err != nil {
		return fmt.Errorf("this box does not take updates: %w", err)
	}
	defer conn.Close()
	written := make(chan error, 1) // the other side answers even if it does not want all
	go func() { written <- writeUpdate(conn.(*net.UnixConn), bundle, c.AllowOlder) }()
	manifest, err := readUpdateAnswer(conn, func(percent int) {
		if !s.out.json {
			fmt.Fprintf(s.out.w, "%3d %% written\n", percent)
		}
	})
	if errors.Is(err, errNoAnswer) {
		return errors.Join(err, <-written)
	}
	if err != nil {
		return err
	}
	return s.out.print(manifest, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "version %s is installed; the box restarts, and goes back by itself if it is not healthy\n", manifest.Version)
		return err
	})
}

// open opens the bundle, where it is a file, or asks for it.
func (c *updateInstallCmd) open(s *session) (io.ReadCloser, error) {
	if !strings.HasPrefix(c.Source, "http://") && !strings.HasPrefix(c.Source, "https://") {
		return os.Open(c.Source)
	}
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, c.Source, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetching the bundle: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("fetching the bundle: %s", response.Status), response.Body.Close())
	}
	return response.Body, nil
}

// What goes over the socket: a line, then the bundle; back come lines of JSON, of which the last has an error or a
// manifest.
const (
	newerOnly  = "newer\n"
	olderToo   = "older too\n"
	maxWishLen = 16
)

type updateAnswer struct {
	Percent   int              `json:"percent,omitempty"`
	Error     string           `json:"error,omitempty"`
	Installed *update.Manifest `json:"installed,omitempty"`
}

func writeUpdate(conn *net.UnixConn, bundle io.Reader, allowOlder bool) error {
	wish := newerOnly
	if allowOlder {
		wish = olderToo
	}
	if _, err := io.Copy(conn, io.MultiReader(strings.NewReader(wish), bundle)); err != nil {
		return fmt.Errorf("handing over the bundle: %w", err)
	}
	return conn.CloseWrite()
}

// errNoAnswer is the end of the connection before what was asked for was done or refused.
var errNoAnswer = errors.New("the update was broken off")

func readUpdateAnswer(conn io.Reader, told func(percent int)) (update.Manifest, error) {
	for decoder := json.NewDecoder(conn); ; {
		var answer updateAnswer
		if err := decoder.Decode(&answer); err != nil {
			return update.Manifest{}, fmt.Errorf("%w: %w", errNoAnswer, err)
		}
		switch {
		case answer.Error != "":
			return update.Manifest{}, errors.New(answer.Error)
		case answer.Installed != nil:
			return *answer.Installed, nil
		}
		told(answer.Percent)
	}
}

type updateShowCmd struct{}

// updateView is what there is to know about versions.
type updateView struct {
	Running update.Release `json:"running"`
	Slot    update.Slot    `json:"slot"`
	Trial   bool           `json:"trial"`
	Last    *update.Record `json:"last,omitempty"`
}

func (updateShowCmd) Run(s *session) (err error) {
	box := update.Image(time.Now, slog.New(slog.DiscardHandler))
	var view updateView
	if view.Slot, view.Trial, err = box.Running(); err != nil {
		return err
	}
	if view.Running, err = box.Release(); err != nil {
		return err
	}
	switch last, err := box.LastUpdate(); {
	case err == nil:
		view.Last = &last
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return s.out.print(view, func(w io.Writer) error {
		pairs := [][2]string{{"version", view.Running.Version}, {"slot", string(view.Slot)}, {"on trial", strconv.FormatBool(view.Trial)}}
		if l := view.Last; l != nil {
			pairs = append(pairs, [2]string{"last update", l.To.Version}, [2]string{"installed", l.Installed.Format(time.RFC3339)},
				[2]string{"outcome", string(l.Outcome)}, [2]string{"reason", l.Reason})
		}
		return facts(w, pairs...)
	})
}

// receive is the box's side of updateInstallCmd.
func receive(box *update.Box, in io.Reader, out io.Writer) error {
	encoder := json.NewEncoder(out)
	reader := bufio.NewReaderSize(in, 1<<20)
	wish, err := readWish(reader)
	var manifest update.Manifest
	if err == nil {
		percent := 0
		manifest, err = box.Install(reader, update.InstallOptions{AllowOlder: wish == olderToo, Told: func(written, size int64) {
			if now := int(written * 100 / size); now/10 != percent/10 {
				percent = now
				_ = encoder.Encode(updateAnswer{Percent: percent}) // who no longer listens has had the bundle taken all the same
			}
		}})
	}
	if err != nil {
		return errors.Join(err, encoder.Encode(updateAnswer{Error: oneLine(err)}))
	}
	return encoder.Encode(updateAnswer{Installed: &manifest})
}

func readWish(r *bufio.Reader) (string, error) {
	var line []byte
	for len(line) < maxWishLen {
		b, err := r.ReadByte()
		if err != nil {
			return "", fmt.Errorf("reading what is wanted: %w", err)
		}
		if line = append(line, b); b == '\n' {
			break
		}
	}
	if wish := string(line); wish == newerOnly || wish == olderToo {
		return wish, nil
	}
	return "", fmt.Errorf("%q is nothing that can be wanted", line)
}
