package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"furrow/gms/audit"
	"furrow/web/access"
)

// AuditEvent is an entry of the audit log of a device (MS-GRVSPCM 3.2.5.7.2).
type AuditEvent struct {
	Time        time.Time `json:"time"`     // by the device's clock
	Received    time.Time `json:"received"` // by the server's
	Domain      string    `json:"domain"`   // GUID
	Member      string    `json:"member"`   // GUID; empty for a device's account
	MemberName  string    `json:"memberName"`
	Account     string    `json:"account"`
	IdentityURL string    `json:"identityURL"`
	Device      string    `json:"device"`     // GUID
	DeviceName  string    `json:"deviceName"` // host name
	Sequence    int32     `json:"sequence"`   // of the upload
	Index       int       `json:"index"`      // in the upload
	Kind        string    `json:"kind"`       // begin, event or end
	Type        string    `json:"type"`
	Text        string    `json:"text"`
	// Verified says that the upload's MAC is that of the key that the device is locked on to.
	Verified bool `json:"verified"`
	// Body is the entry as the device wrote it; empty if it could not be decrypted: then Sealed is what came.
	Body   []byte `json:"body,omitempty"`
	Sealed []byte `json:"sealed,omitempty"`
}

// Heading implements [Record].
func (AuditEvent) Heading() []string {
	return []string{
		"time", "received", "member", "memberName", "device", "deviceName", "type", "text", "kind", "sequence", "index", "verified", "decrypted",
	}
}

// Values implements [Record].
func (e AuditEvent) Values() []string {
	return []string{
		moment(e.Time), moment(e.Received), e.Member, e.MemberName, e.Device, e.DeviceName, e.Type, e.Text, e.Kind,
		strconv.Itoa(int(e.Sequence)), strconv.Itoa(e.Index), strconv.FormatBool(e.Verified), strconv.FormatBool(e.Sealed == nil),
	}
}

// AuditFilter selects events. Empty fields select all.
type AuditFilter struct {
	Domain   string // name or GUID
	Member   string // GUID
	Device   string // GUID or host name
	Type     string
	Text     string // a part of it
	From, To time.Time
	Newest   bool // first
	Limit    int  // 0 for all
}

// AuditDevice is a device whose audit log is kept.
type AuditDevice struct {
	Domain   string    `json:"domain"` // name
	Device   string    `json:"device"` // GUID
	Name     string    `json:"name"`   // host name
	Sequence int32     `json:"sequence"`
	Missing  int       `json:"missing"` // uploads
	Locked   bool      `json:"locked"`  // on to its key
	Last     time.Time `json:"last"`    // upload
}

// AuditFile is a file that a client has uploaded for auditing.
type AuditFile struct {
	Domain     string    `json:"domain"` // name
	Hash       string    `json:"hash"`   // SHA-1, in hexadecimal digits
	Length     int64     `json:"length"`
	Title      string    `json:"title"`
	URL        string    `json:"url"`
	Member     string    `json:"member"` // GUID
	DeviceName string    `json:"deviceName"`
	Received   time.Time `json:"received"`
}

// AuditSettings say how long audit logs and files are kept, in days; 0 is for ever.
type AuditSettings struct {
	LogDays  int `json:"logDays"`
	FileDays int `json:"fileDays"`
}

// auditLine is a line of the answer with events: one, or what went wrong with a log.
type auditLine struct {
	*AuditEvent
	Error *Error `json:"error,omitempty"`
}

func (h *handler) auditRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/audit/events", Role: access.Auditor, Query: []string{"domain", "member", "device", "type", "text", "from", "to", "newest", "limit"},
			Summary: "Entries of the audit logs of devices, one a line",
			action:  stream("application/jsonl", h.auditEvents),
		},
		{
			Method: "GET", Path: "/v1/audit/devices", Role: access.Auditor, Query: []string{"domain"},
			Summary: "Devices whose audit logs are kept",
			action:  answer(h, h.auditDevices),
		},
		{
			Method: "GET", Path: "/v1/audit/files", Role: access.Auditor, Query: []string{"domain"},
			Summary: "Files that clients have uploaded for auditing",
			action:  answer(h, h.auditFiles),
		},
		{
			Method: "GET", Path: "/v1/audit/files/{domain}/{hash}", Role: access.Auditor,
			Summary: "The content of an audited file",
			action:  stream("application/octet-stream", h.auditFile),
		},
		{
			Method: "GET", Path: "/v1/audit/settings", Role: access.Auditor,
			Summary: "How long audit logs and files are kept",
			action: answer(h, func(*http.Request) (AuditSettings, error) {
				return AuditSettings(h.Audit.Settings()), nil
			}),
		},
		{
			Method: "PUT", Path: "/v1/audit/settings", Role: access.Server,
			Summary: "Change how long audit logs and files are kept",
			action:  ask(h, h.setAuditSettings),
		},
	}
}

