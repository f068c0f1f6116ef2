package main

import (
	"errors"
	"fmt"
	"io"
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
	manifest, err := update.HandOver(s.ctx, update.Socket, bundle, c.AllowOlder, func(percent int) {
		if !s.out.json {
			fmt.Fprintf(s.out.w, "%3d %% written\n", percent)
		}
	})
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

type updateShowCmd struct{}

func (updateShowCmd) Run(s *session) error {
	view, err := imageBox().Versions()
	if err != nil {
		return err
	}
	return s.out.print(view, func(w io.Writer) error {
		pairs := [][2]string{{"version", view.Running.Version}, {"slot", string(view.Slot)}, {"on trial", strconv.FormatBool(view.Trial)}}
		if l := view.Last; l != nil {
			pairs = append(pairs, [2]string{"last update", l.To.Version}, [2]string{"installed", l.Installed.Format(time.RFC3339)},
				[2]string{"outcome", string(l.Outcome)}, [2]string{"reason", l.Reason})
		}
		if c := view.Check; c != nil {
			pairs = append(pairs, [2]string{"disk compared", c.At.Format(time.RFC3339)}, [2]string{"damage", c.Damage})
		}
		return facts(w, pairs...)
	})
}
