package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"furrow/appliance/backup/plan"
	"furrow/appliance/backup/target"
	"furrow/web/access"
)

// BackupSettings say where backups of the box go, and when.
type BackupSettings struct {
	// Target is a path, or sftp://host/path, or s3://host/bucket; empty for a box that makes no backups by itself.
	Target string `json:"target"`
	// Login is that of SFTP, or the access key of S3.
	Login string `json:"login,omitempty"`
	// HostKey is the key of an SFTP server, as ssh-keyscan prints it.
	HostKey string `json:"hostKey,omitempty"`
	// Region is that of S3.
	Region string `json:"region,omitempty"`
	// Password is that of SFTP, or the secret key of S3; PrivateKey is for SFTP, PEM. Neither is ever shown. If both are
	// empty in a change they stay, if target and login do.
	Password   string `json:"password,omitempty"`
	PrivateKey string `json:"privateKey,omitempty"`
	// Passphrase is what backups are encrypted with. It is never shown, and stays if it is empty in a change.
	Passphrase string `json:"passphrase,omitempty"`
	// Daily is the time of a daily backup, such as 02:30; Every is the time between backups, such as 6h.
	Daily string `json:"daily,omitempty"`
	Every string `json:"every,omitempty"`
	// Keep is how many backups stay at the target.
	Keep int `json:"keep"`
}

// BackupPlan is how backups are made, and what came of the last.
type BackupPlan struct {
	BackupSettings
	// Outcome is what came of the last backups at the target.
	Outcome plan.Outcome `json:"outcome"`
	// Next is when the next one is due; absent for never.
	Next time.Time `json:"next,omitzero"`
	// Running is the one that is being made now; absent for none.
	Running *BackupProgress `json:"running,omitempty"`
	// Size is about how long a backup is at most, in octets.
	Size int64 `json:"size"`
}

// BackupProgress is how far a backup has come, in octets of the box.
type BackupProgress struct {
	Since time.Time `json:"since"`
	Done  int64     `json:"done"`
	Total int64     `json:"total"`
}

// BackupFile is a backup at the target.
type BackupFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // in octets
}

// BackupDownload asks for a backup.
type BackupDownload struct {
	// Password is what it is to be encrypted with; the passphrase of the settings if it is empty.
	Password string `json:"password,omitempty"`
}

func (h *handler) boxBackupRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/backup", Role: access.Server,
			Summary: "How backups of the box are made, and what came of the last",
			action:  answer(h, h.backupPlan),
		},
		{
			Method: "PUT", Path: "/v1/backup", Role: access.Server,
			Summary: "Change where backups go, and when",
			action:  ask(h, h.setBackup),
		},
		{
			Method: "DELETE", Path: "/v1/backup", Role: access.Server,
			Summary: "Make no backups any more; those at the target stay",
			action:  answer(h, h.clearBackup),
		},
		{
			Method: "POST", Path: "/v1/backup/run", Role: access.Server,
			Summary: "Make a backup now",
			action:  answer(h, h.makeBackup),
		},
		{
			Method: "POST", Path: "/v1/backup/start", Role: access.Server,
			Summary: "Have a backup made, without waiting for its end",
			action:  answer(h, h.startBackup),
		},
		{
			Method: "GET", Path: "/v1/backup/files", Role: access.Server,
			Summary: "The backups at the target",
			action:  answer(h, h.backupFiles),
		},
		{
			Method: "POST", Path: "/v1/backup/download", Role: access.Server, Secret: true,
			Summary: "A backup made now, for whoever asks",
			action:  stream("application/octet-stream", h.downloadBackup),
		},
	}
}

func (h *handler) backupPlan(*http.Request) (BackupPlan, error) {
	s, _ := h.Backup.Settings()
	shown := BackupPlan{
		BackupSettings: BackupSettings{
			Target: s.Target.URL, Login: s.Target.Login, HostKey: s.Target.HostKey, Region: s.Target.Region,
			Daily: s.Daily, Keep: s.Keep,
		},
		Outcome: h.Backup.Outcome(), Next: h.Backup.Next(), Size: h.Backup.Source.Size(),
	}
	if s.Every > 0 {
		shown.Every = s.Every.String()
	}
	if r := h.Backup.Running(); r != nil {
		shown.Running = &BackupProgress{Since: r.Since, Done: r.Done, Total: r.Total}
	}
	return shown, nil
}

func (h *handler) setBackup(r *http.Request, q BackupSettings) (BackupPlan, error) {
	settings := plan.Settings{
		Target: target.Address{
			URL: q.Target, Login: q.Login, HostKey: q.HostKey, Region: q.Region, Password: q.Password, PrivateKey: q.PrivateKey,
		},
		Passphrase: q.Passphrase, Daily: q.Daily, Keep: q.Keep,
	}
	if q.Every != "" {
		every, err := time.ParseDuration(q.Every)
		if err != nil {
			return BackupPlan{}, &Error{Code: "invalid", Field: "every", Message: "every: want a time such as 6h or 90m"}
		}
		settings.Every = every
	}
	if err := h.Backup.SetSettings(r.Context(), settings); err != nil {
		return BackupPlan{}, err
	}
	return h.backupPlan(r)
}

