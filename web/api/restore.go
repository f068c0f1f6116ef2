package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"time"

	"furrow/appliance/backup"
	"furrow/web/access"
)

const (
	// restorePath is served over the network until the box is set up.
	restorePath = setupPath + "/restore"
	// MaxBackup bounds a backup that is restored, in octets: more than the disk of any box. It goes to the disk as it comes.
	MaxBackup = 1 << 44
)

// ErrRestoring says that a backup is being restored already.
var ErrRestoring = errors.New("a backup is being restored already")

// Restored is a backup that takes the place of the box.
type Restored struct {
	// Made and Version are when and by which version of Furrow the backup was made.
	Made    time.Time `json:"made"`
	Version string    `json:"version"`
	Files   int       `json:"files"`
	Size    int64     `json:"size"` // of the files, in octets
}

// restoreRoute takes the backup as it is, and as in basic authentication (RFC 7617) the set-up code for the name and the
// backup's password.
func (h *handler) restoreRoute() Route {
	restore := answer(h, h.restore)
	restore.limit = MaxBackup
	return Route{
		Method: "POST", Path: restorePath, Open: true,
		Summary: "Have a backup take the place of a box that is not set up, with the set-up code", action: restore,
	}
}

func (h *handler) restore(r *http.Request) (Restored, error) {
	code, password, _ := r.BasicAuth()
	if err := h.Access.CheckSetupCode(code, access.Visitor{Address: hostOf(r.RemoteAddr)}); err != nil {
		return Restored{}, err
	}
	if len(h.Directory.AllDomains()) > 0 {
		return Restored{}, &refusal{http.StatusConflict, &Error{
			Code: "conflict", Message: "this box has domains already; a backup would replace them",
		}}
	}
	m, err := h.Restore(r.Context(), r.Body, password)
	if err != nil {
		return Restored{}, restoreRefusal(err)
	}
	return Restored{Made: m.Made, Version: m.Version, Files: len(m.Files), Size: m.Size()}, nil
}

// restoreRefusal answers what is wrong with a backup in its words.
func restoreRefusal(err error) error {
	for _, kind := range []error{
		backup.ErrPassword, backup.ErrNotBackup, backup.ErrNewer, backup.ErrTruncated, backup.ErrTrailing, backup.ErrDamaged,
	} {
		if !errors.Is(err, kind) {
			continue
		}
		field := "backup"
		if kind == backup.ErrPassword {
			field = "password"
		}
		return &Error{Code: "invalid", Field: field, Message: kind.Error()}
	}
	switch {
	case errors.Is(err, ErrRestoring):
		return &refusal{http.StatusConflict, &Error{Code: "conflict", Message: err.Error()}}
	case errors.Is(err, syscall.ENOSPC):
		return &refusal{http.StatusInsufficientStorage, &Error{Code: "full", Message: "the disk has no room for what is in the backup"}}
	}
	return err
}

// Restore has a backup take the place of a box that is not set up, and returns when it is read and found sound; soon after
// the box starts again as the one that was backed up.
func (c *Client) Restore(ctx context.Context, setupCode, password string, file io.Reader) (Restored, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://furrow"+restorePath, file)
	if err != nil {
		return Restored{}, err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	req.SetBasicAuth(setupCode, password)
	return decodeAnswer[Restored](c.do(req))
}