// auditEvents sends the events as they are found: there may be more than fit into memory.
func (h *handler) auditEvents(w http.ResponseWriter, r *http.Request) {
	filter, limit, err := h.auditFilter(r)
	if err != nil {
		status, refusal := refuse(err)
		h.write(w, status, refusal)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Cache-Control", "no-store")
	lines := json.NewEncoder(w)
	sent := 0
	for e, err := range h.Audit.Events(filter) {
		line := auditLine{}
		if err != nil {
			h.Log.Error("audit log not readable", "error", err)
			line.Error = &Error{Code: "failed", Message: "an audit log cannot be read; the box's log says which"}
		} else {
			shown := h.showAuditEvent(&e)
			line.AuditEvent = &shown
		}
		if err := lines.Encode(line); err != nil {
			h.Log.Debug("admin answer not delivered", "error", err)
			return
		}
		if sent++; sent == limit || r.Context().Err() != nil {
			return
		}
	}
}

// auditFilter reads the parameters of a request for events.
func (h *handler) auditFilter(r *http.Request) (f audit.Filter, limit int, err error) {
	q := r.URL.Query()
	if f.Domain, err = h.domainParameter(r); err != nil {
		return f, 0, err
	}
	f.Member, f.Device, f.Type, f.Text = q.Get("member"), q.Get("device"), q.Get("type"), q.Get("text")
	f.Newest = q.Get("newest") == "true"
	for name, to := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if s := q.Get(name); s != "" {
			if *to, err = time.Parse(time.RFC3339, s); err != nil {
				return f, 0, &Error{Code: "invalid", Field: name, Message: name + " is not a time such as 2026-03-14T15:09:26Z"}
			}
		}
	}
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 0 {
			return f, 0, &Error{Code: "invalid", Field: "limit", Message: "limit is not a number of events"}
		}
	}
	return f, limit, nil
}

func (h *handler) showAuditEvent(e *audit.Event) AuditEvent {
	member, _ := h.Directory.Member(e.Log.Member) // a device's account has none
	return AuditEvent{
		Time: e.Time, Received: e.Log.Received, Domain: e.Log.Domain, Member: e.Log.Member, MemberName: member.FullName,
		Account: e.Log.Account, IdentityURL: e.Log.IdentityURL, Device: e.Log.Device, DeviceName: e.Log.DeviceName,
		Sequence: e.Log.Sequence, Index: e.Index, Kind: string(e.Kind), Type: e.Type, Text: e.Text,
		Verified: e.Log.Verified, Body: e.Body, Sealed: e.Sealed,
	}
}

func (h *handler) auditDevices(r *http.Request) ([]AuditDevice, error) {
	guid, err := h.domainParameter(r)
	if err != nil {
		return nil, err
	}
	shown := []AuditDevice{}
	for _, d := range h.Audit.Devices(guid) {
		shown = append(shown, AuditDevice{
			Domain: h.domainName(d.Domain), Device: d.GUID, Name: d.Name, Sequence: d.Sequence, Missing: d.Missing,
			Locked: d.Locked(), Last: d.Last,
		})
	}
	return shown, nil
}

func (h *handler) auditFiles(r *http.Request) ([]AuditFile, error) {
	guid, err := h.domainParameter(r)
	if err != nil {
		return nil, err
	}
	shown := []AuditFile{}
	for _, f := range h.Audit.Files(guid) {
		shown = append(shown, AuditFile{
			Domain: h.domainName(f.Domain), Hash: f.Hash, Length: f.Length, Title: f.Title, URL: f.URL,
			Member: f.Member, DeviceName: f.DeviceName, Received: f.Received,
		})
	}
	return shown, nil
}

// auditFile sends the content of a file. One that is damaged ends early: its length does not fit what was announced.
func (h *handler) auditFile(w http.ResponseWriter, r *http.Request) {
	domain, err := h.Directory.FindDomain(r.PathValue("domain"))
	if err != nil {
		status, refusal := refuse(err)
		h.write(w, status, refusal)
		return
	}
	f, content, err := h.Audit.OpenFile(domain.GUID, r.PathValue("hash"))
	if err != nil {
		status, refusal := refuse(err)
		h.write(w, status, refusal)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(f.Length, 10))
	w.Header().Set("Cache-Control", "no-store")
	_, err = io.Copy(w, content)
	if err = errors.Join(err, content.Close()); err != nil {
		h.Log.Error("audit file not delivered", "hash", f.Hash, "error", err)
		panic(http.ErrAbortHandler) // the last bytes may have gone already
	}
}

func (h *handler) setAuditSettings(r *http.Request, q AuditSettings) (AuditSettings, error) {
	err := h.Audit.SetSettings(r.Context(), audit.Settings(q))
	return AuditSettings(h.Audit.Settings()), err
}
