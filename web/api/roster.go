package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"furrow/gms/directory"
	"furrow/gms/invitation"
	"furrow/gms/roster"
	"furrow/web/access"
)

// MemberImport says how to import a file of members; it is in the parameters of the address.
type MemberImport struct {
	Domain string // name or GUID; empty for the only one
	Format string // csv or xml
	// Update is the attribute by which members are found that are to be changed: guid, email or login; empty to add only.
	Update       string
	Ignore       []string // columns or elements to read over
	CreateGroups bool
	SkipBad      bool
	DryRun       bool
	Send         bool   // mail the codes of those who are added
	Language     string // of these mails; empty for that of the domain
}

// MemberExport says which members go into a file, and into which.
type MemberExport struct {
	Domain    string // name or GUID; empty for the only one
	Group     string // path or GUID; empty for all
	Format    string // csv or xml
	Separator string // comma, semicolon or tab, for csv; empty for comma
}

func (h *handler) rosterRoutes() []Route {
	query := []string{"domain", "format", "update", "ignore", "create-groups", "skip-bad", "send", "language"}
	return []Route{
		{
			Method: "GET", Path: "/v1/roster", Role: access.Member, Query: []string{"domain", "group", "format", "separator"},
			Summary: "The members of a domain or group in a file",
			action:  stream("application/octet-stream", h.exportMembers),
		},
		{
			Method: "POST", Path: "/v1/roster", Role: access.Member, Query: query,
			Summary: "Add and change the members in a file",
			action:  file(answer(h, func(r *http.Request) (roster.Report, error) { return h.importMembers(r, false) })),
		},
		{
			Method: "POST", Path: "/v1/roster/preview", Role: access.Member, Query: query, Reads: true,
			Summary: "What importing a file of members would do",
			action:  file(answer(h, func(r *http.Request) (roster.Report, error) { return h.importMembers(r, true) })),
		},
	}
}

// file makes an action take a file of members. In UTF-16 that has up to twice the octets that roster counts.
func file(a action) action {
	a.limit = 2 * (roster.MaxBytes + 1)
	return a
}

func (h *handler) importMembers(r *http.Request, dryRun bool) (roster.Report, error) {
	options, read, err := h.importOptions(r)
	if err != nil {
		return roster.Report{}, err
	}
	options.DryRun = dryRun
	file, err := roster.Read(r.Body, read)
	var useless *roster.Problem
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &useless):
		return roster.RefusedFile(*useless, options.DryRun), nil
	case errors.As(err, &tooLong):
		return roster.Report{}, &Error{Code: "invalid", Message: "the file is too long; import it in several files"}
	case err != nil:
		return roster.Report{}, &Error{Code: "invalid", Message: err.Error()}
	}
	report, err := roster.Import(r.Context(), h.Directory, file, options)
	if err != nil {
		return roster.Report{}, err
	}
	if report.Applied {
		h.Log.Info("members imported", "domain", options.Domain, "created", report.Created, "updated", report.Updated,
			"bad", report.Bad, "mailed", report.Mailed)
		h.Mail.Nudge()
		h.nudge()
	}
	return report, nil
}

func (h *handler) importOptions(r *http.Request) (roster.ImportOptions, roster.ReadOptions, error) {
	query := r.URL.Query()
	read := roster.ReadOptions{Ignore: query["ignore"]}
	options := roster.ImportOptions{Key: query.Get("update")}
	var err error
	if read.Format, err = formatOf(r); err != nil {
		return options, read, err
	}
	d, err := h.domainOf(r)
	if err != nil {
		return options, read, err
	}
	options.Domain = d.GUID
	var send bool
	for name, to := range map[string]*bool{
		"create-groups": &options.CreateGroups, "skip-bad": &options.SkipBad, "send": &send,
	} {
		if *to, err = flag(r, name); err != nil {
			return options, read, err
		}
	}
	if actor, _ := access.ActorOf(r.Context()); options.CreateGroups &&
		!actor.Role.May(access.Need{Role: access.Domain, Writes: true}) { // as POST /v1/groups
		return options, read, errForbidden(actor.Role)
	}
	if send {
		options.Invite, err = h.Invitations.Adding(invitation.Language(query.Get("language")))
	}
	return options, read, err
}

func formatOf(r *http.Request) (roster.Format, error) {
	format, err := roster.ParseFormat(r.URL.Query().Get("format"))
	if err != nil {
		return "", &Error{Code: "invalid", Message: err.Error(), Field: "format"}
	}
	return format, nil
}

func (h *handler) exportMembers(w http.ResponseWriter, r *http.Request) {
	filter, options, err := h.exportOptions(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", map[roster.Format]string{
		roster.CSV: "text/csv; charset=utf-8", roster.XML: "application/xml",
	}[options.Format])
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="members.%s"`, options.Format))
	w.Header().Set("Cache-Control", "no-store")
	if err := roster.Export(w, h.Directory, filter, options); err != nil {
		h.Log.Debug("members not delivered", "error", err)
	}
}

func (h *handler) exportOptions(r *http.Request) (f directory.MemberFilter, o roster.WriteOptions, err error) {
	if o.Format, err = formatOf(r); err != nil {
		return f, o, err
	}
	if o.Separator, err = roster.ParseSeparator(r.URL.Query().Get("separator")); err != nil {
		return f, o, &Error{Code: "invalid", Message: err.Error(), Field: "separator"}
	}
	d, err := h.domainOf(r)
	if err != nil {
		return f, o, err
	}
	f.Domain = d.GUID
	f.Group, err = h.groupGUID(d.GUID, r.URL.Query().Get("group"))
	return f, o, err
}

// ImportMembers imports a file of members. What is wrong with the file is in the report.
func (c *Client) ImportMembers(ctx context.Context, i MemberImport, file io.Reader) (roster.Report, error) {
	query := url.Values{
		"domain": {i.Domain}, "format": {i.Format}, "update": {i.Update}, "ignore": i.Ignore, "language": {i.Language},
		"create-groups": {strconv.FormatBool(i.CreateGroups)}, "skip-bad": {strconv.FormatBool(i.SkipBad)},
		"send": {strconv.FormatBool(i.Send)},
	}
	path := "/v1/roster?"
	if i.DryRun {
		path = "/v1/roster/preview?"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://furrow"+path+query.Encode(), file)
	if err != nil {
		return roster.Report{}, err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	return decodeAnswer[roster.Report](c.do(req))
}

// ExportMembers writes a file of members.
func (c *Client) ExportMembers(ctx context.Context, e MemberExport, w io.Writer) (err error) {
	query := url.Values{"domain": {e.Domain}, "group": {e.Group}, "format": {e.Format}, "separator": {e.Separator}}
	body, err := c.stream(ctx, "/v1/roster?"+query.Encode())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if _, err := io.Copy(w, body); err != nil {
		return fmt.Errorf("reading the members: %w", err)
	}
	return nil
}