func (h *handler) clearBackup(r *http.Request) (BackupPlan, error) {
	if err := h.Backup.Clear(r.Context()); err != nil {
		return BackupPlan{}, err
	}
	return h.backupPlan(r)
}

// makeBackup answers a failure with its words: they are about a server or folder that whoever asks has named.
func (h *handler) makeBackup(r *http.Request) (BackupPlan, error) {
	outcome, err := h.Backup.Make(r.Context())
	if err != nil && outcome.Error != "" {
		return BackupPlan{}, &refusal{http.StatusBadGateway, &Error{Code: "backupFailed", Message: outcome.Error}}
	}
	if err != nil {
		return BackupPlan{}, err
	}
	return h.backupPlan(r)
}

func (h *handler) startBackup(r *http.Request) (BackupPlan, error) {
	if err := h.Backup.Start(); err != nil {
		return BackupPlan{}, err
	}
	return h.backupPlan(r)
}

func (h *handler) backupFiles(r *http.Request) ([]BackupFile, error) {
	files, err := h.Backup.List(r.Context())
	if errors.Is(err, plan.ErrNoTarget) {
		return nil, err
	}
	if err != nil {
		return nil, &refusal{http.StatusBadGateway, &Error{Code: "backupFailed", Message: err.Error()}}
	}
	shown := []BackupFile{}
	for _, f := range files {
		shown = append(shown, BackupFile{f.Name, f.Size})
	}
	return shown, nil
}

// downloadBackup sends a backup as it is made. One that fails half way has no end, neither of its own nor of HTTP.
func (h *handler) downloadBackup(w http.ResponseWriter, r *http.Request) {
	var q BackupDownload
	if err := question(r, &q); err != nil {
		h.refuse(w, r, err)
		return
	}
	out := &download{w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	made, err := h.Backup.Write(r.Context(), out, q.Password)
	switch {
	case err == nil:
		h.Log.Info("backup downloaded", "files", len(made.Files), "bytes", made.Size())
	case !out.begun:
		h.refuse(w, r, err)
	default:
		h.Log.Error("backup not delivered", "error", err)
		panic(http.ErrAbortHandler)
	}
}

// downloadSilence is how long a client may take nothing: a backup holds the room of what is deleted meanwhile.
const downloadSilence = time.Minute

// download is the answer to who takes a backup.
type download struct {
	w       io.Writer
	control *http.ResponseController
	begun   bool
}

func (d *download) Write(p []byte) (int, error) {
	d.begun = true
	err := d.control.SetWriteDeadline(time.Now().Add(downloadSilence))
	if err != nil && !errors.Is(err, http.ErrNotSupported) { // in a process of its own there is no connection
		return 0, err
	}
	return d.w.Write(p)
}

// BackupPlan returns how backups of the box are made, and what came of the last.
func (c *Client) BackupPlan(ctx context.Context) (BackupPlan, error) {
	return call[BackupPlan](ctx, c, http.MethodGet, "/v1/backup", nil)
}

// SetBackup changes where backups go, and when.
func (c *Client) SetBackup(ctx context.Context, s BackupSettings) (BackupPlan, error) {
	return call[BackupPlan](ctx, c, http.MethodPut, "/v1/backup", s)
}

// ClearBackup ends planned backups.
func (c *Client) ClearBackup(ctx context.Context) (BackupPlan, error) {
	return call[BackupPlan](ctx, c, http.MethodDelete, "/v1/backup", nil)
}

// MakeBackup makes a backup at the target and returns when it is there and was read back.
func (c *Client) MakeBackup(ctx context.Context) (BackupPlan, error) {
	return call[BackupPlan](ctx, c, http.MethodPost, "/v1/backup/run", nil)
}

// StartBackup has a backup made at the target and does not wait for it.
func (c *Client) StartBackup(ctx context.Context) (BackupPlan, error) {
	return call[BackupPlan](ctx, c, http.MethodPost, "/v1/backup/start", nil)
}

// BackupFiles returns the backups at the target, the oldest first.
func (c *Client) BackupFiles(ctx context.Context) ([]BackupFile, error) {
	return call[[]BackupFile](ctx, c, http.MethodGet, "/v1/backup/files", nil)
}

// DownloadBackup writes a backup made now to w. After an error w has a part of one.
func (c *Client) DownloadBackup(ctx context.Context, w io.Writer, q BackupDownload) (err error) {
	resp, err := c.send(ctx, http.MethodPost, "/v1/backup/download", q)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if _, err = io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	return nil
}
