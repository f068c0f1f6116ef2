package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"furrow/relay/client"
)

type clientReceiveCmd struct {
	relayFlags
	Into   string        `required:"" help:"Folder for the files; made when it is not there." placeholder:"DIR" type:"path"`
	Follow bool          `help:"Go on receiving until interrupted, and print each file as it comes."`
	Quiet  time.Duration `help:"Without --follow: end when a relay has delivered nothing for this long." default:"5s"`
}

// patience is how long receive without --follow goes on trying while a relay
// cannot be reached.
const patience = 2 * time.Minute

// received is what has become of a file that was received.
type received struct {
	ID        string `json:"id,omitempty"`
	Path      string `json:"path,omitempty"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256,omitempty"`
	Duplicate bool   `json:"duplicate"`
	Problem   string `json:"problem,omitempty"`
}

func (c *clientReceiveCmd) Run(s *session) (err error) {
	m, err := c.open()
	if err != nil {
		return err
	}
	log := &arrivals{session: s, keep: s.out.json && !c.Follow, bars: make(map[string]*transfer), files: []received{}}
	inbox, err := client.OpenInbox(client.InboxOptions{
		Folder:   c.Into,
		Records:  filepath.Join(c.Home, "received"),
		Progress: log.progress,
		Stored:   log.stored,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inbox.Close()) }()
	receiver := client.Receiver{Relays: m.relays, Handlers: inbox.Handlers(), Retry: client.Retry{Notify: log.retrying}}
	if !c.Follow {
		receiver.Quiet, receiver.Retry.Patience = c.Quiet, patience
	}
	err = receiver.Run(s.ctx)
	if log.keep {
		err = errors.Join(err, s.out.print(log.files, nil))
	}
	return errors.Join(err, log.failed)
}

// arrivals tells of files as they come. Several may come at a time.
type arrivals struct {
	session *session
	keep    bool // tell of all at the end

	mu     sync.Mutex
	bars   map[string]*transfer // by identifier
	files  []received
	failed error // of printing
}

func (a *arrivals) progress(p *client.Parcel, arrived int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	bar := a.bars[p.ID]
	if bar == nil {
		bar = a.session.transfer("receiving "+client.SafeName(p.Name), p.Size)
		a.bars[p.ID] = bar
	}
	bar.update(arrived)
}

func (a *arrivals) stored(r client.Receipt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if bar := a.bars[r.ID]; bar != nil {
		bar.end()
		delete(a.bars, r.ID)
	}
	file := received{ID: r.ID, Path: r.Path, Size: r.Size, Duplicate: r.Duplicate}
	if r.ID != "" {
		file.SHA256 = hex.EncodeToString(r.SHA256[:])
	}
	if r.Problem != nil {
		file.Problem = oneLine(r.Problem)
	}
	if a.keep {
		a.files = append(a.files, file)
		return
	}
	a.failed = errors.Join(a.failed, a.session.out.print(file, func(w io.Writer) error {
		var err error
		switch {
		case file.Problem != "":
			_, err = fmt.Fprintln(w, "dropped:", file.Problem)
		case file.Duplicate:
			_, err = fmt.Fprintln(w, "received again:", file.Path)
		default:
			_, err = fmt.Fprintln(w, "received", file.Path)
		}
		return err
	}))
}

func (a *arrivals) retrying(err error, wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, bar := range a.bars {
		bar.end()
	}
	a.session.retrying(err, wait)
}
