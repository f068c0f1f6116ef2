package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"furrow/gms/directory"
)

// Backup describes a complete backup of a member's account, which the member's client has made (MS-GRVSPCM 3.2.5.4.1).
type Backup struct {
	Stored time.Time `json:"stored"` // when its last fragment came
	Size   int64     `json:"size"`   // in bytes
	Device string    `json:"device"` // host name
}

// lastBackup returns what to show of a member's backup, nil if there is none.
func (h *handler) lastBackup(m directory.Member) (*Backup, error) {
	b, err := h.Directory.LastBackup(m.Domain, m.AccountGUID)
	if errors.Is(err, directory.ErrNoBackup) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Backup{Stored: b.Changed, Size: b.Size, Device: b.Device}, nil
}

// backup sends the account data of a member. Without an announced length HTTP sends it in chunks, the last of which is
// missing when it cannot be read to its end or turns out to be damaged there: nobody takes that for the whole.
func (h *handler) backup(w http.ResponseWriter, r *http.Request) {
	m, err := h.Directory.Member(r.PathValue("guid"))
	var b *directory.BackupReader
	if err == nil {
		b, err = h.Directory.OpenBackup(m.Domain, m.AccountGUID)
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	h.Log.Info("account backup downloaded", "member", m.GUID, "account", m.AccountGUID)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, err = io.Copy(w, b)
	if err = errors.Join(err, b.Close()); err != nil {
		h.Log.Error("account backup not delivered", "member", m.GUID, "error", err)
		panic(http.ErrAbortHandler)
	}
}

// MemberBackup writes the account data that a member's client has stored to w and returns how many bytes it has. After
// an error w has a part of it.
func (c *Client) MemberBackup(ctx context.Context, guid string, w io.Writer) (size int64, err error) {
	resp, err := c.send(ctx, http.MethodGet, "/v1/members/"+url.PathEscape(guid)+"/backup", nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if size, err = io.Copy(w, resp.Body); err != nil {
		return size, fmt.Errorf("reading the backup: %w", err)
	}
	return size, nil
}
